//! What would become of packets, and why.

use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
};

use data_encoding::HEXLOWER_PERMISSIVE;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::service::{ServiceName, Transport};

/// Packets in one question: of 1600 octets, each of which is two characters, they fit into a request.
pub const PACKETS_MAX: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// That they come in by. A director that has one needs not be told.
    pub interface: Option<String>,
    /// In their order: each finds what those before it have changed.
    pub packets: Vec<Asked>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    /// As it was on the wire.
    Captured(Captured),
    /// As a client would send it to the director.
    Made(Made),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Captured {
    /// An Ethernet frame, or its first octets: from 14 to 1600 of them.
    pub octets: Octets,
    /// Octets that it had on the wire.
    pub len: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Made {
    pub protocol: Transport,
    pub client: SocketAddr,
    pub vip: SocketAddr,
    /// Of TCP.
    #[serde(default)]
    pub flags: Vec<TcpFlag>,
    /// The 802.1Q tag that it has.
    pub vlan: Option<u16>,
    /// It is not the packet itself, but a router's ICMP error about the answer to it.
    #[serde(default)]
    pub icmp_error: bool,
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum TcpFlag {
    Fin,
    Syn,
    Rst,
    Ack,
}

/// In JSON, two hexadecimal digits each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Octets(pub Vec<u8>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// What keeps packets from becoming what is explained.
    pub warnings: Vec<String>,
    pub packets: Vec<Explanation>,
}

/// The steps of the decision in words; none where it did not get to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    pub parse: String,
    pub service: Option<String>,
    pub flow: Option<String>,
    pub slot: Option<String>,
    pub member: Option<String>,
    pub mac: Option<String>,
    pub verdict: String,
    pub action: Action,
    /// As `drover status` counts it, if it is not forwarded.
    pub reason: Option<String>,
    /// The service's name.
    pub to: Option<ServiceName>,
    /// The RIP.
    pub real: Option<IpAddr>,
}

/// What the program answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Tx,
    Redirect,
    Pass,
    Drop,
}

impl Action {
    /// As the kernel has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tx => "XDP_TX",
            Self::Redirect => "XDP_REDIRECT",
            Self::Pass => "XDP_PASS",
            Self::Drop => "XDP_DROP",
        }
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        HEXLOWER_PERMISSIVE.encode(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let octets = HEXLOWER_PERMISSIVE.decode(text.as_bytes());
        octets.map(Self).map_err(de::Error::custom)
    }
}

impl JsonSchema for Octets {
    fn schema_name() -> Cow<'static, str> {
        "Octets".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^([0-9a-fA-F]{2})*$"})
    }
}
