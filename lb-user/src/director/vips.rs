//! The VIPs as addresses of the director, where the daemon is to put them there.
//!
//! Which ones are its own is in the services' records, so that the next daemon, and `detach`, know.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use anyhow::Result;
use lb_common::tables::Service;

use super::{links::Interface, neighbours::Neighbours};
use crate::{
    address,
    dataplane::director::Tables,
    net::{Handle, addresses, announce},
    service::ServiceName,
};

/// Puts each of `vips` on the interface whose subnet has it, or on `fallback`, unless something else has.
pub(super) async fn own(
    netlink: &Handle,
    (neighbours, fallback): (&Neighbours, Option<&Interface>),
    tables: &Tables,
    services: &HashMap<ServiceName, u16>,
    vips: &HashSet<IpAddr>,
) -> Result<()> {
    let here = everywhere(netlink).await?;
    let here: HashSet<_> = here.into_iter().map(|(_, address)| address).collect();
    let ours = owned(&tables.services);
    // Before the addresses are there: should we end in between, they are still known as ours.
    for (name, &id) in services {
        if vips.contains(&name.vip) {
            let is_ours = !here.contains(&name.vip) || ours.contains(&name.vip);
            tables.services[usize::from(id)]
                .owns_vip
                .store(is_ours.into());
        }
    }
    let mut added = Vec::new();
    for &vip in vips.difference(&here) {
        // With its interface it comes, too.
        let Some(interface) = neighbours.on_link(vip).or(fallback).filter(|it| it.is_up) else {
            continue;
        };
        addresses::add(netlink, interface.index, vip.into()).await?;
        tracing::info!(%vip, interface = interface.name, "VIP added");
        added.push((interface, vip));
    }
    announce(&added);
    Ok(())
}

/// Tells the LAN where VIPs are.
pub(super) fn announce(placed: &[(&Interface, IpAddr)]) {
    if placed.is_empty() {
        return;
    }
    let announced = announce::open().map(|socket| {
        for &(interface, vip) in placed {
            if let Err(error) = announce::announce(&socket, interface.index, interface.mac, vip) {
                tracing::warn!("{error:#}");
            }
        }
    });
    if let Err(error) = announced {
        tracing::warn!("{error:#}");
    }
}

/// Takes the VIPs away that the daemon put in place, except those to keep.
pub(super) async fn withdraw(
    netlink: &Handle,
    services: &[Service],
    keep: &HashSet<IpAddr>,
) -> Result<()> {
    let ours = owned(services);
    if ours.is_subset(keep) {
        return Ok(());
    }
    for (index, vip) in everywhere(netlink).await? {
        if !ours.contains(&vip) || keep.contains(&vip) {
            continue;
        }
        if addresses::remove(netlink, index, vip.into()).await? {
            tracing::info!(%vip, "VIP removed");
        }
        for service in services.iter().filter(|service| is_its(service, vip)) {
            service.owns_vip.store(0);
        }
    }
    Ok(())
}

/// The addresses of all interfaces, by index.
pub(super) async fn everywhere(netlink: &Handle) -> Result<Vec<(u32, IpAddr)>> {
    let all = addresses::list_all(netlink).await?.into_iter();
    Ok(all.map(|(index, address)| (index, address.ip())).collect())
}

/// The VIPs that the daemon has put in place.
fn owned(services: &[Service]) -> HashSet<IpAddr> {
    let owning = services.iter().filter(|it| it.owns_vip.load() != 0);
    owning.filter_map(vip_of).collect()
}

fn is_its(service: &Service, vip: IpAddr) -> bool {
    vip_of(service) == Some(vip)
}

fn vip_of(service: &Service) -> Option<IpAddr> {
    address::ip(service.destination.vip, service.destination.version())
}
