//! Which MAC a host takes an address to have.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Host;

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Mac(pub [u8; 6]);

impl Host {
    /// Forgets all neighbours.
    pub fn flush_arp(&self) -> Result<()> {
        self.run(&["ip", "neigh", "flush", "dev", "eth0"])?
            .success()?;
        Ok(())
    }

    /// The MAC in its table, if it has one. Nothing is sent.
    pub fn neighbour(&self, address: Ipv4Addr) -> Result<Option<Mac>> {
        let table = self
            .run(&[
                "ip",
                "-json",
                "neigh",
                "show",
                "to",
                &address.to_string(),
                "dev",
                "eth0",
            ])?
            .success()?;
        let table: Value = serde_json::from_str(&table).context("reading `ip -json neigh`")?;
        table[0]["lladdr"].as_str().map(str::parse).transpose()
    }
}

impl FromStr for Mac {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let bytes: Option<Vec<u8>> = text
            .split(':')
            .map(|byte| u8::from_str_radix(byte, 16).ok())
            .collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(Self)
            .with_context(|| format!("{text:?} is not a MAC"))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}
