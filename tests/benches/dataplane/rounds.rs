//! Rounds: a sample of every case in each, in an order that changes from round to round.

use std::time::Duration;

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};

use crate::{case::Case, common};

/// A sample's length: long against the call, which has to wait for other CPUs' read sections.
const SAMPLE: Duration = Duration::from_millis(25);
const FIRST: u32 = 20_000;

pub(crate) fn measure(cases: &mut [Case], rounds: usize) -> Result<()> {
    let mut lengths = Vec::new();
    for case in cases.iter_mut() {
        let ns = sample(case, FIRST)?;
        lengths.push((SAMPLE.as_nanos() as f64 / ns.max(1.0)) as u32);
    }
    let count = cases.len();
    for round in 0..rounds {
        eprint!("\rround {} of {rounds}", round + 1);
        for i in common::order(round, count) {
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
