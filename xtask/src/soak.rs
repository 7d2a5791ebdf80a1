//! Runs what is shipped through an operator's bad days.

use crate::{
    Result, dist,
    machine::{cargo, run_as_root},
    setup, step,
};

pub(crate) fn run(options: &[&str]) -> Result {
    setup::run(setup::For::Everything)?;
    dist::build(dist::HERE)?;
    let mut soak = cargo([
        "run",
        "--quiet",
        "--package",
        "tests",
        "--bin",
        "soak",
        "--",
    ]);
    soak.args(options).env("DROVER", dist::shipped(dist::HERE));
    run_as_root(&mut soak)?;
    step::aloud("soak", &mut soak)
}
