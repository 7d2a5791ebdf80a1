//! What the benches share: the command line, rounds, figures, targets, and the file they go to.

#![allow(dead_code, reason = "each of the benches that share it uses a part")]

pub(crate) mod cpu;
pub(crate) mod flows;
pub(crate) mod options;
pub(crate) mod summary;
pub(crate) mod targets;

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Runs a bench with what its command line says: failures exit with 1, usage errors with 2.
pub(crate) fn main<O>(
    name: &str,
    usage: &str,
    parse: impl FnOnce(&mut dyn Iterator<Item = String>) -> Result<O, String>,
    run: impl FnOnce(&O) -> Result<()>,
) -> ExitCode {
    // Cargo says `--bench`.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let options = match parse(&mut words) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("bench {name}: {why}\n{usage}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the order of a round: every place of `count`, begun elsewhere and turned round each time.
pub(crate) fn order(round: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |k| match round % 2 {
        0 => (k + round) % count,
        _ => (2 * count - 1 - k + round % count) % count,
    })
}

pub(crate) fn write_json(file: Option<&Path>, value: &Value) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    let json = serde_json::to_string_pretty(value)?;
    fs::write(file, json + "\n").with_context(|| format!("cannot write {}", file.display()))
}

/// A figure as it is written down.
pub(crate) fn rounded(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}
