//! One interface, as it is before anything is done: whether it can be kept quiet, and by which
//! addresses it asks for others.

use std::net::Ipv4Addr;

use anyhow::{Result, bail, ensure};
use ipnet::Ipv4Net;
use lb_common::realserver::{RIPS_MAX, Rip};

use crate::{
    config::suggested,
    net::{
        Handle,
        addresses::{self, Address},
        links::{self, Link},
    },
};

/// Finds an interface that faces a LAN.
pub(super) async fn link(netlink: &Handle, name: &str) -> Result<Link> {
    let Some(link) = links::find(netlink, name).await? else {
        let links = links::list(netlink).await?;
        let names: Vec<&str> = links
            .iter()
            .filter(|link| !link.is_loopback)
            .map(|link| link.name.as_str())
            .collect();
        bail!("there is no interface {name}; {}", suggested(name, &names));
    };
    ensure!(
        !link.is_loopback,
        "{name} is where the VIPs are put; name the interface that faces the director"
    );
    Ok(link)
}

/// Returns the addresses by which the host asks for others on an interface: its own, as the kernel
/// would choose among them.
pub(super) async fn rips(netlink: &Handle, link: &Link, vips: &[Ipv4Addr]) -> Result<Vec<Rip>> {
    let name = &link.name;
    let addresses = addresses::list(netlink, link.index).await?;
    if let Some(rip) = addresses
        .iter()
        .filter_map(Address::ipv4)
        .find(|net| vips.contains(&net.addr()) && net.prefix_len() < 32)
    {
        bail!(
            "{} is an address of {name} ({}), by which this host is reached, so no VIP; if it is one, \
             take it off: ip addr del {} dev {name}",
            rip.addr(),
            rip,
            rip
        );
    }
    let own: Vec<Ipv4Net> = addresses
        .iter()
        .filter(|address| !address.is_secondary && !address.is_host_scope)
        .filter_map(Address::ipv4)
        .filter(|net| !vips.contains(&net.addr()))
        .collect();
    ensure!(
        !own.is_empty(),
        "{name} has no IPv4 address of its own, as which to ask for others; give it one: \
         ip addr add RIP/PREFIX dev {name}"
    );
    ensure!(
        own.len() <= RIPS_MAX,
        "{name} has addresses in {} subnets; at most {RIPS_MAX}",
        own.len()
    );
    let rip = |net: &Ipv4Net| Rip {
        address: net.addr().octets(),
        mask: net.netmask().octets(),
    };
    Ok(own.iter().map(rip).collect())
}
