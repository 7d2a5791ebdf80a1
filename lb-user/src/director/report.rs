//! What the daemon tells of itself.

use std::{
    collections::{BTreeMap, HashMap},
    time::SystemTime,
};

use anyhow::Result;
use lb_common::{
    reason::{Fate, Reason},
    tables::Member,
};

use super::engine::Engine;
use crate::{
    api::{
        InterfaceReport, PolicyReport, RealReport, ReasonReport, ServiceReport, Status, Timeouts,
        Used,
    },
    config::director::{Real, Service, VipMode},
    install::Thresholds,
};

/// Lists the services in the order of the file; `all` with real servers that only drain.
pub(super) fn list(engine: &mut Engine, all: bool) -> Result<Vec<ServiceReport>> {
    engine.sweep()?;
    services(engine, all)
}

/// As the last sweep has found them.
pub(super) fn services(engine: &Engine, all: bool) -> Result<Vec<ServiceReport>> {
    let report = |service: &Service| {
        let mut reals = Vec::new();
        let slots = engine
            .installed
            .slots(&engine.kernel.tables, service.listen);
        let shares = &slots.of_members;
        for real in &service.reals {
            reals.push(real_report(engine, service, (*real, false), shares)?);
        }
        if let Some(address) = service.availability.sorry {
            let real = Real {
                address,
                weight: engine
                    .conditions
                    .is_sorry(service, &engine.neighbours)
                    .into(),
                thresholds: Thresholds::default(),
            };
            reals.push(real_report(engine, service, (real, false), shares)?);
        }
        for (address, id) in engine.installed.members(service.listen) {
            if all && engine.kernel.tables.members[id as usize].is(Member::REMOVED) {
                let real = Real {
                    address,
                    weight: 0,
                    thresholds: Thresholds::default(),
                };
                reals.push(real_report(engine, service, (real, true), shares)?);
            }
        }
        Ok(ServiceReport {
            service: service.listen,
            listen: service.destinations().collect(),
            scheduler: service.scheduler,
            flags: service.flags.clone(),
            policy: PolicyReport::of(&service.policy),
            quorum: service.availability.quorum,
            has_quorum: engine.conditions.has_quorum(service.listen),
            slots: slots.all,
            slots_moving: slots.moving,
            slots_exceptions: slots.exceptions,
            reals,
        })
    };
    engine.config.services.iter().map(report).collect()
}

fn real_report(
    engine: &Engine,
    service: &Service,
    (real, removed): (Real, bool),
    slots: &HashMap<u32, u32>,
) -> Result<RealReport> {
    let Real {
        address, weight, ..
    } = real;
    let id = engine.installed.member(service.listen, address);
    let counters = match id {
        Some(id) => engine.zeroed.since(id, engine.kernel.counters(id)?),
        None => lb_common::tables::Counters::default(),
    };
    let is_tracked = service.is_tracked();
    let flows = id.map(|id| engine.usage.of(id)).unwrap_or_default();
    let mac = engine.neighbours.mac(address);
    let (state, reason) = match removed {
        true => engine.draining(service, address),
        false => engine.state_of(service, address),
    };
    let told = engine.conditions.told.get(&(service.listen, address));
    let told = told.filter(|told| told.state == state);
    let since = told.map_or_else(SystemTime::now, |told| told.since);
    Ok(RealReport {
        address,
        weight,
        state,
        since: humantime::format_rfc3339_seconds(since).to_string(),
        reason,
        check: engine.last_check(service, (service.listen, address)),
        agent: engine.agent_of(service, (service.listen, address)),
        is_sorry: service.availability.sorry == Some(address) && !removed,
        mac: mac.map(|mac| mac.to_string()),
        upper_threshold: real.thresholds.upper,
        lower_threshold: real.thresholds.lower,
        persistent: flows.persistent,
        slots: id
            .and_then(|id| slots.get(&id).copied())
            .unwrap_or_default(),
        active: is_tracked.then_some(flows.active),
        inactive: is_tracked.then_some(flows.inactive),
        unanswered: engine.unanswered_by((service.listen, address), service),
        connections: counters.flows,
        packets: counters.packets,
        bytes: counters.bytes,
    })
}

pub(super) async fn status(engine: &Engine) -> Result<Status> {
    let tables = &engine.kernel.tables;
    let members = engine
        .config
        .services
        .iter()
        .map(|service| engine.installed.members(service.listen).count());
    let mut interfaces = Vec::new();
    for name in &engine.config.interfaces {
        let mut there = engine.neighbours.interfaces();
        let interface = there.find(|it| it.name == *name);
        let subnets = interface.iter().flat_map(|it| &it.subnets);
        interfaces.push(InterfaceReport {
            name: name.clone(),
            xdp: engine.condition(name).await?.name().to_owned(),
            mac: interface.map(|it| it.mac.to_string()),
            addresses: subnets.map(|subnet| subnet.net.to_string()).collect(),
        });
    }
    let (leaks, leaks_more) = engine.leaks();
    let used = |used: usize, most: usize| Used {
        used: used as u64,
        most: most as u64,
    };
    Ok(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        config: engine.path.display().to_string(),
        pins: engine.pins.display().to_string(),
        vip: match engine.config.vip {
            VipMode::Own => "own",
            VipMode::External => "external",
        }
        .to_owned(),
        interfaces,
        services: used(
            engine.installed.destinations().count(),
            tables.services.len() - 1,
        ),
        members: used(members.sum(), tables.members.len() - 1),
        flows: used(
            engine.usage.flows as usize,
            tables.flows.len() * lb_common::tables::WAYS,
        ),
        flow_octets: tables.flow_octets() as u64,
        memory: tables.octets(),
        fwmarks: engine.config.fwmarks.clone(),
        unconfirmed: engine.unconfirmed_left().map(|left| left.as_secs()),
        leaks,
        leaks_more,
        reasons: reasons(engine)?,
    })
}

pub(super) fn timeouts(engine: &Engine) -> Timeouts {
    let [_, tcp, tcpfin, _, udp] = engine.config.timeouts;
    Timeouts { tcp, tcpfin, udp }
}

fn reasons(engine: &Engine) -> Result<BTreeMap<String, ReasonReport>> {
    let counts = engine.kernel.reasons()?;
    let report = |reason: Reason| {
        let fate = match reason.fate() {
            Fate::Pass => "pass",
            Fate::Drop => "drop",
        };
        let report = ReasonReport {
            packets: counts[reason as usize],
            fate: fate.to_owned(),
        };
        (reason.name().to_owned(), report)
    };
    Ok(Reason::ALL.into_iter().map(report).collect())
}
