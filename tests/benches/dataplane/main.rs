//! What a packet costs, and beside it what it costs others: `cargo xtask bench dataplane`.
//!
//! Every program runs in the kernel behind a feeder, on one CPU, in interleaved rounds of CPU time;
//! *net* is less what the feeder alone costs in the same round. What the programs answer is checked:
//! a wrong answer fails the bench, a slow one does not.

mod baselines;
mod case;
mod cases;
mod directors;
mod feeder;
mod options;
mod report;
mod rounds;
mod subject;
mod summary;
mod targets;

use std::{fs, process::ExitCode};

use anyhow::{Context as _, Result};

use case::Case;
use options::Options;
use report::Report;

fn main() -> ExitCode {
    // Cargo says `--bench`.
    let arguments = std::env::args().skip(1).filter(|word| word != "--bench");
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("bench dataplane: {why}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench dataplane: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let verified = directors::verified_instructions()?;
    rounds::pin_to_one_cpu()?;
    let mut cases = Vec::new();
    for row in cases::rows(options) {
        eprintln!("{} at {}", row.name, report::flows(row.flows));
        cases.push(Case::of(row)?);
    }
    rounds::measure(&mut cases, options.rounds)?;
    let report = Report::new(&cases, verified);
    print!("{report}");
    println!("\n{}", targets::Targets(&report));
    if let Some(file) = &options.json {
        let json = serde_json::to_string_pretty(&report.json())?;
        fs::write(file, json + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
