//! The director's interfaces: which are there and up, and whether the program is. Seen by events of the
//! kernel, and each second, as it does not tell when a program is detached; mended, and told once.

use std::collections::{BTreeMap, HashSet};

use anyhow::Result;

use super::{engine::Engine, links::Interface, neighbours::Neighbours};
use crate::{
    api::events::{Event, What},
    net::{
        self,
        links::{self, Link},
    },
};

/// What an interface does for packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Native,
    /// In the stack.
    Generic,
    /// The interface is.
    Down,
    /// Somebody has taken the program off.
    Detached,
    AnotherProgram,
    /// There is no such interface.
    Missing,
}

impl Condition {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Generic => "generic",
            Self::Down => "down",
            Self::Detached => "detached",
            Self::AnotherProgram => "another program",
            Self::Missing => "missing",
        }
    }

    /// Of an interface, where the program has this number.
    pub(super) fn of(link: Option<&Link>, program: u32) -> Self {
        let Some(link) = link else {
            return Self::Missing;
        };
        match link.xdp {
            _ if !link.is_up => Self::Down,
            Some(xdp) if xdp.program != program => Self::AnotherProgram,
            Some(xdp) if xdp.is_native => Self::Native,
            Some(_) => Self::Generic,
            None => Self::Detached,
        }
    }

    pub(super) fn forwards(self) -> bool {
        matches!(self, Self::Native | Self::Generic)
    }
}

#[derive(Debug, Default)]
pub(super) struct Conditions {
    /// What was last told of each.
    told: BTreeMap<String, Condition>,
    /// Those of the director's that were down or without a carrier, by index: nobody may know them any more.
    gone: HashSet<u32>,
}

impl Engine {
    pub(super) fn interface_gone(&mut self, index: u32) {
        self.interfaces.gone.insert(index);
    }

    /// Follows interfaces that are others now: gone, back, up or down, with another MAC or addresses.
    pub(super) async fn interfaces_changed(&mut self) -> Result<()> {
        let interfaces = Interface::find_there(&self.netlink, &self.config).await?;
        // The host's others, of containers for example, go all the time.
        let is_there = |index: &u32| interfaces.iter().any(|it| it.index == *index);
        self.interfaces.gone.retain(is_there);
        let is_same = self.neighbours.interfaces().eq(&interfaces);
        let has_flapped =
            |it: &Interface| it.has_carrier && self.interfaces.gone.contains(&it.index);
        if is_same && !interfaces.iter().any(has_flapped) {
            // An address that was gone for a moment has taken the routes of checks with it.
            self.check_all().await?;
            // Others may have a VIP that is not the daemon's to put in place, or a MAC.
            return self.look_out().await;
        }
        let known = |it: &Interface| {
            let mut before = self.neighbours.interfaces();
            before.any(|one| one.is_reached_as(it)) && !has_flapped(it)
        };
        let ready = interfaces.iter().filter(|it| it.has_carrier);
        let renewed: HashSet<u32> = ready.filter(|it| !known(it)).map(|it| it.index).collect();
        self.interfaces
            .gone
            .retain(|index| !renewed.contains(index));
        self.neighbours.set_interfaces(interfaces);
        // What the kernel told of those on subnets that were not known yet.
        for neighbour in net::neighbours::list(&self.netlink).await? {
            self.neighbours.learn(neighbour);
        }
        let attached = self.attach();
        let brought = self.bring_all().await;
        self.announce_vips(&renewed).await?;
        brought?;
        if !renewed.is_empty() {
            self.neighbours.probe_all(&self.netlink).await;
        }
        // All the rest is done without it, and it is tried again each second.
        if let Err(error) = attached {
            tracing::debug!("{error:#}");
        }
        Ok(())
    }

    /// Sees what each interface does, attaches the program where somebody has taken it off, and tells.
    pub(super) async fn look_at_interfaces(&mut self) -> Result<()> {
        let mut links = links::list(&self.netlink).await?;
        if self.neighbours.interfaces().any(|it| !it.is_one_of(&links)) || self.has_come(&links) {
            // The kernel's word of it may have been lost.
            self.interfaces_changed().await?;
            links = links::list(&self.netlink).await?;
        }
        let program = self.kernel.program_id()?;
        for name in self.config.interfaces.clone() {
            let link = links.iter().find(|link| link.name == name);
            let found = Condition::of(link, program);
            self.tell_interface(&name, found, None);
            if matches!(found, Condition::Detached | Condition::AnotherProgram) {
                let attached = self.kernel.attach(&name, self.config.xdp);
                let found = self.condition(&name).await?;
                self.tell_interface(&name, found, attached.err());
            }
        }
        Ok(())
    }

    /// Whether one is there that is not known.
    fn has_come(&self, links: &[Link]) -> bool {
        let is_known = |name: &str| self.neighbours.interfaces().any(|it| it.name == name);
        let is_there = |name: &str| links.iter().any(|link| link.name == name);
        let mut names = self.config.interfaces.iter();
        names.any(|name| is_there(name) && !is_known(name))
    }

    pub(super) async fn condition(&self, name: &str) -> Result<Condition> {
        let link = links::find(&self.netlink, name).await?;
        Ok(Condition::of(link.as_ref(), self.kernel.program_id()?))
    }

    fn tell_interface(&mut self, name: &str, to: Condition, why: Option<anyhow::Error>) {
        // At first all is as it should be, or the daemon would not have started.
        let from = self.interfaces.told.insert(name.to_owned(), to);
        let Some(from) = from.filter(|&from| from != to) else {
            return;
        };
        let why = why.map(|why| format!(": {why:#}")).unwrap_or_default();
        let (from, to, forwards) = (from.name(), to.name(), to.forwards());
        let line = format!("interface {name}: {from} -> {to}{why}");
        match forwards {
            true => tracing::info!("{line}"),
            false => tracing::warn!("{line}"),
        }
        self.events.send(Event::now(What::Interface {
            name: name.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        }));
    }
}

impl Neighbours {
    /// Whether all interfaces of the configuration are there and up.
    pub(super) fn are_all_up(&self, names: &[String]) -> bool {
        let is_up = |name: &String| self.interfaces().any(|it| it.is_up && it.name == *name);
        names.iter().all(is_up)
    }
}
