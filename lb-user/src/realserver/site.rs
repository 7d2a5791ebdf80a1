//! One interface, as it is before anything is done: whether it can be kept quiet, and by which
//! addresses it asks for others.

use std::net::IpAddr;

use anyhow::{Result, bail, ensure};
use ipnet::{Ipv4Net, Ipv6Net};
use lb_common::realserver::{RIPS_MAX, Rip, Rip6};

use super::plan::is_alone;
use crate::{
    config::suggested,
    dataplane::realserver::Rips,
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
/// would choose among them. There must be one of each family that the VIPs are of.
pub(super) async fn rips(netlink: &Handle, link: &Link, vips: &[IpAddr]) -> Result<Rips> {
    let name = &link.name;
    let addresses = addresses::list(netlink, link.index).await?;
    if let Some(Address { net, .. }) = addresses
        .iter()
        .find(|address| vips.contains(&address.ip()) && !is_alone(address.net))
    {
        bail!(
            "{} is an address of {name} ({net}), by which this host is reached, so no VIP; if it is one, \
             take it off: ip addr del {net} dev {name}",
            net.addr()
        );
    }
    let own: Vec<&Address> = addresses
        .iter()
        .filter(|address| !vips.contains(&address.ip()))
        .filter(|address| !address.is_secondary && !address.is_host_scope)
        .collect();
    let mut rips = Rips::default();
    if vips.iter().any(IpAddr::is_ipv4) {
        rips.ipv4 = own.iter().filter_map(|it| it.ipv4()).map(rip).collect();
        check(name, "IPv4", rips.ipv4.len())?;
    }
    if vips.iter().any(IpAddr::is_ipv6) {
        let mut nets: Vec<Ipv6Net> = own.iter().filter_map(|it| it.ipv6()).collect();
        // Stable: the kernel's order otherwise.
        nets.sort_by_key(|net| !net.addr().is_unicast_link_local());
        rips.ipv6 = nets.into_iter().map(rip6).collect();
        check(name, "IPv6", rips.ipv6.len())?;
    }
    Ok(rips)
}

fn check(name: &str, family: &str, count: usize) -> Result<()> {
    ensure!(
        count > 0,
        "{name} has no {family} address of its own, as which to ask for others; give it one: \
         ip addr add RIP/PREFIX dev {name}"
    );
    ensure!(
        count <= RIPS_MAX,
        "{name} has {family} addresses in {count} subnets; at most {RIPS_MAX}"
    );
    Ok(())
}

fn rip(net: Ipv4Net) -> Rip {
    Rip {
        address: net.addr().octets(),
        mask: net.netmask().octets(),
    }
}

fn rip6(net: Ipv6Net) -> Rip6 {
    Rip6 {
        address: net.addr().octets(),
        mask: net.netmask().octets(),
    }
}
