//! Tests that go by chance, for as often as is said.

use crate::{
    Result, dist,
    machine::{cargo, run_as_root},
    setup, step,
};

pub(crate) fn run(what: &str, count: &str, seed: Option<&str>) -> Result {
    setup::run(setup::For::Everything)?;
    let test = match what {
        "packets" => "director",
        _ => "cli",
    };
    let mut fuzz = cargo(["test", "--release", "--package", "tests", "--test", test]);
    fuzz.args(["fuzz", "--", "--nocapture"]);
    fuzz.env("FUZZ_COUNT", count);
    if let Some(seed) = seed {
        fuzz.env("FUZZ_SEED", seed);
    }
    if what == "api" {
        dist::build(dist::HERE)?;
        fuzz.env("DROVER", dist::shipped(dist::HERE));
    }
    run_as_root(&mut fuzz)?;
    step::aloud(&format!("fuzz {what}"), &mut fuzz)
}
