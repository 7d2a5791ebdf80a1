//! The VIPs as addresses of the director, where the daemon is to put them there.
//!
//! Which ones are its own is in the services' records, so that the next daemon, and `detach`, know.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv4Addr},
};

use anyhow::{Context as _, Result};
use lb_common::tables::Service;

use super::neighbours::Neighbours;
use crate::{
    dataplane::director::Tables,
    net::{
        Handle,
        addresses::{self, Address},
        announce, links,
    },
    service::ServiceName,
};

/// Puts each of `vips` on an interface, unless something else has.
pub(super) async fn own(
    netlink: &Handle,
    neighbours: &Neighbours,
    tables: &Tables,
    services: &HashMap<ServiceName, u16>,
    vips: &HashSet<Ipv4Addr>,
) -> Result<()> {
    let here = everywhere(netlink).await?;
    for &vip in vips {
        let is_here = here.iter().any(|&(_, address)| address == vip);
        let is_ours = !is_here || is_owned(&tables.services, vip);
        // Before the address is there: should we end in between, it is still known as ours.
        for (_, &id) in services.iter().filter(|(name, _)| name.vip == vip) {
            tables.services[usize::from(id)]
                .owns_vip
                .store(is_ours.into());
        }
        if is_here {
            continue;
        }
        let interface = neighbours.on_link(vip).or(neighbours.interfaces().next());
        let interface = interface.context("there is no interface to put a VIP on")?;
        addresses::add(netlink, interface.index, IpAddr::V4(vip).into()).await?;
        tracing::info!(%vip, interface = interface.name, "VIP added");
        if let Err(error) = announce::announce(interface.index, interface.mac, vip) {
            tracing::warn!("{error:#}");
        }
    }
    Ok(())
}

/// Takes the VIPs away that the daemon put in place, except those to keep.
pub(super) async fn withdraw(
    netlink: &Handle,
    services: &[Service],
    keep: &HashSet<Ipv4Addr>,
) -> Result<()> {
    for (index, vip) in everywhere(netlink).await? {
        if !is_owned(services, vip) || keep.contains(&vip) {
            continue;
        }
        if addresses::remove(netlink, index, IpAddr::V4(vip).into()).await? {
            tracing::info!(%vip, "VIP removed");
        }
        for service in services.iter().filter(|service| is_its(service, vip)) {
            service.owns_vip.store(0);
        }
    }
    Ok(())
}

/// All interfaces' addresses that are a host's alone.
async fn everywhere(netlink: &Handle) -> Result<Vec<(u32, Ipv4Addr)>> {
    let mut all = Vec::new();
    for link in links::list(netlink).await? {
        let addresses = addresses::list(netlink, link.index).await?;
        let nets = addresses.iter().filter_map(Address::ipv4);
        all.extend(nets.map(|net| (link.index, net.addr())));
    }
    Ok(all)
}

fn is_owned(services: &[Service], vip: Ipv4Addr) -> bool {
    services
        .iter()
        .any(|service| is_its(service, vip) && service.owns_vip.load() != 0)
}

fn is_its(service: &Service, vip: Ipv4Addr) -> bool {
    service.destination.vip == vip.octets()
}
