//! What a packet costs, and beside it what it costs others: `cargo xtask bench dataplane`.
//!
//! Every program runs in the kernel behind a feeder, on one CPU, in interleaved rounds of CPU time;
//! *net* is less what the feeder alone costs in the same round. What the programs answer is checked:
//! a wrong answer fails the bench, a slow one does not.

mod case;
mod cases;
#[path = "../common/mod.rs"]
mod common;
mod options;
#[path = "../programs/mod.rs"]
mod programs;
mod report;
mod rounds;
mod subject;
mod targets;

use std::process::ExitCode;

use anyhow::Result;

use case::Case;
use common::{cpu, flows, summary};
use options::Options;
use programs::{baselines, directors, feeder};
use report::Report;

fn main() -> ExitCode {
    common::main("dataplane", options::USAGE, Options::parse, run)
}

fn run(options: &Options) -> Result<()> {
    let verified = directors::verified_instructions()?;
    cpu::pin(None, cpu::last()?)?;
    let mut cases = Vec::new();
    for row in cases::rows(options) {
        eprintln!("{} at {}", row.name, flows::said(row.flows));
        cases.push(Case::of(row)?);
    }
    rounds::measure(&mut cases, options.common.rounds)?;
    let report = Report::new(&cases, verified);
    print!("{report}");
    println!("\n{}", targets::Targets(&report));
    common::write_json(options.common.json.as_deref(), &report.json())
}
