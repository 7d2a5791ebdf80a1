//! Parts of the daemon, on tables that no program has.

use std::time::Instant;

use anyhow::{Result, ensure};
use lb_common::{
    tables::{
        FLOW_SETS_DEFAULT, MEMBERS_MAX, Record, SERVICES_MAX, Settings, State, Timeouts, WAYS,
    },
    wire::{MacAddr, VlanId},
};
use lb_user::{
    dataplane::director::{Limits, Tables},
    install::{Installed, Policy, Standing, Thresholds, Wanted, WantedMember},
    scheduler::Scheduler,
    service::ServiceName,
};

use crate::{
    report::Report,
    site::{self, MEMBERS, REALS, SERVICES},
};

const NOW: u32 = 1000;
const FLOWS: usize = FLOW_SETS_DEFAULT * WAYS;

pub(crate) fn measure(report: &mut Report, rounds: usize) -> Result<()> {
    let tables = Tables::anonymous(Limits {
        services: SERVICES_MAX,
        members: MEMBERS_MAX,
        ..Limits::default()
    })?;
    tables
        .settings
        .write(0, Settings::new(Timeouts::IPVS, [5, 7]));
    let mut installed = Installed::of(&tables);
    let mut bring = |wanted: &Wanted| -> Result<f64> {
        let begun = Instant::now();
        installed.bring(&tables, wanted, NOW, &mut Vec::new())?;
        Ok(begun.elapsed().as_secs_f64() * 1e3)
    };
    for i in 0..SERVICES {
        let first = i * MEMBERS % REALS;
        bring(&wanted(
            site::name(i),
            Scheduler::Wrr,
            first..first + MEMBERS,
        ))?;
    }
    for (i, scheduler) in [(0, Scheduler::Wrr), (1, Scheduler::Mh)] {
        let mut wanted = wanted(site::large(i), scheduler, 0..REALS);
        bring(&wanted)?;
        let mut times = Vec::new();
        for round in 0..rounds {
            wanted.members[7].weight = 2 + round as u32 % 2;
            times.push(bring(&wanted)?);
        }
        report.times(&format!("weight_{scheduler}_planned"), times);
    }
    fill(&tables);
    let mut times = Vec::new();
    for _ in 0..rounds {
        let begun = Instant::now();
        let found = installed.sweep(&tables, NOW).flows;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        ensure!(found == FLOWS as u64, "{found} of {FLOWS} flows are found");
    }
    report.times("sweep", times);
    Ok(())
}

fn wanted(name: ServiceName, scheduler: Scheduler, reals: std::ops::Range<u32>) -> Wanted {
    let member = |real| {
        let address = site::real(real);
        let [a, b, c, d] = address.octets();
        WantedMember {
            address: address.into(),
            weight: 1,
            thresholds: Thresholds::default(),
            standing: Standing::Up,
            interface: 1,
            vlan: VlanId::NONE,
            mac: Some(MacAddr {
                octets: [2, 0, a, b, c, d],
            }),
        }
    };
    Wanted {
        name,
        also: Vec::new(),
        scheduler,
        flags: Vec::new(),
        policy: Policy::default(),
        members: reals.map(member).collect(),
    }
}

/// Makes a record of a flow in every place, of members in no order.
fn fill(tables: &Tables) {
    let members: Vec<u32> = (0..)
        .zip(tables.members.iter())
        .filter(|(_, member)| member.link().is_some())
        .map(|(id, _)| id)
        .collect();
    let mut hash = 1_u64;
    for set in tables.flows.iter() {
        for (fingerprint, record) in set.fingerprints.iter().zip(&set.records) {
            hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            hash ^= hash >> 29;
            let member = members[(hash >> 32) as usize % members.len()];
            fingerprint.store(hash.max(1));
            record.store(Record::new(hash.max(1), member, NOW, State::Established).pack());
        }
    }
}
