//! What another configuration would change: found by bringing it into a copy of the tables.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    net::IpAddr,
};

use anyhow::Result;
use lb_common::{
    tables::{Layout, SlotValue},
    wire::MacAddr,
};

use super::engine::Engine;
use crate::{
    api::diff::{Diff, Kind, Moving, RealDiff, ServiceDiff, Setting},
    config::director::{Config, NoMember, Real, Service, VipMode},
    dataplane::director::Tables,
    install::{Installed, Wanted},
    scheduler::listed,
    service::ServiceName,
};

/// Of a real server whose neighbour nobody has asked for yet: that it answers is the likely case.
const ASSUMED: MacAddr = MacAddr {
    octets: [2, 0, 0, 0, 0, 0],
};

/// What is told of a key.
type Settings = BTreeMap<&'static str, String>;

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
            director: compared(&of_director(&self.config), &of_director(config)),
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
        let mut settings = compared(
            &before.map(of_service).unwrap_or_default(),
            &of_service(after),
        );
        // What is checked, and how, is more than can be said in a line.
        let is_other = before.is_some_and(|before| before.check != after.check);
        if is_other && settings.iter().all(|setting| setting.key != "check") {
            settings.push(Setting {
                key: "check".to_owned(),
                before: None,
                after: Some("with other keys".to_owned()),
            });
        }
        ServiceDiff {
            service: after.listen,
            change: match before {
                Some(_) => Kind::Changed,
                None => Kind::Added,
            },
            settings,
            reals: compared_reals(before.map_or(&[], |it| &it.reals), &after.reals),
            slots,
            cut,
            cuts_untracked: untracked && (loses || expels),
        }
    }

    /// What is wanted of a service, real servers that are new taken to be there.
    fn assumed(&self, service: &Service) -> Wanted {
        let mut wanted = self.conditions.wanted(&self.neighbours, service);
        let installed: HashMap<_, _> = self.installed.members(service.listen).collect();
        for member in &mut wanted.members {
            if !installed.contains_key(&member.address) {
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

fn compared(before: &Settings, after: &Settings) -> Vec<Setting> {
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let setting = |&&key: &&&'static str| Setting {
        key: key.to_owned(),
        before: before.get(key).cloned(),
        after: after.get(key).cloned(),
    };
    let settings = keys.iter().map(setting);
    settings.filter(|it| it.before != it.after).collect()
}

fn compared_reals(before: &[Real], after: &[Real]) -> Vec<RealDiff> {
    let by_address = |reals: &[Real]| -> HashMap<IpAddr, Settings> {
        let all = reals.iter();
        all.map(|real| (real.address, of_real(real))).collect()
    };
    let (old, new) = (by_address(before), by_address(after));
    let none = Settings::new();
    let gone = before.iter().filter(|it| !new.contains_key(&it.address));
    let diff = |real: &Real| {
        let sides = (old.get(&real.address), new.get(&real.address));
        let change = match sides {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            _ => Kind::Changed,
        };
        let settings = match change {
            Kind::Removed => Vec::new(),
            Kind::Added | Kind::Changed => {
                compared(sides.0.unwrap_or(&none), sides.1.unwrap_or(&none))
            }
        };
        let is_same = change == Kind::Changed && settings.is_empty();
        (!is_same).then_some(RealDiff {
            address: real.address,
            change,
            settings,
        })
    };
    after.iter().chain(gone).filter_map(diff).collect()
}

fn of_director(config: &Config) -> Settings {
    let [_, tcp, tcpfin, _, udp] = config.timeouts;
    let mut settings = Settings::from([
        ("timeouts.tcp", tcp.to_string()),
        ("timeouts.tcpfin", tcpfin.to_string()),
        ("timeouts.udp", udp.to_string()),
    ]);
    if config.vip == VipMode::External {
        settings.insert("vip", "external".to_owned());
    }
    settings
}

/// The keys that are not as by default.
fn of_service(service: &Service) -> Settings {
    let Service {
        also,
        scheduler,
        flags,
        policy,
        ..
    } = service;
    let mut settings = Settings::from([("scheduler", scheduler.to_string())]);
    let mut said = |key, value: Option<String>| {
        settings.extend(value.map(|value| (key, value)));
    };
    let also: Vec<String> = also.iter().map(ToString::to_string).collect();
    said("also", (!also.is_empty()).then(|| also.join(" ")));
    said(
        "flags",
        (!flags.is_empty()).then(|| listed(flags).to_string()),
    );
    let persistence = policy.persistence;
    said("persistence", persistence.map(|it| it.seconds.to_string()));
    said(
        "persistence_prefix",
        persistence.map(|it| it.prefix.to_string()),
    );
    for (key, on) in [
        ("one_packet", policy.one_packet),
        ("expire_quiescent", policy.expire_quiescent),
        ("expire_nodest", policy.expire_nodest),
    ] {
        said(key, on.then(|| "true".to_owned()));
    }
    said(
        "no_member",
        policy.drops.then(|| NoMember::Drop.name().to_owned()),
    );
    settings
}

fn of_real(real: &Real) -> Settings {
    let mut settings = Settings::from([("weight", real.weight.to_string())]);
    for (key, threshold) in [
        ("upper_threshold", real.thresholds.upper),
        ("lower_threshold", real.thresholds.lower),
    ] {
        if threshold != 0 {
            settings.insert(key, threshold.to_string());
        }
    }
    settings
}
