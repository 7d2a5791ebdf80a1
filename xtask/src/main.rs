//! The commands of a fresh machine, `cargo xtask demo`, `cargo xtask test`, `cargo xtask bench`, `cargo xtask soak`,
//! `cargo xtask fuzz`, `cargo xtask dist` and `cargo xtask vm`, and the set-up they begin with.
//!
//! Nothing but std: it is what installs the C compiler and the linker that all else is built with. Usage errors exit
//! with 2, failures with 1, each in one line.

mod bench;
mod demo;
mod dist;
mod fuzz;
mod machine;
mod setup;
mod soak;
mod step;
mod test;
mod vm;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask setup | demo [--keep | --clean] | test [FILTER] | bench dataplane|veth|control [OPTIONS]
       cargo xtask soak --minutes N [--seed N] | fuzz packets|api COUNT [--seed N] | dist [x86_64] [aarch64]
       cargo xtask vm [--kernel VERSION ...] [-- FILTER] | vm run VERSION COMMAND";

/// Why it ended: already in the words of the person who reads it.
type Result<T = ()> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["setup"] => setup::run(setup::For::Everything),
        ["demo"] => demo::run(None),
        ["demo", option @ ("--keep" | "--clean")] => demo::run(Some(option)),
        ["test"] => test::all(),
        ["test", filter] if !filter.starts_with('-') => test::matching(filter),
        [
            "bench",
            which @ ("dataplane" | "veth" | "control"),
            ref options @ ..,
        ] => bench::run(which, options),
        ["dist", ref machines @ ..] => dist::run(machines),
        ["fuzz", what @ ("packets" | "api"), count] if count.parse::<u64>().is_ok() => {
            fuzz::run(what, count, None)
        }
        ["fuzz", what @ ("packets" | "api"), count, "--seed", seed]
            if [count, seed].iter().all(|it| it.parse::<u64>().is_ok()) =>
        {
            fuzz::run(what, count, Some(seed))
        }
        ["soak", ref options @ ..] => soak::run(options),
        ["vm", "run", version, ref command @ ..] if !command.is_empty() => {
            vm::run(version, command)
        }
        ["vm", ref options @ ..] => vm::tests(options),
        ["-h" | "--help" | "help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("cargo xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
