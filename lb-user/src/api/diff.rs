//! What another configuration would change.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::service::ServiceName;

/// Empty if nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// Keys of `[director]`.
    pub director: Vec<Setting>,
    pub services: Vec<ServiceDiff>,
}

/// A key of the file and its values; none where it is as by default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    pub key: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Added,
    Removed,
    Changed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceDiff {
    pub service: ServiceName,
    pub change: Kind,
    pub settings: Vec<Setting>,
    pub reals: Vec<RealDiff>,
    /// Slots whose new connections go elsewhere, of a scheduler that hashes.
    pub slots: Option<Moving>,
    /// Connections that have a record and are cut.
    pub cut: u64,
    /// Others are cut, too, which have none and cannot be counted.
    pub cuts_untracked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RealDiff {
    pub address: IpAddr,
    pub change: Kind,
    pub settings: Vec<Setting>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moving {
    pub moving: u32,
    pub of: u32,
}

impl Diff {
    pub fn is_empty(&self) -> bool {
        self.director.is_empty() && self.services.is_empty()
    }
}

impl ServiceDiff {
    /// Whether some connection does not go on.
    pub fn cuts(&self) -> bool {
        self.cut > 0 || self.cuts_untracked
    }
}

/// A text in place of the file's, and its name in errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    pub name: String,
    pub text: String,
}

/// Seconds that a change may wait for at the most: a day.
pub const CONFIRM_MAX: u32 = 24 * 60 * 60;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    pub file: Text,
    /// Seconds after which it is taken back, unless it is confirmed.
    pub confirm_within: Option<u32>,
}
