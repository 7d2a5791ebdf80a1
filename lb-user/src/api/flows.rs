//! Listing flows: which ones are asked for, and what is told of each.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use ipnet::IpNet;
use lb_common::tables::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de};

use crate::service::{ServiceName, Transport};

/// Flows in an answer, unless it is asked for another number.
pub const LIMIT: usize = 10_000;
/// Flows in the longest answer: some 150 MB, made in a second in which the daemon does nothing else.
pub const LIMIT_MAX: usize = 1 << 20;

/// All flows that are as it says; what it does not say may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    pub service: Option<ServiceName>,
    pub real: Option<IpAddr>,
    pub client: Option<Clients>,
    pub state: Option<FlowState>,
    pub limit: Option<usize>,
}

/// The path that asks: no value has a character that is another's in a query (RFC 3986 section 3.4),
/// but for brackets, which every server takes.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/v1/flows?")?;
        let mut said = |key: &str, value: Option<&dyn fmt::Display>| match value {
            Some(value) => write!(f, "{key}={value}&"),
            None => Ok(()),
        };
        let state = self.state.map(FlowState::name);
        said("service", self.service.as_ref().map(|it| it as _))?;
        said("real", self.real.as_ref().map(|it| it as _))?;
        said("client", self.client.as_ref().map(|it| it as _))?;
        said("state", state.as_ref().map(|it| it as _))?;
        write!(f, "limit={}", self.limit.unwrap_or(LIMIT))
    }
}

/// Clients' addresses: one, or those of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clients(pub IpNet);

impl FromStr for Clients {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = text.parse::<IpAddr>().map(IpNet::from);
        let net = one.ok().or_else(|| text.parse().ok());
        net.map(Self).ok_or_else(|| {
            format!("`{text}` is not an address or a prefix, as in 192.0.2.9 or 2001:db8::/32")
        })
    }
}

impl fmt::Display for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Clients {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The states of flows, as IPVS names them.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FlowState {
    SynRecv,
    Established,
    FinWait,
    Close,
    Udp,
    /// Not a flow: a client that comes back.
    #[serde(rename = "NONE")]
    #[value(name = "NONE")]
    Template,
}

impl FlowState {
    /// Returns that of a record, if it is listed.
    pub fn of(state: State) -> Option<Self> {
        match state {
            State::Embryonic => Some(Self::SynRecv),
            State::Established => Some(Self::Established),
            State::Closing => Some(Self::FinWait),
            State::Closed => Some(Self::Close),
            State::Udp => Some(Self::Udp),
            State::Template => Some(Self::Template),
            State::Fragments => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::SynRecv => State::Embryonic,
            Self::Established => State::Established,
            Self::FinWait => State::Closing,
            Self::Close => State::Closed,
            Self::Udp => State::Udp,
            Self::Template => State::Template,
        }
        .name()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    pub flows: Vec<FlowReport>,
    /// As they were asked for, and beyond the limit.
    pub more: u64,
    /// Records that it is not known of whose flows they are.
    pub unknown: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlowReport {
    pub protocol: Transport,
    pub client: SocketAddr,
    pub vip: SocketAddr,
    pub real: SocketAddr,
    pub state: FlowState,
    /// Seconds until the flow is forgotten, if no packet comes.
    pub expires: u32,
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn a_query_is_read_as_it_is_written() {
        let query = Query {
            service: Some("tcp/[2001:db8::1]:*".parse().unwrap()),
            real: Some("2001:db8::2".parse().unwrap()),
            client: Some("2001:db8:1::/48".parse().unwrap()),
            state: Some(FlowState::SynRecv),
            limit: Some(7),
        };
        for query in [
            query.clone(),
            Query {
                limit: Some(LIMIT),
                ..Query::default()
            },
        ] {
            let uri = query.to_string().parse::<axum::http::Uri>().unwrap();
            let axum::extract::Query(read) = axum::extract::Query::try_from_uri(&uri).unwrap();
            let read: Query = read;
            assert_eq!(read, query, "{query}");
        }
    }

    #[test]
    fn states_have_one_name_everywhere() {
        for state in FlowState::value_variants() {
            let json = serde_json::to_string(state).unwrap();
            assert_eq!(json, format!("\"{}\"", state.name()));
            let value = state.to_possible_value().unwrap();
            assert_eq!(value.get_name(), state.name());
        }
    }
}
