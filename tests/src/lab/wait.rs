//! Waiting for what comes about by itself.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

/// What most things take that happen at all.
const PATIENCE: Duration = Duration::from_secs(10);
const PACE: Duration = Duration::from_millis(20);

/// Waits until something is so, 10 s at the most.
pub fn wait(what: &str, is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    wait_within(PATIENCE, what, is_so)
}

pub fn wait_within(
    limit: Duration,
    what: &str,
    mut is_so: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let start = Instant::now();
    while !is_so()? {
        ensure!(start.elapsed() < limit, "not within {limit:?}: {what}");
        sleep(PACE);
    }
    Ok(())
}
