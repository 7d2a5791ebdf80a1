//! What the daemon is asked, and how ipvsadm fails where it does not answer.

use std::path::PathBuf;

use super::failure::Failure;
use crate::{
    api::{Change, ServiceReport, Status, Timeouts, client, flows},
    service::ServiceName,
};

pub(super) struct Daemon {
    pub(super) socket: PathBuf,
}

impl Daemon {
    /// Also removed real servers that drain: what they are counted is the service's.
    pub(super) fn services(&self) -> Result<Vec<ServiceReport>, Failure> {
        client::get(&self.socket, "/v1/services?all=true").map_err(|it| Failure::unreachable(&it))
    }

    pub(super) fn status(&self) -> Result<Status, Failure> {
        client::get(&self.socket, "/v1/status").map_err(|it| Failure::unreachable(&it))
    }

    pub(super) fn timeouts(&self) -> Result<Timeouts, Failure> {
        client::get(&self.socket, "/v1/timeouts").map_err(|it| Failure::unreachable(&it))
    }

    pub(super) fn flows(&self) -> Result<flows::Report, Failure> {
        let query = flows::Query {
            limit: Some(flows::LIMIT_MAX),
            ..flows::Query::default()
        };
        let flows = client::get(&self.socket, &query.to_string());
        flows.map_err(|error| Failure::list(format!("{error:#}")))
    }

    /// Has the daemon make changes, all or none.
    pub(super) fn change(&self, changes: &[Change]) -> Result<(), Failure> {
        self.post("/v1/changes", &changes)
    }

    pub(super) fn zero(&self, service: Option<ServiceName>) -> Result<(), Failure> {
        self.post("/v1/zero", &service)
    }

    fn post(&self, path: &str, body: &impl serde::Serialize) -> Result<(), Failure> {
        if !rustix::process::geteuid().is_root() {
            let what = "Permission denied (you must be root)";
            return Err(Failure::refused(what));
        }
        client::post(&self.socket, path, body)
            .map_err(|error| Failure::refused(format!("{error:#}")))
    }
}
