//! What counters are told from since `ipvsadm -Z`. The program alone writes them, and adds: what they were then is
//! remembered, and kept for the next daemon.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use lb_common::tables::Counters;

use super::engine::Engine;
use crate::{
    config::{
        director::{Service, no_service},
        kept,
    },
    dataplane::director::Director,
    service::ServiceName,
};

#[derive(Debug)]
pub(super) struct Zeroed {
    /// By member.
    counters: HashMap<u32, Counters>,
    /// Beside the socket, and gone with a reboot as that is.
    path: PathBuf,
}

impl Zeroed {
    /// Takes up what an earlier daemon has kept, if it is of the counters that there are.
    pub(super) fn kept(socket: &Path, kernel: &Director) -> Self {
        let path = socket.with_extension("zeroed");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let kept: HashMap<u32, [u64; 3]> = serde_json::from_str(&text).unwrap_or_default();
        let is_of = |member: &u32, then: &Counters| {
            let now = kernel.counters(*member).unwrap_or_default();
            now.packets >= then.packets && now.bytes >= then.bytes && now.flows >= then.flows
        };
        let counters = kept.into_iter().map(|(member, [packets, bytes, flows])| {
            let then = Counters {
                packets,
                bytes,
                flows,
            };
            (member, then)
        });
        Self {
            counters: counters
                .filter(|(member, then)| is_of(member, then))
                .collect(),
            path,
        }
    }

    /// Returns what a member has been counted since.
    pub(super) fn since(&self, member: u32, now: Counters) -> Counters {
        let then = self.counters.get(&member).copied().unwrap_or_default();
        Counters {
            packets: now.packets.saturating_sub(then.packets),
            bytes: now.bytes.saturating_sub(then.bytes),
            flows: now.flows.saturating_sub(then.flows),
        }
    }

    /// Forgets a member that is another's now, or none's.
    pub(super) fn forget(&mut self, member: u32) {
        self.counters.remove(&member);
    }

    fn keep(&self, like: &Path) -> Result<()> {
        let kept = self.counters.iter();
        let kept = kept.map(|(member, it)| (member, [it.packets, it.bytes, it.flows]));
        let text = serde_json::to_string(&kept.collect::<HashMap<_, _>>())?;
        kept::replace(&self.path, &text, like)?;
        Ok(())
    }
}

impl Engine {
    /// Has the counters of one service's real servers, or of all, begin at zero.
    pub(super) fn zero(&mut self, service: Option<ServiceName>) -> Result<()> {
        if let Some(name) = service {
            let there = self.config.service(name);
            there.with_context(|| no_service(name, self.config.holder(name)))?;
        }
        let names = self.config.services.iter().map(|it: &Service| it.listen);
        let names = names.filter(|&name| service.is_none_or(|it| it == name));
        let names: Vec<ServiceName> = names.collect();
        for name in names {
            for (_, member) in self.installed.members(name) {
                let counters = self.kernel.counters(member)?;
                self.zeroed.counters.insert(member, counters);
            }
            self.counts.totals.forget(name);
        }
        self.counts.totals.keep(&self.path)?;
        self.zeroed.keep(&self.path)
    }
}
