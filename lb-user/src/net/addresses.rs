//! IPv4 addresses of an interface.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _};
use ipnet::Ipv4Net;
use netlink_packet_route::{
    AddressFamily,
    address::{AddressAttribute, AddressHeaderFlags, AddressMessage, AddressScope},
};
use rustix::io::Errno;

use super::{Handle, explained, is_one_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address itself, not masked, and the length of its prefix.
    pub net: Ipv4Net,
    /// Not chosen as a source: another address has the subnet.
    pub is_secondary: bool,
    /// Not for other hosts to know.
    pub is_host_scope: bool,
}

impl Address {
    pub fn ip(&self) -> Ipv4Addr {
        self.net.addr()
    }
}

/// Lists the addresses of interface `index`, in the kernel's order.
pub async fn list(netlink: &Handle, index: u32) -> Result<Vec<Address>> {
    // The kernel lists those of all interfaces.
    let messages = netlink
        .address()
        .get()
        .set_link_index_filter(index)
        .execute();
    let addresses = messages.try_filter_map(|message| async move { Ok(address(&message)) });
    addresses
        .try_collect()
        .await
        .map_err(explained)
        .context("cannot list the addresses")
}

/// Adds an address; `false` if the interface had it.
pub async fn add(netlink: &Handle, index: u32, net: Ipv4Net) -> Result<bool> {
    let request = netlink
        .address()
        .add(index, IpAddr::V4(net.addr()), net.prefix_len());
    told(request.execute().await, Errno::EXIST)
        .with_context(|| format!("cannot add the address {net}"))
}

/// Removes an address; `false` if the interface did not have it.
pub async fn remove(netlink: &Handle, index: u32, net: Ipv4Net) -> Result<bool> {
    let messages = netlink
        .address()
        .get()
        .set_link_index_filter(index)
        .set_prefix_length_filter(net.prefix_len())
        .set_address_filter(IpAddr::V4(net.addr()))
        .execute();
    let Some(message) = Box::pin(messages).next().await else {
        return Ok(false);
    };
    let removed = match message {
        Ok(message) => netlink.address().del(message).execute().await,
        Err(error) => Err(error),
    };
    told(removed, Errno::ADDRNOTAVAIL).with_context(|| format!("cannot remove the address {net}"))
}

/// Whether something was changed, where `unchanged` says that there was nothing to change.
fn told(result: Result<(), rtnetlink::Error>, unchanged: Errno) -> Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if is_one_of(&error, &[unchanged]) => Ok(false),
        Err(error) => Err(explained(error)),
    }
}

fn address(message: &AddressMessage) -> Option<Address> {
    let header = &message.header;
    if header.family != AddressFamily::Inet {
        return None;
    }
    let local = message.attributes.iter().find_map(|attribute| {
        if let AddressAttribute::Local(IpAddr::V4(ip)) = attribute {
            Some(*ip)
        } else {
            None
        }
    })?;
    Some(Address {
        net: Ipv4Net::new(local, header.prefix_len).ok()?,
        is_secondary: header.flags.contains(AddressHeaderFlags::Secondary),
        is_host_scope: matches!(header.scope, AddressScope::Host | AddressScope::Nowhere),
    })
}
