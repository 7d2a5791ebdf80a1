//! The states of real servers: found, told once when they change, and kept for the next daemon.

use std::{
    collections::BTreeMap,
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use lb_common::tables::Member;
use serde::{Deserialize, Serialize};

use super::{
    conditions::{Key, Told},
    engine::Engine,
};
use crate::{
    api::{
        State,
        events::{Event, What},
    },
    config::{director::Service, kept},
    health::agent::Said,
    service::ServiceName,
};

/// A real server's state, and why it has it.
type Found = (State, Option<String>);

impl Engine {
    /// Tells what has changed since it was last told.
    pub(super) fn tell(&mut self) {
        let mut found = BTreeMap::new();
        for service in &self.config.services {
            for address in service.addresses() {
                found.insert((service.listen, address), self.state_of(service, address));
            }
            for (address, id) in self.installed.members(service.listen) {
                if self.kernel.tables.members[id as usize].is(Member::REMOVED) {
                    found.insert((service.listen, address), self.draining(service, address));
                }
            }
        }
        let now = SystemTime::now();
        let mut before = std::mem::take(&mut self.conditions.told);
        let mut is_other = before.len() != found.len();
        for (key, (state, reason)) in found {
            let last = before.remove(&key);
            let since = match &last {
                Some(last) if last.state == state => last.since,
                _ => now,
            };
            let was = last.as_ref().map(|last| last.state);
            let said = last.as_ref().and_then(|last| last.agent.as_ref());
            is_other |= was != Some(state) || said != self.conditions.said(key);
            if let Some(was) = was.filter(|&was| was != state) {
                self.state_changed(key, (was, state), reason.as_deref());
            }
            let told = Told {
                state,
                since,
                reason,
                agent: self.conditions.said(key).cloned(),
            };
            self.conditions.told.insert(key, told);
        }
        if is_other && let Err(error) = keep(&self.states, &self.conditions.told, &self.path) {
            // They are for the eye alone.
            tracing::debug!("{error:#}");
        }
        self.tell_systemd();
    }

    fn state_changed(
        &mut self,
        (service, real): Key,
        (from, to): (State, State),
        why: Option<&str>,
    ) {
        *self.counts.state_changes.entry(to).or_default() += 1;
        let said = why.map(|why| format!(": {why}")).unwrap_or_default();
        let line = format!("{service} {real}: {from} -> {to}{said}");
        match to {
            State::Down | State::Unresolved => tracing::warn!("{line}"),
            State::Active | State::Warming | State::Standby => tracing::info!("{line}"),
            State::Quiesced | State::Overloaded | State::Draining => tracing::info!("{line}"),
        }
        self.events.send(Event::now(What::State {
            service,
            real,
            from,
            to,
            reason: why.map(str::to_owned),
        }));
    }

    /// Returns the state of a real server, or of the sorry server, of a service.
    pub(super) fn state_of(&self, service: &Service, address: IpAddr) -> Found {
        let name = service.listen;
        let is_sorry = self.conditions.is_sorry(service, &self.neighbours);
        let real = service.reals.iter().find(|real| real.address == address);
        let id = self.installed.member(name, address);
        if self.neighbours.mac(address).is_none() {
            return (State::Unresolved, Some(self.unanswered(address)));
        }
        let Some(real) = real else {
            let quorum = service.availability.quorum;
            return match is_sorry {
                true => (
                    State::Active,
                    Some(format!("sorry server, as the quorum of {quorum} is lost")),
                ),
                false => (State::Standby, Some("sorry server".to_owned())),
            };
        };
        let said = self.conditions.said((name, address));
        if let Some(why) = self.conditions.why_down((name, address)) {
            (State::Down, Some(why.into_owned()))
        } else if real.weight == 0 {
            (State::Quiesced, Some("weight 0".to_owned()))
        } else if let Some(said) = said.filter(|said| said.part_of(real.weight, 1) == 0) {
            (State::Quiesced, said.why_other_weight())
        } else if is_sorry {
            let quorum = service.availability.quorum;
            let why =
                format!("the quorum of {quorum} is lost; the sorry server takes new connections");
            (State::Standby, Some(why))
        } else if id.is_some_and(|id| self.installed.is_overloaded(name, id)) {
            let upper = real.thresholds.upper;
            let why = format!("its upper threshold is {upper} connections");
            (State::Overloaded, Some(why))
        } else if let Some((sixteenths, left)) = self.conditions.warmth(service, address) {
            let left = left.as_secs() + 1;
            let why = format!("{sixteenths}/16 of its weight, all of it in {left} s");
            (State::Warming, Some(why))
        } else {
            let last = self.last_check(service, (name, address));
            let failing = last.filter(|last| !last.is_good).map(|last| {
                let (in_a_row, needed) = (last.in_a_row, last.needed);
                format!("{in_a_row} of {needed} checks failed: {}", last.words)
            });
            (
                State::Active,
                failing.or(said.and_then(Said::why_other_weight)),
            )
        }
    }

    fn unanswered(&self, address: IpAddr) -> String {
        let asked = self.neighbours.on_link(address);
        let Some(interface) = asked else {
            return "no interface that is there has its subnet".to_owned();
        };
        let interface = &interface.name;
        if !self.neighbours.is_reachable(address) {
            return format!("{interface} is down");
        }
        let asked = match address {
            IpAddr::V4(_) => "ARP",
            IpAddr::V6(_) => "Neighbor Discovery",
        };
        format!("nobody answers {asked} for {address} on {interface}")
    }

    /// Returns the state of a real server that has been removed, and how long it keeps its connections.
    pub(super) fn draining(&self, service: &Service, address: IpAddr) -> Found {
        let id = self.installed.member(service.listen, address);
        let flows = id.map(|id| self.usage.of(id)).unwrap_or_default();
        let left = match service.is_tracked() {
            true => format!("{} connections left", flows.active + flows.inactive),
            false => "keeps the connections it has until the window ends".to_owned(),
        };
        let deadline = match self.drains((service.listen, address), service) {
            Some(left) if left.is_zero() => "; those are refused by now".to_owned(),
            Some(left) => format!(", {} s at most", left.as_secs() + 1),
            None => String::new(),
        };
        (State::Draining, Some(format!("removed; {left}{deadline}")))
    }

    /// Returns for how long a removed real server still keeps its connections, if not until they end.
    fn drains(&self, key: Key, service: &Service) -> Option<Duration> {
        let drain = Duration::from_secs(service.availability.drain.into());
        if drain.is_zero() {
            return None;
        }
        let told = self.conditions.told.get(&key);
        let since = told.filter(|told| told.state == State::Draining);
        let since = since.and_then(|told| told.since.elapsed().ok());
        Some(drain.saturating_sub(since.unwrap_or_default()))
    }

    /// Ends the connections of removed real servers whose time is over.
    pub(super) fn expel(&mut self) {
        let is_over = |&(name, address): &Key| {
            let service = self.config.service(name);
            let left = service.and_then(|service| self.drains((name, address), service));
            let id = self.installed.member(name, address);
            let member = id.map(|id| &self.kernel.tables.members[id as usize]);
            left.is_some_and(|left| left.is_zero())
                && member.is_some_and(|member| !member.is(Member::EXPELLED))
        };
        let told = self.conditions.told.iter();
        let draining = told.filter(|(_, told)| told.state == State::Draining);
        let over: Vec<Key> = draining.map(|(&key, _)| key).filter(is_over).collect();
        for &(name, address) in &over {
            self.installed.expel(&self.kernel.tables, name, address);
        }
        if !over.is_empty()
            && let Err(error) = self.bring(|service| over.iter().any(|it| it.0 == service.listen))
        {
            tracing::error!("{error:#}");
        }
    }
}

/// What was told, in a file.
#[derive(Serialize, Deserialize)]
struct Line {
    service: ServiceName,
    real: IpAddr,
    #[serde(flatten)]
    told: Told,
}

/// Where it is: beside the socket, and gone with a reboot as that is.
pub(super) fn path(socket: &Path) -> PathBuf {
    socket.with_extension("states")
}

fn keep(path: &Path, told: &BTreeMap<Key, Told>, like: &Path) -> anyhow::Result<()> {
    let lines = told.iter().map(|(&(service, real), told)| Line {
        service,
        real,
        told: told.clone(),
    });
    let text = serde_json::to_string(&lines.collect::<Vec<_>>())?;
    kept::replace(path, &text, like)?;
    Ok(())
}

/// Returns what an earlier daemon has told; nothing if it cannot be read.
pub(super) fn kept(path: &Path) -> BTreeMap<Key, Told> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<Line> = serde_json::from_str(&text).unwrap_or_default();
    let told = lines
        .into_iter()
        .map(|line| ((line.service, line.real), line.told));
    told.collect()
}
