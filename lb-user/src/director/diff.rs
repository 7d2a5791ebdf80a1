//! What another configuration would change: found by bringing it into a copy of the tables.

mod settings;

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use anyhow::Result;
use lb_common::{
    tables::{Layout, SlotValue},
    wire::MacAddr,
};

use super::engine::Engine;
use crate::{
    api::diff::{Diff, Kind, Moving, ServiceDiff},
    config::director::{Config, Real, Service},
    dataplane::director::Tables,
    install::{Installed, Wanted},
    service::ServiceName,
};

/// Of a real server whose neighbour nobody has asked for yet: that it answers is the likely case.
const ASSUMED: MacAddr = MacAddr {
    octets: [2, 0, 0, 0, 0, 0],
};

impl Engine {
    /// Returns what `config` would change.
    pub(super) fn diff(&mut self, config: &Config) -> Result<Diff> {
        self.sweep()?;
        let now = self.kernel.now()?;
        let tables = self.kernel.tables.copy()?;
        let mut planned = Installed::of(&tables);
        let mut services = Vec::new();
        for service in &config.services {
            let before = self.config.service(service.listen);
            if before == Some(service) {
                continue;
            }
            let wanted = self.assumed(service);
            planned.bring(&tables, &wanted, now, &mut Vec::new())?;
            let is_hashed = |it: &Service| it.scheduler.is_hashed();
            let slots = before.filter(|before| is_hashed(before) && is_hashed(service));
            let slots = slots.map(|before| {
                moving(
                    &rips(&self.installed, &self.kernel.tables, before.listen),
                    &rips(&planned, &tables, service.listen),
                )
            });
            services.push(self.changed_service(before, service, slots));
        }
        let gone = self.config.services.iter();
        let gone = gone.filter(|service| config.service(service.listen).is_none());
        services.extend(gone.map(|service| ServiceDiff {
            service: service.listen,
            change: Kind::Removed,
            settings: Vec::new(),
            reals: Vec::new(),
            slots: None,
            cut: self.flows(service, |_| true),
            cuts_untracked: !service.is_tracked(),
        }));
        Ok(Diff {
            director: settings::of_directors(&self.config, config),
            services,
        })
    }

    fn changed_service(
        &self,
        before: Option<&Service>,
        after: &Service,
        slots: Option<Moving>,
    ) -> ServiceDiff {
        let kept: HashSet<ServiceName> = after.destinations().collect();
        let loses = before.is_some_and(|it| it.destinations().any(|name| !kept.contains(&name)));
        let reals: HashSet<IpAddr> = after.reals.iter().map(|real| real.address).collect();
        let cut = before.map_or(0, |before| {
            // Of which destination a connection is, its record does not tell.
            let expels = |rip: IpAddr| after.policy.expire_nodest && !reals.contains(&rip);
            self.flows(before, |rip| loses || expels(rip))
        });
        let untracked = before.is_some_and(|before| !before.is_tracked());
        let is_removed = |real: &Real| !reals.contains(&real.address);
        let expels =
            before.is_some_and(|it| it.reals.iter().any(is_removed)) && after.policy.expire_nodest;
        ServiceDiff {
            service: after.listen,
            change: match before {
                Some(_) => Kind::Changed,
                None => Kind::Added,
            },
            settings: settings::of_services(before, after),
            reals: settings::of_reals(before.map_or(&[], |it| &it.reals), &after.reals),
            slots,
            cut,
            cuts_untracked: untracked && (loses || expels),
        }
    }

    /// What is wanted of a service, real servers that are new taken to be there.
    fn assumed(&self, service: &Service) -> Wanted {
        let mut wanted = self.conditions.wanted(&self.neighbours, service);
        for member in &mut wanted.members {
            let installed = self.installed.member(service.listen, member.address);
            if installed.is_none() {
                member.mac = member.mac.or(Some(ASSUMED));
            }
        }
        wanted
    }

    /// Counts the connections of a service that have records, of some of its real servers.
    fn flows(&self, service: &Service, is_meant: impl Fn(IpAddr) -> bool) -> u64 {
        let members = self.installed.members(service.listen);
        let meant = members.filter(|&(rip, _)| is_meant(rip));
        meant.map(|(_, id)| self.usage.of(id).all()).sum()
    }
}

/// Returns the RIPs that new connections go to, by slot.
fn rips(installed: &Installed, tables: &Tables, name: ServiceName) -> Vec<Option<IpAddr>> {
    let Some(owner) = installed.owner(name) else {
        return Vec::new();
    };
    let members = installed.members(name);
    let rips: HashMap<u32, IpAddr> = members.map(|(rip, id)| (id, rip)).collect();
    let layout = Layout::unpack(tables.services[usize::from(owner)].layout.load());
    let range = layout.first..layout.first + layout.slots;
    let slots = tables.slots.range(range).iter();
    let current = slots.map(|slot| SlotValue::unpack(slot.load()).current);
    current.map(|id| rips.get(&id).copied()).collect()
}

/// A larger table is the smaller one doubled: see `slot_of`.
fn moving(before: &[Option<IpAddr>], after: &[Option<IpAddr>]) -> Moving {
    let differs = |&(i, rip): &(usize, &Option<IpAddr>)| {
        let i = i * before.len() / after.len().max(1);
        before.get(i) != Some(rip)
    };
    Moving {
        moving: after.iter().enumerate().filter(differs).count() as u32,
        of: after.len() as u32,
    }
}
