//! What the daemon tells as it happens.

mod told;

use std::{net::IpAddr, time::SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::told::{Events, Told};
use super::State;
use crate::service::ServiceName;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// As in RFC 3339, in UTC.
    pub time: String,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// A real server of a service is in another state.
    State {
        service: ServiceName,
        real: IpAddr,
        from: State,
        to: State,
        reason: Option<String>,
    },
    /// The weight that can serve has become less than the service needs, or is enough again.
    Quorum {
        service: ServiceName,
        quorum: u32,
        is_there: bool,
    },
    /// An interface does something else for packets: `native`, `generic`, `down`, `detached` (somebody has
    /// taken the program off), `another program`, or it is `missing`.
    Interface {
        name: String,
        from: String,
        to: String,
    },
    /// Another host says to have a VIP: a real server whose RIPs these are, or a stranger.
    Leak {
        vip: IpAddr,
        mac: String,
        real: Vec<IpAddr>,
        interface: String,
    },
    /// It has not said so for a while.
    LeakOver {
        vip: IpAddr,
        mac: String,
        real: Vec<IpAddr>,
        interface: String,
    },
    /// Another configuration is in force.
    Config { how: String },
}

impl Event {
    pub fn now(what: What) -> Self {
        Self {
            time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            what,
        }
    }
}
