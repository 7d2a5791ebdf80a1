//! What is wanted, brought into the kernel: the program on its interfaces, services, VIPs.

use std::{collections::HashSet, net::IpAddr};

use anyhow::{Result, ensure};
use lb_common::tables::Interface as InterfaceRecord;

use super::{engine::Engine, vips};
use crate::{
    api::events::{Event, Events, What},
    config::director::{Service, VipMode},
    dataplane::director::{Copied, Director, Limits},
    install::Installed,
};

impl Engine {
    pub(super) async fn bring_all(&mut self) -> Result<()> {
        self.neighbours.watch(&self.config);
        self.neighbours.look_up(&self.netlink).await?;
        self.kernel
            .tables
            .settings()
            .timeouts
            .set(self.config.timeouts);
        // While the services' records still say which VIPs are ours.
        self.withdraw_vips().await?;
        self.see_unchecked();
        self.bring(|_| true)?;
        self.remove_others()?;
        self.own_vips().await?;
        self.check_all().await?;
        self.ask_agents();
        self.look_out().await
    }

    pub(super) fn attach(&mut self) -> Result<()> {
        for interface in self.neighbours.interfaces() {
            let element = InterfaceRecord::element(interface.index);
            let record = &self.kernel.tables.interfaces[element];
            let taken = record.index() != 0 && record.index() != interface.index;
            let is_ours = self
                .neighbours
                .interfaces()
                .any(|other| other.index == record.index());
            ensure!(
                !(taken && is_ours),
                "interfaces {} and {} have the same index modulo 256; make one of them anew",
                record.index(),
                interface.index
            );
            let record = InterfaceRecord::new(interface.index, interface.mac);
            self.kernel.tables.interfaces.write(element, record);
        }
        for interface in self.neighbours.interfaces() {
            self.kernel.attach(&interface.name, self.config.xdp)?;
        }
        for name in Director::attached(&self.pins)? {
            if !self.config.interfaces.contains(&name) {
                Director::detach(&self.pins, &name)?;
            }
        }
        Ok(())
    }

    /// Makes tables of other sizes, with all that is in those there are, which packets use meanwhile.
    pub(super) fn resize(&mut self, limits: Limits) -> Result<()> {
        if self.kernel.limits == limits {
            return Ok(());
        }
        let exchanged = self.exchange_tables(limits);
        self.kernel.thaw();
        // What was frozen is brought to what is wanted.
        self.installed = Installed::of(&self.kernel.tables);
        let brought = self.bring(|_| true);
        let copied = exchanged?;
        tracing::info!("the tables have other sizes now: {copied}");
        brought
    }

    fn exchange_tables(&mut self, limits: Limits) -> Result<Copied> {
        let (new, copied) = Director::successor(&self.pins, limits, &self.kernel.tables)?;
        let old = std::mem::replace(&mut self.kernel, new);
        if let Err(error) = self.attach().and_then(|()| self.kernel.finish()) {
            self.kernel = old;
            Director::retract(&self.pins)?;
            self.attach()?;
            return Err(error);
        }
        Ok(copied)
    }

    /// Brings services to what is wanted of them: those of which something may be different.
    pub(super) fn bring(&mut self, is_other: impl Fn(&Service) -> bool) -> Result<()> {
        if self.installed.is_to_be_swept() {
            self.sweep()?;
        }
        let now = self.kernel.now()?;
        let mut fresh = Vec::new();
        let mut others = self.config.services.iter().filter(|it| is_other(it));
        let brought = others.try_for_each(|service| {
            if let Some(is_there) = self.conditions.look(service, &self.neighbours) {
                tell_quorum(&self.events, service, is_there);
            }
            let wanted = self.conditions.wanted(&self.neighbours, service);
            let tables = &self.kernel.tables;
            self.installed.bring(tables, &wanted, now, &mut fresh)
        });
        // Also of those before the one that could not be brought.
        for member in fresh {
            self.kernel.reset_counters(member)?;
            self.zeroed.forget(member);
        }
        brought
    }

    fn remove_others(&mut self) -> Result<()> {
        let now = self.kernel.now()?;
        let services = self.config.services.iter();
        let names: HashSet<_> = services.flat_map(Service::destinations).collect();
        let installed = self.installed.destinations();
        let others: Vec<_> = installed.filter(|name| !names.contains(name)).collect();
        for name in others {
            self.installed.remove(&self.kernel.tables, name, now);
        }
        self.conditions.forget(&self.config.services);
        Ok(())
    }

    async fn own_vips(&self) -> Result<()> {
        // Which has a VIP's subnet is not known while one is not there, or has lost its addresses.
        let fallback = match self.neighbours.are_all_up(&self.config.interfaces) {
            true => self.neighbours.interfaces().next(),
            false => None,
        };
        let ids = self.installed.destinations().filter_map(|name| {
            let id = self.installed.service(name)?;
            Some((name, id))
        });
        let (tables, neighbours) = (&self.kernel.tables, &self.neighbours);
        vips::own(
            &self.netlink,
            (neighbours, fallback),
            tables,
            &ids.collect(),
            &self.vips(),
        )
        .await
    }

    /// Tells the LAN of the daemon's VIPs on interfaces that have just come.
    pub(super) async fn announce_vips(&self, indices: &HashSet<u32>) -> Result<()> {
        if indices.is_empty() {
            return Ok(());
        }
        let ours = self.vips();
        let mut placed = Vec::new();
        for (index, vip) in vips::everywhere(&self.netlink).await? {
            let mut interfaces = self.neighbours.interfaces();
            let interface = interfaces.find(|it| it.index == index && indices.contains(&index));
            placed.extend(
                interface
                    .filter(|_| ours.contains(&vip))
                    .map(|it| (it, vip)),
            );
        }
        vips::announce(&placed);
        Ok(())
    }

    async fn withdraw_vips(&self) -> Result<()> {
        vips::withdraw(&self.netlink, &self.kernel.tables.services, &self.vips()).await
    }

    /// The VIPs that the daemon is to have put on the director.
    fn vips(&self) -> HashSet<IpAddr> {
        match self.config.vip {
            VipMode::Own => self
                .config
                .services
                .iter()
                .flat_map(Service::destinations)
                .map(|it| it.vip)
                .collect(),
            VipMode::External => HashSet::new(),
        }
    }
}

fn tell_quorum(events: &Events, service: &Service, is_there: bool) {
    let Service {
        listen,
        availability,
        ..
    } = service;
    let quorum = availability.quorum;
    match is_there {
        true => tracing::info!("{listen}: the quorum of {quorum} is there again"),
        false => tracing::warn!("{listen}: the quorum of {quorum} is lost"),
    }
    events.send(Event::now(What::Quorum {
        service: *listen,
        quorum,
        is_there,
    }));
}
