//! The `drover` binary.

use std::process::ExitCode;

use lb_user::cli::Cli;

fn main() -> ExitCode {
    match Cli::of_process().run() {
        Ok(code) => code,
        Err(error) => {
            let line = format!("{error:#}");
            // Names that are quoted may hold anything.
            let line = line.replace(char::is_control, "\u{fffd}");
            eprintln!("drover: {line}");
            ExitCode::FAILURE
        }
    }
}
