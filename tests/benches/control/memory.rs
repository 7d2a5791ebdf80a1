//! The memory of a daemon and of its tables.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result};

/// Octets that are resident of a process.
pub(crate) fn resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let kib = field(&status, "VmRSS:").context("no VmRSS")?;
    Ok(kib << 10)
}

/// Octets of the BPF maps that a process has open, each once.
pub(crate) fn maps(process: u32) -> Result<u64> {
    let mut maps = BTreeMap::new();
    for file in fs::read_dir(format!("/proc/{process}/fdinfo"))? {
        // One that was closed meanwhile is no map.
        let said = fs::read_to_string(file?.path()).unwrap_or_default();
        if let Some(id) = field(&said, "map_id:") {
            maps.insert(id, field(&said, "memlock:").unwrap_or(0));
        }
    }
    Ok(maps.values().sum())
}

fn field(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}
