//! Which CPU a thread runs on.

use anyhow::{Context as _, Result};
use rustix::{
    process::Pid,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// Returns the last CPU that this thread may run on: interrupts favour the first.
pub(crate) fn last() -> Result<usize> {
    let may = sched_getaffinity(None)?;
    let last = (0..CpuSet::MAX_CPU).rev().find(|&cpu| may.is_set(cpu));
    last.context("no CPU")
}

pub(crate) struct Two {
    pub(crate) sending: usize,
    pub(crate) forwarding: usize,
}

/// Returns two CPUs: one that sends, and the last, which forwards.
pub(crate) fn two() -> Result<Two> {
    let forwarding = last()?;
    let may = sched_getaffinity(None)?;
    let sending = (0..forwarding).rev().find(|&cpu| may.is_set(cpu));
    Ok(Two {
        sending: sending.context("two CPUs are needed: one sends, one forwards")?,
        forwarding,
    })
}

/// Keeps a thread, or this one, on one CPU.
pub(crate) fn pin(thread: Option<Pid>, cpu: usize) -> Result<()> {
    let mut one = CpuSet::new();
    one.set(cpu);
    sched_setaffinity(thread, &one).with_context(|| format!("cannot stay on CPU {cpu}"))
}
