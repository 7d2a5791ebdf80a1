//! What the daemon and its clients say to each other: JSON over HTTP on a unix socket.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /v1/services` (`?all=true`) | | `[ServiceReport]` |
//! | `GET /v1/status` | | `Status` |
//! | `GET /v1/flows` (a `flows::Query`) | | `flows::Report` |
//! | `GET /v1/timeouts` | | `Timeouts` |
//! | `GET /v1/openapi.json` | | all of this, for programs |
//! | `GET /v1/config` | | the text that is in force |
//! | `GET /v1/events` | | `events::Event`s, as they happen: server-sent events |
//! | `POST /v1/explain` | `explain::Question` | `explain::Answer` |
//! | `GET /v1/events` | | `events::Event`s, as they happen: server-sent events; after `Last-Event-ID`, if that is sent |
//! | `GET /v1/events/last` | | `[events::Event]`: the last 256, the oldest first |
//! | `POST /v1/diff` | `diff::Text`, or `null`: the file | `diff::Diff` |
//! | `POST /v1/apply` | `diff::Apply` | `diff::Diff` |
//! | `POST /v1/undo`, `POST /v1/confirm` | | `diff::Diff`, nothing |
//! | `POST /v1/changes` | `[Change]`, all or none | |
//! | `POST /v1/zero` | a `ServiceName`, or `null`: all | |
//! | `POST /v1/reload` | | |
//!
//! What is refused is answered with a status of 4xx and `{"error": "one line"}`.

mod change;
pub mod client;
pub mod diff;
pub mod events;
pub mod explain;
pub mod flows;
pub mod openapi;
mod report;
mod schemas;
pub mod server;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{change::*, report::*};

/// The body of a refusal.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    pub error: String,
}
