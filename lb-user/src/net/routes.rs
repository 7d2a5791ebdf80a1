//! Routes of this program's: to a single address by way of a neighbour, and to a net that nobody is
//! to be reached in. They are told from all others by their protocol (`rtm_protocol`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context as _, Error, Result, anyhow};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use ipnet::IpNet;
use netlink_packet_route::{
    AddressFamily,
    route::{
        RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteProtocol,
        RouteType,
    },
};
use rustix::io::Errno;

use super::{Handle, explained, is_one_of};

/// Of those that the kernel and `rt_protos` of iproute2 leave free.
pub const PROTOCOL: u8 = 0xd0;
/// Requests that wait for their answers together: as many answers as a socket has room for.
const AT_ONCE: usize = 64;

/// A route to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    pub to: IpNet,
    /// `None`: whoever sends there is told that the host is unreachable.
    pub by: Option<By>,
}

/// The neighbour that a route goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct By {
    pub neighbour: IpAddr,
    pub interface: u32,
    /// What this host sends from, if a socket does not say.
    pub source: IpAddr,
}

/// Opens a netlink socket whose listings are of what was asked for alone (`NETLINK_GET_STRICT_CHK`):
/// a router has a million of other routes.
pub fn connect() -> Result<Handle> {
    let opened = rtnetlink::new_connection_with_strict_check();
    let (connection, handle, _) = opened.context("cannot open a netlink socket")?;
    tokio::spawn(connection);
    Ok(handle)
}

/// Lists our routes of both versions.
pub async fn list(netlink: &Handle) -> Result<Vec<Route>> {
    let mut routes = Vec::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut message = RouteMessage::default();
        message.header = header(family);
        let listed = netlink.route().get(message).execute();
        let listed: Vec<RouteMessage> = match listed.try_collect().await {
            Ok(listed) => listed,
            // Nobody has set a route yet, or there is no IPv6.
            Err(error) if is_one_of(&error, &[Errno::NOENT, Errno::OPNOTSUPP]) => continue,
            Err(error) => return Err(explained(error)).context("cannot list the routes"),
        };
        routes.extend(listed.iter().filter_map(route));
    }
    Ok(routes)
}

/// Adds routes; returns what the kernel said of those that it refuses.
pub async fn add(netlink: &Handle, routes: impl IntoIterator<Item = Route>) -> Vec<(Route, Error)> {
    let added = stream::iter(routes).map(|route| async move {
        let request = netlink.route().add(message(route));
        request.execute().await.err().map(|error| {
            let error = match is_one_of(&error, &[Errno::EXIST]) {
                true => anyhow!("there is a route of somebody else's"),
                false => explained(error),
            };
            (
                route,
                error.context(format!("cannot set a route to {}", route.to)),
            )
        })
    });
    let added = added.buffer_unordered(AT_ONCE);
    added.filter_map(std::future::ready).collect().await
}

/// Removes routes; those that are gone already are no error.
pub async fn remove(netlink: &Handle, routes: impl IntoIterator<Item = Route>) -> Result<()> {
    let removed = stream::iter(routes).map(|route| async move {
        match netlink.route().del(message(route)).execute().await {
            Err(error) if !is_one_of(&error, &[Errno::SRCH, Errno::NODEV]) => {
                let error = explained(error);
                Err(error.context(format!("cannot remove the route to {}", route.to)))
            }
            _ => Ok(()),
        }
    });
    removed.buffer_unordered(AT_ONCE).try_collect().await
}

fn header(family: AddressFamily) -> RouteHeader {
    RouteHeader {
        address_family: family,
        table: RouteHeader::RT_TABLE_MAIN,
        protocol: RouteProtocol::from(PROTOCOL),
        ..RouteHeader::default()
    }
}

/// As the kernel is told of it. There is one route to an address, so its metric is of no matter; but
/// the kernel looks for routes that go the same way by a hash that has the metric and not the
/// neighbour (`fib_info_hashfn_1`): with one metric, ten thousand neighbours take it ten seconds.
fn message(route: Route) -> RouteMessage {
    let family = match route.to {
        IpNet::V4(_) => AddressFamily::Inet,
        IpNet::V6(_) => AddressFamily::Inet6,
    };
    let mut message = RouteMessage::default();
    message.header = header(family);
    message.header.destination_prefix_length = route.to.prefix_len();
    message.header.kind = RouteType::Unreachable;
    message
        .attributes
        .push(RouteAttribute::Destination(route.to.addr().into()));
    if let Some(by) = route.by {
        message.header.kind = RouteType::Unicast;
        // The neighbour need not be in a subnet of the interface's.
        message.header.flags = RouteFlags::Onlink;
        message.attributes.extend([
            RouteAttribute::Gateway(by.neighbour.into()),
            RouteAttribute::Oif(by.interface),
            RouteAttribute::PrefSource(by.source.into()),
        ]);
        if let IpAddr::V4(neighbour) = by.neighbour {
            let metric = neighbour.to_bits() & 0xffff;
            message.attributes.push(RouteAttribute::Priority(metric));
        }
    }
    message
}

/// Undoes [`message`]; `None` of what is none of its.
fn route(message: &RouteMessage) -> Option<Route> {
    let (mut to, mut neighbour, mut interface, mut source) = (None, None, None, None);
    for attribute in &message.attributes {
        if let RouteAttribute::Destination(address) = attribute {
            to = ip(address);
        } else if let RouteAttribute::Gateway(address) = attribute {
            neighbour = ip(address);
        } else if let RouteAttribute::Oif(index) = attribute {
            interface = Some(*index);
        } else if let RouteAttribute::PrefSource(address) = attribute {
            source = ip(address);
        }
    }
    let kind = message.header.kind;
    let by = if kind == RouteType::Unreachable {
        None
    } else if kind == RouteType::Unicast {
        let neighbour = neighbour?;
        // The kernel forgets it with the address (`rt6_remove_prefsrc`).
        let none = match neighbour {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        Some(By {
            neighbour,
            interface: interface?,
            source: source.unwrap_or(none),
        })
    } else {
        return None;
    };
    if message.header.protocol != RouteProtocol::from(PROTOCOL) {
        return None;
    }
    let to = IpNet::new(to?, message.header.destination_prefix_length).ok()?;
    Some(Route { to, by })
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    if let RouteAddress::Inet(ip) = address {
        return Some(IpAddr::V4(*ip));
    }
    if let RouteAddress::Inet6(ip) = address {
        return Some(IpAddr::V6(*ip));
    }
    None
}
