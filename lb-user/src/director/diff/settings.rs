//! The keys of two configurations, compared as an operator wrote them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use lb_common::tables::FlowSet;

use crate::{
    api::diff::{Kind, RealDiff, Setting},
    config::director::{Config, NoMember, Real, Service, VipMode},
    dataplane::director::Limits,
    health::{agent::Agent, passive::Passive},
    scheduler::listed,
    service::ServiceName,
};

/// What is told of a key.
type Settings = BTreeMap<&'static str, String>;

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

pub(super) fn of_directors(before: &Config, after: &Config) -> Vec<Setting> {
    compared(&of_director(before), &of_director(after))
}

pub(super) fn of_services(before: Option<&Service>, after: &Service) -> Vec<Setting> {
    let old = before.map(of_service).unwrap_or_default();
    let mut settings = compared(&old, &of_service(after));
    // What is checked, and how, is more than can be said in a line.
    let is_other = before.is_some_and(|before| before.check != after.check);
    if is_other && settings.iter().all(|setting| setting.key != "check") {
        settings.push(Setting {
            key: "check".to_owned(),
            before: None,
            after: Some("with other keys".to_owned()),
        });
    }
    settings
}

pub(super) fn of_reals(before: &[Real], after: &[Real]) -> Vec<RealDiff> {
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
    if let Some(http) = config.http {
        settings.insert("http", http.to_string());
    }
    let Limits {
        services,
        members,
        flow_sets,
        lists_flows,
        ..
    } = config.limits;
    let memory = (flow_sets * size_of::<FlowSet>()) >> 20;
    let marks = config.fwmarks.iter();
    let marks: Vec<String> = marks
        .map(|(mark, all)| format!("{mark}: {}", named(all)))
        .collect();
    if !marks.is_empty() {
        settings.insert("fwmarks", marks.join(", "));
    }
    settings.extend([
        // Id 0 is none.
        ("services_max", (services - 1).to_string()),
        ("members_max", (members - 1).to_string()),
        ("flow_memory", format!("{memory}MiB")),
        ("flow_listing", lists_flows.to_string()),
        ("leak_check", config.leak_check.to_string()),
    ]);
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
    said("also", (!also.is_empty()).then(|| named(also)));
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
    let passive = |of: fn(&Passive) -> u32| service.passive.as_ref().map(|it| of(it).to_string());
    let agent = |of: fn(&Agent) -> String| service.agent.as_ref().map(of);
    said("agent.port", agent(|it| it.port.to_string()));
    said(
        "agent.interval",
        agent(|it| it.interval.as_secs_f64().to_string()),
    );
    said(
        "agent.timeout",
        agent(|it| it.timeout.as_secs_f64().to_string()),
    );
    said("agent.send", agent(|it| format!("{:?}", it.send)));
    said("passive.percent", passive(|it| it.percent));
    said("passive.attempts", passive(|it| it.attempts));
    said("passive.window", passive(|it| it.window));
    said("passive.hold", passive(|it| it.hold));
    settings
}

fn named(all: &[ServiceName]) -> String {
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    names.join(" ")
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
