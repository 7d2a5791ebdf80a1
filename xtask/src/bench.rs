//! Measures; what is measured, and how, is in the benches themselves, with their options.

use crate::{
    Result, dist,
    machine::{cargo, run_as_root},
    setup, step,
};

pub(crate) fn run(which: &str, options: &[&str]) -> Result {
    setup::run(setup::For::Demo)?;
    let mut bench = cargo(["bench", "--package", "tests", "--bench", which, "--"]);
    bench.args(options);
    if which == "control" {
        dist::build(dist::HERE)?;
        bench.env("DROVER", dist::shipped(dist::HERE));
    }
    run_as_root(&mut bench)?;
    step::aloud(&format!("bench {which}"), &mut bench)
}
