//! The `drover` binary.

use std::process::ExitCode;

use clap::Parser as _;
use lb_user::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = format!("{error:#}");
            // Names that are quoted may hold anything.
            let line = line.replace(char::is_control, "\u{fffd}");
            eprintln!("drover: {line}");
            ExitCode::FAILURE
        }
    }
}
