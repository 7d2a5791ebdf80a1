//! Rounds: a sample of every case in each, in an order that changes from round to round.

use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::{
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, clock_gettime},
};

use crate::case::Case;

/// A sample's length: long against the call, which has to wait for other CPUs' read sections.
const SAMPLE: Duration = Duration::from_millis(25);
const FIRST: u32 = 20_000;

/// Keeps this thread on the last CPU it may run on: interrupts favour the first.
pub(crate) fn pin_to_one_cpu() -> Result<()> {
    let may = sched_getaffinity(None)?;
    let last = (0..CpuSet::MAX_CPU).rev().find(|&cpu| may.is_set(cpu));
    let mut one = CpuSet::new();
    one.set(last.context("no CPU")?);
    sched_setaffinity(None, &one).context("cannot stay on one CPU")
}

pub(crate) fn measure(cases: &mut [Case], rounds: usize) -> Result<()> {
    let mut lengths = Vec::new();
    for case in cases.iter_mut() {
        let ns = sample(case, FIRST)?;
        lengths.push((SAMPLE.as_nanos() as f64 / ns.max(1.0)) as u32);
    }
    let count = cases.len();
    for round in 0..rounds {
        eprint!("\rround {} of {rounds}", round + 1);
        for k in 0..count {
            let i = match round % 2 {
                0 => (k + round) % count,
                _ => (2 * count - 1 - k + round) % count,
            };
            let ns = sample(&mut cases[i], lengths[i])?;
            cases[i].samples.push(ns);
        }
    }
    eprintln!();
    Ok(())
}

/// CPU time of a packet, in ns: what other processes take of the machine is not in it.
fn sample(case: &mut Case, packets: u32) -> Result<f64> {
    let start = cpu_time();
    case.run(packets)?;
    let took = cpu_time() - start;
    Ok(took.as_nanos() as f64 / f64::from(packets))
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
