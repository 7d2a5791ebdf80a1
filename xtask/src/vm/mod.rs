//! Tests on other kernels: Debian's, in virtual machines without hardware's help.

mod guest;
mod packages;
mod programs;
mod table;

use std::{fs, time::Instant};

use self::{
    packages::Kernel,
    programs::{Outcome, PROGRAMS},
};
use crate::{
    Result,
    machine::{cargo, root},
    setup,
    step::{aloud, seconds},
};

/// Those of Debian's releases from the oldest that will do, and the newest.
const KERNELS: [&str; 3] = ["6.1", "6.12", "7.3"];
const DOCUMENT: &str = "KERNELS.md";
const HEAD: &str = include_str!("kernels.md");

/// Runs the tests on each kernel, though one before it failed. All of them on all kernels make the document.
pub(crate) fn tests(options: &[&str]) -> Result {
    let start = Instant::now();
    let (versions, filter) = read(options)?;
    setup::run(setup::For::Kernels)?;
    packages::fetch(&versions)?;
    aloud("build", &mut cargo(["build", "--package", "lb-user"]))?;
    let mut columns = Vec::new();
    for version in &versions {
        let outcomes: Result<Vec<Outcome>> = PROGRAMS
            .iter()
            .map(|program| program.run(version, filter))
            .collect();
        columns.push((Kernel::fetched(version)?, outcomes?));
    }
    let table = table::table(&columns);
    println!("{table}\nvm: {}", seconds(start));
    if options.is_empty() {
        let document = root().join(DOCUMENT);
        fs::write(&document, format!("{HEAD}\n{table}"))
            .map_err(|error| format!("{}: {error}", document.display()))?;
    }
    let all = columns.iter().flat_map(|(_, outcomes)| outcomes);
    match all.filter(|outcome| !outcome.passed).count() {
        0 => Ok(()),
        failed => Err(format!("vm: {failed} test programs FAILED")),
    }
}

/// Runs a command on another kernel.
pub(crate) fn run(version: &str, command: &[&str]) -> Result {
    packages::fetch(&[version])?;
    match guest::run(version, command)? {
        true => Ok(()),
        false => Err(format!("vm: it failed on Linux {version}")),
    }
}

/// Kernels, and what is in the names of the tests that are wanted.
fn read<'a>(options: &[&'a str]) -> Result<(Vec<&'a str>, Option<&'a str>)> {
    let (kernels, filter) = match *options {
        [ref kernels @ .., "--", filter] => (kernels, Some(filter)),
        ref kernels => (kernels, None),
    };
    match kernels {
        [] => Ok((KERNELS.to_vec(), filter)),
        ["--kernel", versions @ ..] if !versions.is_empty() => Ok((versions.to_vec(), filter)),
        _ => Err(format!(
            "vm: `{}` is not `[--kernel VERSION ...] [-- FILTER]`",
            options.join(" ")
        )),
    }
}
