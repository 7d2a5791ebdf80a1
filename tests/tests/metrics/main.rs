//! The metrics as Prometheus and an operator with `curl` see them, the alerts, and the dashboard.

mod exposition;
mod listen;
mod page;
mod prometheus;
mod rules;
mod scale;
mod site;
mod totals;

use std::path::{Path, PathBuf};

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
