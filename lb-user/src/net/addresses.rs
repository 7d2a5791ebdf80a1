//! Addresses of an interface, IPv4 and IPv6.

use std::net::IpAddr;

use anyhow::{Context as _, Result, anyhow};
use futures_util::{StreamExt as _, TryStreamExt as _};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netlink_packet_route::{
    AddressFamily,
    address::{AddressAttribute, AddressHeaderFlags, AddressMessage, AddressScope, CacheInfo},
};
use rustix::io::Errno;

use super::{Handle, explained, is_one_of};

/// A lifetime that does not end (`INFINITY_LIFE_TIME` in include/net/addrconf.h).
const FOREVER: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address itself, not masked, and the length of its prefix.
    pub net: IpNet,
    /// Not chosen as a source. IPv4: another address has the subnet. IPv6: it was found to be
    /// another host's, or is made anew every day (RFC 8981).
    pub is_secondary: bool,
    /// Not for other hosts to know.
    pub is_host_scope: bool,
}

impl Address {
    pub fn ip(&self) -> IpAddr {
        self.net.addr()
    }

    pub fn ipv4(&self) -> Option<Ipv4Net> {
        match self.net {
            IpNet::V4(net) => Some(net),
            IpNet::V6(_) => None,
        }
    }

    pub fn ipv6(&self) -> Option<Ipv6Net> {
        match self.net {
            IpNet::V4(_) => None,
            IpNet::V6(net) => Some(net),
        }
    }
}

/// Lists the addresses of interface `index`, in the kernel's order: those of IPv4 first.
pub async fn list(netlink: &Handle, index: u32) -> Result<Vec<Address>> {
    let all = list_all(netlink).await?.into_iter();
    let its = all.filter(|(interface, _)| *interface == index);
    Ok(its.map(|(_, address)| address).collect())
}

/// Lists the addresses of all interfaces, by index: what the kernel does whichever are asked for.
pub async fn list_all(netlink: &Handle) -> Result<Vec<(u32, Address)>> {
    let messages = netlink.address().get().execute();
    let addresses = messages.try_filter_map(|message| async move {
        Ok(address(&message).map(|address| (message.header.index, address)))
    });
    addresses
        .try_collect()
        .await
        .map_err(explained)
        .context("cannot list the addresses")
}

/// Adds an address; `false` if the interface had it. One of IPv6 is of use at once, and nobody is
/// asked whether he has it, too (`nodad`): a VIP is on several hosts. Nor is it a source that the
/// kernel chooses (`preferred_lft 0`): for hosts of its subnet it would prefer the longer prefix to
/// the host's own address (RFC 6724 section 5), and a real server would answer to itself.
pub async fn add(netlink: &Handle, index: u32, net: IpNet) -> Result<bool> {
    let mut request = netlink.address().add(index, net.addr(), net.prefix_len());
    if net.addr().is_ipv6() {
        let message = request.message_mut();
        message.header.flags |= AddressHeaderFlags::Nodad;
        let mut lifetimes = CacheInfo::default();
        lifetimes.ifa_preferred = 0;
        lifetimes.ifa_valid = FOREVER;
        message
            .attributes
            .push(AddressAttribute::CacheInfo(lifetimes));
    }
    let added = match request.execute().await {
        Err(error) if net.addr().is_ipv6() && is_one_of(&error, &[Errno::ACCESS]) => Err(anyhow!(
            "IPv6 is switched off there (sysctl net.ipv6.conf.IF.disable_ipv6)"
        )),
        added => told(added, Errno::EXIST),
    };
    added.with_context(|| format!("cannot add the address {net}"))
}

/// Removes an address; `false` if the interface did not have it.
pub async fn remove(netlink: &Handle, index: u32, net: IpNet) -> Result<bool> {
    let messages = netlink
        .address()
        .get()
        .set_link_index_filter(index)
        .set_prefix_length_filter(net.prefix_len())
        .set_address_filter(net.addr())
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
    if ![AddressFamily::Inet, AddressFamily::Inet6].contains(&header.family) {
        return None;
    }
    let mut address = None;
    let mut local = None;
    for attribute in &message.attributes {
        if let AddressAttribute::Address(ip) = attribute {
            address = Some(*ip);
        } else if let AddressAttribute::Local(ip) = attribute {
            local = Some(*ip);
        }
    }
    // Of a point-to-point link, `Address` is the other end's. IPv6 has `Local` on such links alone.
    let ip = local.or(address)?;
    let not_a_source = AddressHeaderFlags::Secondary | AddressHeaderFlags::Dadfailed;
    Some(Address {
        net: IpNet::new(ip, header.prefix_len).ok()?,
        is_secondary: header.flags.intersects(not_a_source),
        is_host_scope: matches!(header.scope, AddressScope::Host | AddressScope::Nowhere),
    })
}
