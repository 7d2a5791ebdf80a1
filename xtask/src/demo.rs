//! Builds what is shipped, and shows it.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result,
    machine::{cargo, run_as_root, target},
    setup, step,
};

const STATIC: &str = "x86_64-unknown-linux-musl";

pub(crate) fn run(option: Option<&str>) -> Result {
    setup::run(setup::For::Demo)?;
    if option != Some("--clean") {
        build()?;
    }
    let mut demo = command(&shipped())?;
    if let Some(option) = option {
        demo.args(["--", option]);
    }
    // In place of this process: it is then the demo that ctrl-C reaches, and that the shell waits for.
    Err(format!("{}: {}", step::line(&demo), demo.exec()))
}

/// Builds what is shipped.
pub(crate) fn build() -> Result {
    step::aloud(
        "build",
        &mut cargo([
            "build",
            "--release",
            "--package",
            "lb-user",
            "--target",
            STATIC,
        ]),
    )
}

/// Where it then is.
pub(crate) fn shipped() -> PathBuf {
    target().join(STATIC).join("release/drover")
}

pub(crate) fn command(drover: &Path) -> Result<Command> {
    let mut demo = cargo(["run", "--quiet", "--package", "tests", "--bin", "demo"]);
    demo.env("DROVER", drover);
    run_as_root(&mut demo)?;
    Ok(demo)
}
