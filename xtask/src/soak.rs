//! Runs what is shipped through an operator's bad days.

use crate::{
    Result, demo,
    machine::{cargo, run_as_root},
    setup, step,
};

pub(crate) fn run(options: &[&str]) -> Result {
    setup::run(setup::For::Everything)?;
    demo::build()?;
    let mut soak = cargo([
        "run",
        "--quiet",
        "--package",
        "tests",
        "--bin",
        "soak",
        "--",
    ]);
    soak.args(options).env("DROVER", demo::shipped());
    run_as_root(&mut soak)?;
    step::aloud("soak", &mut soak)
}
