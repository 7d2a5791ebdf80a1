//! What the control plane takes for a large site: `cargo xtask bench control`.
//!
//! A daemon is started in a network namespace with a file of 10 000 services, told of a change, and watched through the
//! tables that packets read; its parts are timed on tables of this process. What it answers is checked: a wrong answer
//! fails the bench, a slow one does not.

mod checks;
#[path = "../common/mod.rs"]
mod common;
mod daemon;
mod memory;
mod parts;
mod report;
mod site;
mod visible;

use std::process::ExitCode;

use anyhow::Result;

use common::options::{self, Options};
use report::Report;

const USAGE: &str = "\
usage: cargo xtask bench control [--json FILE] [--rounds N]
  --rounds of each row; at least 9 (9)";

fn main() -> ExitCode {
    let parse =
        |words: &mut dyn Iterator<Item = String>| options::parse(words, 9, |_, _| Ok(false));
    common::main("control", USAGE, parse, run)
}

fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    daemon::measure(&mut report, options.rounds)?;
    parts::measure(&mut report, options.rounds)?;
    checks::measure(&mut report, options.rounds)?;
    print!("{report}");
    println!("\ntargets:\n{}", report.targets());
    common::write_json(options.json.as_deref(), &report.json())
}
