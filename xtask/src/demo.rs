//! Builds what is shipped, and shows it.

use std::{os::unix::process::CommandExt, path::Path, process::Command};

use crate::{
    Result, dist,
    machine::{cargo, run_as_root},
    setup, step,
};

pub(crate) fn run(option: Option<&str>) -> Result {
    setup::run(setup::For::Demo)?;
    if option != Some("--clean") {
        dist::build(dist::HERE)?;
    }
    let mut demo = command(&dist::shipped(dist::HERE))?;
    if let Some(option) = option {
        demo.args(["--", option]);
    }
    // In place of this process: it is then the demo that ctrl-C reaches, and that the shell waits for.
    Err(format!("{}: {}", step::line(&demo), demo.exec()))
}

pub(crate) fn command(drover: &Path) -> Result<Command> {
    let mut demo = cargo(["run", "--quiet", "--package", "tests", "--bin", "demo"]);
    demo.env("DROVER", drover);
    run_as_root(&mut demo)?;
    Ok(demo)
}
