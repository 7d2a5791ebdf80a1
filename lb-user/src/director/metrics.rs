//! What the metrics are made of.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use lb_common::tables::Counters;

use super::{engine::Engine, report, totals::Totals};
use crate::{
    api::{ServiceReport, State, Used},
    dataplane::director::total,
    metrics::{Figures, Snapshot},
};

/// What is counted for the metrics alone.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) started: SystemTime,
    pub(super) reloaded: bool,
    pub(super) in_force: SystemTime,
    pub(super) state_changes: HashMap<State, u64>,
    pub(super) sweep: Duration,
    pub(super) totals: Totals,
}

impl Counts {
    pub(super) fn new(totals: Totals) -> Self {
        let now = SystemTime::now();
        Self {
            started: now,
            reloaded: true,
            in_force: now,
            state_changes: HashMap::new(),
            sweep: Duration::ZERO,
            totals,
        }
    }
}

/// As a listing, but of the last sweep: it costs the engine no more than reading the counters.
pub(super) async fn snapshot(engine: &Engine) -> Result<Snapshot> {
    let status = report::status(engine).await?;
    let services = report::services(engine, true)?;
    let services = services.into_iter().map(|it| {
        let counted = counted(engine, &it);
        (it, counted)
    });
    Ok(Snapshot {
        services: services.collect(),
        status,
        figures: figures(engine),
    })
}

fn counted(engine: &Engine, service: &ServiceReport) -> Counters {
    let of_members = service.reals.iter().map(|real| Counters {
        packets: real.packets,
        bytes: real.bytes,
        flows: real.connections,
    });
    let gone = engine.counts.totals.of(service.service);
    total(of_members.chain([gone]))
}

fn figures(engine: &Engine) -> Figures {
    let slots = engine.kernel.tables.slots.len() as u64;
    let spare = u64::from(engine.installed.spare().slots);
    let changes = &engine.counts.state_changes;
    Figures {
        started: engine.counts.started,
        reloaded: engine.counts.reloaded,
        in_force: engine.counts.in_force,
        state_changes: State::ALL.map(|it| changes.get(&it).copied().unwrap_or_default()),
        sweep: engine.counts.sweep,
        slots: Used {
            used: slots - spare,
            most: slots,
        },
        neighbours: engine.neighbours.resolved(),
    }
}
