//! JSON Schemas of what is written as text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::flows::Clients;
use crate::{
    scheduler::{Flag, Scheduler},
    service::ServiceName,
};

impl JsonSchema for ServiceName {
    fn schema_name() -> Cow<'static, str> {
        "ServiceName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "PROTOCOL/VIP:PORT, as in tcp/192.0.2.1:80, udp/[2001:db8::1]:8000-8099 or tcp/192.0.2.1:*",
            "pattern": "^(tcp|udp|sctp)/.+:([0-9]+(-[0-9]+)?|\\*)$",
        })
    }
}

impl JsonSchema for Scheduler {
    fn schema_name() -> Cow<'static, str> {
        "Scheduler".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": Self::ALL.map(Self::name)})
    }
}

impl JsonSchema for Flag {
    fn schema_name() -> Cow<'static, str> {
        "Flag".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": Self::ALL.map(Self::name)})
    }
}

impl JsonSchema for Clients {
    fn schema_name() -> Cow<'static, str> {
        "Clients".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": "ADDRESS or ADDRESS/PREFIX"})
    }
}
