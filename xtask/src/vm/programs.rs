//! The test programs that are run on other kernels, each in a virtual machine of its own.

use std::{
    env,
    io::{BufRead, BufReader},
    process::Stdio,
    time::Instant,
};

use crate::{
    Result,
    machine::{cargo, run_by},
    step::line,
};

pub(super) struct Program {
    name: &'static str,
    /// What is in the names of the tests that are run here. None: all.
    tests: &'static [&'static str],
}

/// What the verifier says; packets; and of those on a LAN, what differs between kernels and is in time on one that is
/// twenty times slower.
pub(super) const PROGRAMS: [Program; 7] = [
    Program::all("programs"),
    Program::all("director"),
    Program::all("realserver"),
    Program::some("probe", &["kernel::"]),
    Program::some("live", &["pages_alternate", "a_vlan_is_served"]),
    Program::some("realserver_live", &["only_the_director", "web_is_served"]),
    Program::all("ipvs"),
];

/// Packets by chance, of which the tests have ten times as many.
const FUZZ_COUNT: &str = "20000";

/// What came of it.
pub(super) struct Outcome {
    pub(super) program: &'static str,
    pub(super) passed: bool,
    pub(super) seconds: u64,
    /// Its lines.
    pub(super) said: Vec<String>,
}

impl Program {
    const fn all(name: &'static str) -> Self {
        Self { name, tests: &[] }
    }

    const fn some(name: &'static str, tests: &'static [&'static str]) -> Self {
        Self { name, tests }
    }

    /// Runs its usual tests, or those with `filter` in their names.
    pub(super) fn run(&self, version: &str, filter: Option<&str>) -> Result<Outcome> {
        let start = Instant::now();
        let mut tests = cargo(["test", "--package", "tests", "--test", self.name, "--"]);
        match filter {
            Some(filter) => tests.arg(filter),
            None => tests.args(self.tests),
        };
        tests.args(["--nocapture", "--include-ignored"]);
        tests.env("FUZZ_COUNT", FUZZ_COUNT);
        let this = env::current_exe().map_err(|error| error.to_string())?;
        run_by(&mut tests, &format!("{} vm run {version}", this.display()))?;
        println!("── Linux {version}: {}", line(&tests));
        let mut tests = tests
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cargo: {error}"))?;
        let mut said = Vec::new();
        for line in tests.stdout.take().into_iter().flat_map(lines) {
            println!("{line}");
            said.push(line);
        }
        let status = tests.wait().map_err(|error| error.to_string())?;
        Ok(Outcome {
            program: self.name,
            passed: status.success(),
            seconds: start.elapsed().as_secs(),
            said,
        })
    }
}

fn lines(pipe: impl std::io::Read) -> impl Iterator<Item = String> {
    BufReader::new(pipe)
        .lines()
        .map_while(std::result::Result::ok)
}
