//! The kernel's side, the host's, and their comparison.

use std::{collections::BTreeMap, fmt};

use aya::{TestRunOptions, programs::TestRun as _};
use lb_common::{
    director::{Forward, forward},
    reason::{Fate, Reason},
    tables::{Counters, FlowSet},
};
use lb_user::dataplane::director::{At, Buffer, Director, Tables};

use crate::{
    XDP_DROP, XDP_PASS, XDP_REDIRECT, XDP_TX,
    site::{INGRESS, director},
};

pub(super) struct Sides {
    pub(super) kernel: Director,
    host: Tables,
    counted: BTreeMap<u32, Counters>,
    reasons: BTreeMap<usize, u64>,
    pub(super) counts: Counts,
}

/// What became of the packets.
#[derive(Debug, Default)]
pub(super) struct Counts {
    packets: u64,
    forwarded: u64,
    /// Of reasons, how many there were.
    refused: BTreeMap<&'static str, u64>,
    /// In the midst of which a second ended, so that the sides may differ.
    uncompared: u64,
}

impl Sides {
    pub(super) fn new() -> Self {
        let kernel = director();
        let host = Tables::anonymous(kernel.limits).unwrap();
        let mut sides = Self {
            kernel,
            host,
            counted: BTreeMap::new(),
            reasons: BTreeMap::new(),
            counts: Counts::default(),
        };
        sides.level();
        sides
    }

    /// Has the host's tables be as the kernel's are.
    pub(super) fn level(&mut self) {
        self.host.take_site(&self.kernel.tables);
        for (to, from) in self.host.flows.iter().zip(self.kernel.tables.flows.iter()) {
            for (to, from) in words(to).zip(words(from)) {
                to.store(from.load());
            }
        }
        self.counted.clear();
        for member in 0..self.kernel.limits.members as u32 {
            let counted = self.kernel.counters(member).unwrap();
            self.counted.insert(member, counted);
        }
        self.reasons = self.reasons_in_kernel();
    }

    /// Runs packets on both sides, and compares what comes of each, and the tables behind them.
    pub(super) fn run(&mut self, packets: &[Vec<u8>]) {
        let now = self.kernel.now().unwrap();
        let mut differing = None;
        for packet in packets {
            let (kernels, hosts) = (self.in_kernel(packet), self.on_host(packet, now));
            if kernels != hosts && differing.is_none() {
                differing = Some((packet, kernels, hosts));
            }
        }
        let is_one_second = self.kernel.now().unwrap() == now;
        self.counts.packets += packets.len() as u64;
        if !is_one_second {
            self.counts.uncompared += packets.len() as u64;
            self.level();
            return;
        }
        if let Some((packet, kernels, hosts)) = differing {
            panic!(
                "{}\nkernel {}\nhost   {}",
                hex(packet),
                told(&kernels),
                told(&hosts)
            );
        }
        self.compare_tables();
    }

    fn compare_tables(&self) {
        let kernel = &self.kernel.tables;
        for (i, (ours, theirs)) in self.host.flows.iter().zip(kernel.flows.iter()).enumerate() {
            let [ours, theirs] = [ours, theirs].map(|set| words(set).map(|it| it.load()));
            assert!(ours.eq(theirs), "set {i} of flows differs");
        }
        let services = self.host.services.iter().zip(kernel.services.iter());
        for (i, (ours, theirs)) in services.enumerate() {
            let turns = [ours, theirs].map(|service| service.cursor.load());
            assert_eq!(turns[0], turns[1], "the turns of service {i}");
        }
    }

    /// Compares what was counted: fifty calls of the kernel, so not after each batch.
    pub(super) fn compare_counts(&self) {
        for (&member, counted) in &self.counted {
            let kernels = self.kernel.counters(member).unwrap();
            let told = |it: &Counters| (it.packets, it.bytes, it.flows);
            assert_eq!(
                told(counted),
                told(&kernels),
                "what member {member} was counted"
            );
        }
        assert_eq!(self.reasons, self.reasons_in_kernel());
    }

    fn in_kernel(&self, packet: &[u8]) -> (u32, Vec<u8>) {
        let mut left = vec![0xa5; packet.len() + 4];
        let options = TestRunOptions {
            data_in: Some(packet),
            data_out: Some(&mut left),
            ..TestRunOptions::default()
        };
        let result = self.kernel.program().unwrap().test_run(options).unwrap();
        left.truncate(result.data_size_out as usize);
        (result.return_value, left)
    }

    fn on_host(&mut self, packet: &[u8], now: u32) -> (u32, Vec<u8>) {
        let mut buffer = Buffer::from(packet);
        let tables = At::new(&self.host, now);
        let verdict = forward(&mut buffer, INGRESS, &tables);
        if let Some((member, octets, is_new)) = tables.counted.get() {
            let counted = self.counted.entry(member).or_default();
            counted.packets += 1;
            counted.bytes += octets as u64;
            counted.flows += u64::from(is_new);
        }
        match verdict {
            Ok(way) => {
                self.counts.forwarded += 1;
                let action = match way {
                    Forward::Return => XDP_TX,
                    Forward::Through(_) => XDP_REDIRECT,
                };
                (action, buffer.frame().to_vec())
            }
            Err(reason) => {
                *self.reasons.entry(reason as usize).or_default() += 1;
                *self.counts.refused.entry(reason.name()).or_default() += 1;
                let action = match reason.fate() {
                    Fate::Pass => XDP_PASS,
                    Fate::Drop => XDP_DROP,
                };
                (action, packet.to_vec())
            }
        }
    }

    fn reasons_in_kernel(&self) -> BTreeMap<usize, u64> {
        let counts = self.kernel.reasons().unwrap().into_iter().enumerate();
        counts.filter(|&(_, count)| count > 0).collect()
    }
}

impl Counts {
    /// Whether what was sent meant something: each way to be refused was found, and enough got through.
    pub(super) fn check(&self) {
        let Self {
            packets, forwarded, ..
        } = *self;
        assert!(forwarded > packets / 4, "{self}");
        let all = Reason::ALL.into_iter().map(Reason::name);
        let unseen: Vec<_> = all.filter(|it| !self.refused.contains_key(it)).collect();
        assert!(unseen.is_empty(), "never: {unseen:?}");
        assert!(self.uncompared < packets / 2, "{self}");
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} packets, {} forwarded", self.packets, self.forwarded)?;
        for (reason, count) in &self.refused {
            write!(f, ", {reason} {count}")?;
        }
        write!(f, "; {} not compared", self.uncompared)
    }
}

fn words(set: &FlowSet) -> impl Iterator<Item = &lb_common::shared::Shared> {
    set.fingerprints.iter().chain(&set.records)
}

fn told((action, left): &(u32, Vec<u8>)) -> String {
    format!("{action} {}", hex(left))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
