//! `cargo xtask soak`: an operator's bad days, for as long as is said.

use std::{
    process::ExitCode,
    time::{Duration, SystemTime},
};

use tests::soak;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (minutes, seed) = match arguments[..] {
        ["--minutes", minutes] => (minutes.parse().ok(), Some(by_chance())),
        ["--minutes", minutes, "--seed", seed] => (minutes.parse().ok(), seed.parse().ok()),
        _ => (None, None),
    };
    let Some((minutes, seed)) = minutes.zip(seed).filter(|&(it, _): &(u64, u64)| it > 0) else {
        eprintln!("usage: soak --minutes N [--seed N]");
        return ExitCode::from(2);
    };
    match soak::run(Duration::from_secs(60 * minutes), seed) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn by_chance() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(1, |now| now.as_nanos() as u64)
}
