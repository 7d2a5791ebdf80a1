//! What comes back at boot: the units, the example configurations, and the command that installs them.

mod capabilities;
mod companion;
mod daemon;
mod examples;
mod install;
mod notify;
mod rights;
mod unit;
mod units;

use std::path::{Path, PathBuf};

/// A file of `packaging/`.
fn packaged(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../packaging")
        .join(path)
}
