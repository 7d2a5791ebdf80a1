//! What members were counted that are gone: a service's totals do not fall with them, but to zero by `ipvsadm -Z`. Kept for the next daemon, as the counters of
//! those that are there are.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use lb_common::tables::Counters;

use super::engine::Engine;
use crate::{config::kept, dataplane::director::total, install::Installed, service::ServiceName};

#[derive(Debug)]
pub(super) struct Totals {
    path: PathBuf,
    gone: HashMap<ServiceName, Counters>,
}

/// Packets, octets and flows of a service, in the file.
type Line = (ServiceName, [u64; 3]);

impl Totals {
    /// What an earlier daemon has kept of services that are there: beside the socket, and gone with a
    /// reboot as the counters are.
    pub(super) fn kept(socket: &Path, installed: &Installed) -> Self {
        let path = socket.with_extension("totals");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<Line> = serde_json::from_str(&text).unwrap_or_default();
        let is_there = |name: &ServiceName| installed.service(*name).is_some();
        let gone = lines.into_iter().filter(|(name, _)| is_there(name));
        let gone = gone.map(|(name, [packets, bytes, flows])| {
            let counters = Counters {
                packets,
                bytes,
                flows,
            };
            (name, counters)
        });
        Self {
            path,
            gone: gone.collect(),
        }
    }

    pub(super) fn of(&self, name: ServiceName) -> Counters {
        self.gone.get(&name).copied().unwrap_or_default()
    }

    /// Forgets a service's, as its counters begin anew.
    pub(super) fn forget(&mut self, name: ServiceName) {
        self.gone.remove(&name);
    }

    fn add(&mut self, name: ServiceName, counters: Counters) {
        let gone = self.gone.entry(name).or_default();
        *gone = total([*gone, counters]);
    }

    pub(super) fn keep(&self, like: &Path) -> Result<()> {
        let lines = self
            .gone
            .iter()
            .map(|(&name, it)| -> Line { (name, [it.packets, it.bytes, it.flows]) });
        let text = serde_json::to_string(&lines.collect::<Vec<_>>())?;
        kept::replace(&self.path, &text, like)?;
        Ok(())
    }
}

impl Engine {
    /// Notes what the members were counted that the last sweep has let go, before their ids are used again.
    pub(super) fn note_gone(&mut self) -> Result<()> {
        let gone = std::mem::take(&mut self.usage.gone);
        if gone.is_empty() {
            return Ok(());
        }
        for (name, id) in gone {
            let counters = self.zeroed.since(id, self.kernel.counters(id)?);
            self.counts.totals.add(name, counters);
        }
        self.counts
            .totals
            .gone
            .retain(|name, _| self.installed.service(*name).is_some());
        if let Err(error) = self.counts.totals.keep(&self.path) {
            // The totals of the next daemon begin lower.
            tracing::debug!("{error:#}");
        }
        Ok(())
    }
}
