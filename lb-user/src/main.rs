//! The `drover` binary.

use std::process::ExitCode;

use lb_user::{cli::Cli, printable::printable};

fn main() -> ExitCode {
    match Cli::of_process().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("drover: {}", printable(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}
