//! Everything that must hold, the quickest first; the first that does not ends it.

use std::{process::Command, time::Instant};

use crate::{
    Result, demo, dist,
    machine::{cargo, run_as_root, target},
    setup,
    step::{aloud, seconds},
};

pub(crate) fn all() -> Result {
    let start = Instant::now();
    checks().map_err(|why| format!("test: {why}"))?;
    println!("cargo xtask test: all passed in {}", seconds(start));
    Ok(())
}

/// Only the tests with `filter` in their names.
pub(crate) fn matching(filter: &str) -> Result {
    setup::run(setup::For::Everything)?;
    aloud("build", &mut cargo(["build", "--package", "lb-user"]))?;
    aloud("tests", &mut tests(&[filter])?)
}

fn checks() -> Result {
    setup::run(setup::For::Everything)?;
    aloud("format", &mut cargo(["fmt", "--all", "--check"]))?;
    aloud(
        "clippy",
        &mut cargo([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ]),
    )?;
    aloud(
        "dependencies",
        &mut cargo([
            "deny",
            "--log-level",
            "error",
            "check",
            "bans",
            "licenses",
            "sources",
        ]),
    )?;
    advisories()?;
    // The black-box tests run it.
    aloud("build", &mut cargo(["build", "--package", "lb-user"]))?;
    dist::run(&[])?;
    dist::debian()?;
    aloud("tests", &mut tests(&[])?)?;
    aloud("demo", &mut demo::command(&target().join("debug/drover"))?)
}

fn tests(filter: &[&str]) -> Result<Command> {
    let mut tests = cargo(["test", "--workspace"].iter().chain(filter));
    run_as_root(&mut tests)?;
    Ok(tests)
}

/// Known holes in dependencies, if the list of them can be had: a machine need not reach it.
fn advisories() -> Result {
    let cargo = cargo(["deny", "check", "advisories"]);
    let mut limited = Command::new("timeout");
    limited
        .arg("60")
        .arg(cargo.get_program())
        .args(cargo.get_args())
        .current_dir(crate::machine::root());
    let output = limited
        .output()
        .map_err(|error| format!("advisories: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        println!("── advisories: passed\n");
    } else if output.status.code() == Some(124)
        || said.contains("failed to fetch advisory database")
    {
        println!("── advisories: not checked, as their list cannot be fetched from here\n");
    } else {
        eprint!("{said}");
        return Err(format!("advisories FAILED ({})", output.status));
    }
    Ok(())
}
