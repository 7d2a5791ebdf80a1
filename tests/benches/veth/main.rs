//! What one core forwards: `cargo xtask bench veth`.
//!
//! Frames are sent out of one end of a veth pair by one CPU, as fast as it can; at the other end, in another network
//! namespace, a program is attached natively and runs on another CPU, and what it sends back is counted. The programs
//! take turns in interleaved rounds. What was sent back must be as much as was taken, and right: else the bench fails.

mod bpf;
mod case;
mod cases;
#[path = "../common/mod.rs"]
mod common;
mod core;
mod lan;
#[path = "../programs/mod.rs"]
mod programs;
mod report;

use std::process::ExitCode;

use anyhow::Result;

use common::{
    cpu, flows,
    options::{self, Options},
};
use lan::Lan;
use report::Report;

const USAGE: &str = "\
usage: cargo xtask bench veth [--json FILE] [--rounds N] [--flows N[,N…]]
  --flows  numbers of flows, powers of two; Ki and Mi are understood (1,1Mi)
  --rounds of half a second for each row; at least 9 (11)";

fn main() -> ExitCode {
    let parse = |words: &mut dyn Iterator<Item = String>| {
        let mut flows = vec![1, 1 << 20];
        let options = options::parse(words, 11, |option, value| {
            let is_known = option == "--flows";
            if is_known {
                flows = flows::list(&value.next(option)?)?;
            }
            Ok(is_known)
        });
        Ok((options?, flows))
    };
    common::main("veth", USAGE, parse, run)
}

fn run((options, flows): &(Options, Vec<u32>)) -> Result<()> {
    let cpus = cpu::two()?;
    let lan = Lan::new(cpus.forwarding)?;
    cpu::pin(None, cpus.sending)?;
    let mut cases = cases::load(flows, &lan)?;
    for case in &mut cases {
        eprintln!("{} at {}", case.name, flows::said(case.flows));
        case.warm(&lan)?;
    }
    let count = cases.len();
    for round in 0..options.rounds {
        eprint!("\rround {} of {}", round + 1, options.rounds);
        for i in common::order(round, count) {
            cases[i].sample(&lan)?;
        }
    }
    eprintln!();
    let report = Report(&cases);
    print!("{report}");
    println!("\ntargets:\n{}", report.targets());
    common::write_json(options.json.as_deref(), &report.json())
}
