use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lb_user::realserver;

/// LVS direct routing on XDP
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A real server: holds the VIPs, and keeps quiet about them on the wire
    #[command(subcommand)]
    Realserver(realserver::Command),
}

fn main() -> ExitCode {
    let Command::Realserver(command) = Cli::parse().command;
    realserver::run(command).unwrap_or_else(|error| {
        eprintln!("drover: {error:#}");
        ExitCode::FAILURE
    })
}
