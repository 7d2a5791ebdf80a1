//! Packets through the program, and through the same decision on the host, on copies of the tables: nothing
//! that is live changes.
//!
//! The program is loaded once more, with maps of its own. They hold what the live ones do, flows as far
//! as a packet's set of them is looked at, and what a packet has changed is there for the next.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
};

use anyhow::{Context as _, Result, ensure};
use aya::{TestRunOptions, programs::TestRun as _};
use lb_common::{
    director::{self, Forward, Step, forward},
    flow_table::fingerprint,
    reason::{Fate, Reason},
    tables::{FlowSet, Record, Site, SlotValue, Whose},
};

use super::{Buffer, Director, Limits, ReasonCounts, Tables};

/// Octets that a frame has at least: the kernel runs a program on no fewer.
pub const FRAME_MIN: usize = 14;
/// Octets of a frame that are looked at: more than headers have. The kernel has as many in one buffer.
pub const FRAME_MAX: usize = 1600;

const XDP_DROP: u32 = 1;
const XDP_PASS: u32 = 2;
const XDP_TX: u32 = 3;
const XDP_REDIRECT: u32 = 4;

/// The program with tables of its own, twice: the kernel's and this process's.
#[derive(Debug)]
pub struct Trial<'l> {
    live: &'l Tables,
    kernel: Director,
    host: Tables,
    /// Sets of flows that have been copied.
    copied: RefCell<HashSet<usize>>,
    /// What the program has counted so far.
    reasons: Cell<ReasonCounts>,
}

/// What became of a packet, and what was seen on the way.
#[derive(Debug)]
pub struct Run {
    pub verdict: Result<Forward, Reason>,
    /// The second that it was at.
    pub now: u32,
    /// The id of the record of its destination.
    pub service: Option<u16>,
    /// The slot that its flow fell on, and what that was.
    pub slot: Option<(u32, SlotValue)>,
    /// 0 is nobody.
    pub member: Option<u32>,
    /// What was looked up, in this order.
    pub looked_up: Vec<LookUp>,
}

/// A hash in the table of flows.
#[derive(Clone, Copy, Debug)]
pub struct LookUp {
    pub hash: u64,
    pub before: Option<Record>,
    pub after: Option<Record>,
}

impl<'l> Trial<'l> {
    /// Copies what a director has: 32 MiB, and in the kernel as much as its flows take.
    pub fn of(live: &'l Director) -> Result<Self> {
        let limits = Limits {
            // What is not counted, and not listed, takes no memory.
            members: 1,
            lists_flows: false,
            ..live.limits
        };
        let kernel = Director::made(None, None, limits).context("cannot load the program again")?;
        let host = live.tables.copy_beside(limits.flow_sets);
        let host = host.context("no memory for a copy of the tables")?;
        kernel.tables.take_site(&host);
        Ok(Self {
            live: &live.tables,
            reasons: kernel.reasons()?.into(),
            kernel,
            host,
            copied: RefCell::default(),
        })
    }

    /// The copy that the host decides with: as the last packet has left it.
    pub fn tables(&self) -> &Tables {
        &self.host
    }

    pub fn program_tag(&self) -> Result<u64> {
        self.kernel.program_tag()
    }

    /// Runs a frame, of [`FRAME_MIN`] to [`FRAME_MAX`] octets, as if it had come in by an interface of
    /// this network namespace. An error is also that kernel and host do not agree.
    pub fn run(&self, frame: &[u8], ingress: u32) -> Result<Run> {
        let now = self.kernel.now()?;
        let watched = Watched {
            trial: self,
            now,
            seen: RefCell::default(),
        };
        let mut buffer = Buffer::from(frame);
        let verdict = forward(&mut buffer, ingress, &watched);
        let (action, left) = match verdict {
            Ok(Forward::Return) => (XDP_TX, buffer.frame()),
            Ok(Forward::Through(_)) => (XDP_REDIRECT, buffer.frame()),
            Err(reason) => match reason.fate() {
                Fate::Pass => (XDP_PASS, frame),
                Fate::Drop => (XDP_DROP, frame),
            },
        };
        let seen = watched.seen.into_inner();
        let (kernels, kernels_left) = self.in_kernel(frame, ingress)?;
        let reason = self.counted()?;
        let is_same = (action, verdict.err(), left) == (kernels, reason, &kernels_left);
        ensure!(
            is_same || self.kernel.now()? == now,
            "a second ended while the packet was judged; ask again"
        );
        ensure!(
            is_same,
            "the kernel's program and the same decision on the host do not agree: {kernels} {reason:?}, \
             and {action} {:?}",
            verdict.err()
        );
        let mut looked_up = seen.looked_up;
        for look_up in &mut looked_up {
            look_up.after = self.record(look_up.hash);
        }
        Ok(Run {
            verdict,
            now,
            service: seen.service,
            slot: seen.slot,
            member: seen.member,
            looked_up,
        })
    }

    fn in_kernel(&self, frame: &[u8], ingress: u32) -> Result<(u32, Vec<u8>)> {
        // `struct xdp_md` in include/uapi/linux/bpf.h: data, data_end, data_meta, ingress_ifindex,
        // rx_queue_index, egress_ifindex.
        let context = [0, frame.len() as u32, 0, ingress, 0, 0].map(u32::to_ne_bytes);
        // A tag may come.
        let mut left = vec![0; frame.len() + 8];
        let run = self.kernel.program()?.test_run(TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut left),
            ctx_in: Some(context.as_flattened()),
            ..TestRunOptions::default()
        });
        let run = run.context("cannot run the program")?;
        left.truncate(run.data_size_out as usize);
        Ok((run.return_value, left))
    }

    /// Returns what the program has counted since this was last asked.
    fn counted(&self) -> Result<Option<Reason>> {
        let now = self.kernel.reasons()?;
        let before = self.reasons.replace(now);
        let mut reasons = Reason::ALL.into_iter();
        Ok(reasons.find(|&reason| now[reason as usize] != before[reason as usize]))
    }

    /// Returns the number of a hash's set, of which the copies are there then.
    fn set(&self, hash: u64) -> usize {
        let number = hash as usize & (self.host.flows.len() - 1);
        if self.copied.borrow_mut().insert(number) {
            copy(&self.live.flows[number], &self.host.flows[number]);
            copy(&self.host.flows[number], &self.kernel.tables.flows[number]);
        }
        number
    }

    fn record(&self, hash: u64) -> Option<Record> {
        let hit = self.host.flows[self.set(hash)].find(fingerprint(hash));
        hit.map(|hit| hit.record)
    }
}

/// A record is written before its fingerprint, and has a tag of it.
fn copy(from: &FlowSet, to: &FlowSet) {
    let ways = from.fingerprints.iter().zip(&from.records);
    for ((key, word), (to_key, to_word)) in ways.zip(to.fingerprints.iter().zip(&to.records)) {
        let fingerprint = key.load();
        to_word.store(word.load());
        to_key.store(fingerprint);
    }
}

/// The host's copy, with somebody who looks on.
struct Watched<'t> {
    trial: &'t Trial<'t>,
    now: u32,
    seen: RefCell<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    service: Option<u16>,
    slot: Option<(u32, SlotValue)>,
    member: Option<u32>,
    looked_up: Vec<LookUp>,
}

impl director::Tables for Watched<'_> {
    fn site(&self) -> Option<&Site> {
        Some(self.trial.host.site())
    }

    fn flow_set(&self, hash: u64) -> Option<&FlowSet> {
        let looked_up = &mut self.seen.borrow_mut().looked_up;
        if looked_up.iter().all(|it| it.hash != hash) {
            let before = self.trial.record(hash);
            looked_up.push(LookUp {
                hash,
                before,
                after: None,
            });
        }
        Some(&self.trial.host.flows[self.trial.set(hash)])
    }

    fn now(&self) -> u32 {
        self.now
    }

    fn count(&self, _member: u32, _octets: usize, _new: bool) {}

    fn note(&self, _hash: u64, _way: usize, _whose: &Whose) {}

    fn took(&self, step: Step<'_>) {
        let mut seen = self.seen.borrow_mut();
        match step {
            Step::Service(service) => seen.service = Some(service.chain().id),
            Step::Slot(slot) => {
                let value = self.trial.host.site().slot(slot).load();
                seen.slot = Some((slot, SlotValue::unpack(value)));
            }
            Step::Member(member) => seen.member = Some(member),
        }
    }
}
