//! `/etc/drover/realserver.toml`.
//!
//! ```toml
//! [realserver]
//! interfaces = ["eth0"]
//! vips = ["172.25.138.100", "2001:db8::100"]
//! hook = "auto" # or "xdp", "tc"
//! ```

use std::{collections::HashSet, hash::Hash, net::IpAddr, path::Path};

use clap::ValueEnum;
use serde::Deserialize;
use toml::Spanned;

use super::{Error, Source};
use crate::service::not_a_hosts;

pub const PATH: &str = "/etc/drover/realserver.toml";

/// What a real server is to keep quiet about, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealServer {
    pub interfaces: Vec<String>,
    pub vips: Vec<IpAddr>,
    pub hook: Hook,
}

/// Where frames are stopped on their way in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Hook {
    /// XDP in the driver, else tc
    #[default]
    Auto,
    /// XDP in the driver, or fail
    Xdp,
    /// tc
    Tc,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    realserver: Section,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    interfaces: Spanned<Vec<Spanned<String>>>,
    vips: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    hook: Hook,
}

impl RealServer {
    /// As the command line names it.
    pub fn named(interfaces: Vec<String>, vips: &[String]) -> Result<Self, String> {
        let vips = vips
            .iter()
            .map(|text| vip(text))
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(twice) = twice(&interfaces) {
            return Err(format!("interface {twice} is named twice"));
        }
        if let Some(twice) = twice(&vips) {
            return Err(format!("VIP {twice} is named twice"));
        }
        Ok(Self {
            interfaces,
            vips,
            hook: Hook::Auto,
        })
    }

    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::parse(&Source::read(path)?)
    }

    pub fn parse(source: &Source) -> Result<Self, Error> {
        let Section {
            interfaces,
            vips,
            hook,
        } = source.parse::<File>()?.realserver;
        Ok(Self {
            interfaces: checked(source, interfaces, "an interface", |name| Ok(name.into()))?,
            vips: checked(source, vips, "a VIP", vip)?,
            hook,
        })
    }
}

/// Reads a VIP; an error is what to say about it.
pub fn vip(text: &str) -> Result<IpAddr, String> {
    let address: IpAddr = match text.parse() {
        Ok(address) => address,
        Err(_) if text.contains('/') => {
            let len = if text.contains(':') { 128 } else { 32 };
            return Err(format!(
                "`{text}` has a prefix length; give the VIP alone: it is always a /{len}"
            ));
        }
        Err(_) => {
            return Err(format!(
                "`{text}` is no IP address; give a VIP, such as 172.25.138.100 or 2001:db8::100"
            ));
        }
    };
    match not_a_hosts(address) {
        Some(kind) => Err(format!(
            "{address} is {kind}; give the VIP that clients connect to"
        )),
        None => Ok(address),
    }
}

/// Reads each of `values`, of which there must be one, and no two the same.
fn checked<T: Eq + Hash>(
    source: &Source,
    values: Spanned<Vec<Spanned<String>>>,
    noun: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Error> {
    if values.get_ref().is_empty() {
        return Err(source.error(
            values.span(),
            format!("the list is empty; name at least {noun}"),
        ));
    }
    let mut read_values = Vec::new();
    for value in values.into_inner() {
        let told = |what| source.error(value.span(), what);
        read_values.push(read(value.get_ref()).map_err(told)?);
        if twice(&read_values).is_some() {
            return Err(told(format!(
                "`{}` is named twice; remove one",
                value.get_ref()
            )));
        }
    }
    Ok(read_values)
}

fn twice<T: Eq + Hash>(values: &[T]) -> Option<&T> {
    let mut seen = HashSet::new();
    values.iter().find(|value| !seen.insert(*value))
}
