//! What the daemon says at one time.

use std::{path::Path, time::Instant};

use anyhow::Result;

use crate::api::{ServiceReport, Status, client};

#[derive(Debug)]
pub(super) struct Sample {
    pub(super) at: Instant,
    /// Also with real servers that drain.
    pub(super) services: Vec<ServiceReport>,
    pub(super) status: Status,
}

impl Sample {
    pub(super) fn take(socket: &Path) -> Result<Self> {
        let status = client::get(socket, "/v1/status")?;
        let services = client::get(socket, "/v1/services?all=true")?;
        Ok(Self {
            at: Instant::now(),
            services,
            status,
        })
    }
}
