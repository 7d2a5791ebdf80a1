//! The daemon's metrics, made of its reports when they are asked for. Their names follow Prometheus's practice, and what
//! each is stands in its `HELP`.

mod daemon;
mod families;
mod members;
mod process;
mod services;

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lb_common::tables::Counters;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, prometheus_text, text},
    registry::Registry,
};

use self::families::Families;
use crate::api::{ServiceReport, State, Status, Used};

/// Members that are told of one by one, in the order of the file: as many as there can be by default. Each has about
/// 1.4 kB, with a check 1.7 kB.
pub const MEMBERS_MAX: usize = 16384;

/// The daemon at one moment.
#[derive(Debug)]
pub struct Snapshot {
    pub status: Status,
    /// Real servers that drain included.
    /// With them what a service's members were counted, those included that are gone.
    pub services: Vec<(ServiceReport, Counters)>,
    pub figures: Figures,
}

/// What no report has of the daemon.
#[derive(Clone, Debug)]
pub struct Figures {
    pub started: SystemTime,
    /// Whether the last reload was good, and since when the configuration is in force.
    pub reloaded: bool,
    pub in_force: SystemTime,
    /// How often a real server of a service came into each of [`State::ALL`].
    pub state_changes: [u64; State::ALL.len()],
    /// That the last sweep over the flow records took.
    pub sweep: Duration,
    pub slots: Used,
    /// Real servers, and those of them whose MAC is known.
    pub neighbours: Used,
}

/// How metrics are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus's text format, version 0.0.4.
    Text,
    OpenMetrics,
}

impl Format {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Writes all metrics down.
pub fn written(snapshot: Snapshot, format: Format) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    let started = snapshot.figures.started;
    registry.register_collector(Box::new(process::Process::read(started)));
    let ours = registry.sub_registry_with_prefix("drover");
    ours.register_collector(Box::new(snapshot));
    let mut text = String::new();
    match format {
        Format::Text => prometheus_text::encode(&mut text, &registry)?,
        Format::OpenMetrics => text::encode(&mut text, &registry)?,
    }
    Ok(text)
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let families = &mut Families(encoder);
        daemon::encode(families, self)?;
        services::encode(families, &self.services)?;
        members::encode(families, &self.services)
    }
}

/// Seconds since the epoch.
fn timestamp(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64()
}
