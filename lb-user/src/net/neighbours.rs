//! The kernel's neighbour table, and what it is told of.

use std::net::IpAddr;

use anyhow::{Context as _, Result};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use lb_common::wire::MacAddr;
use netlink_packet_route::{
    RouteNetlinkMessage,
    link::LinkFlags,
    neighbour::{
        NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
    },
};
use rtnetlink::{MulticastGroup, packet_core::NetlinkPayload};

use super::{Handle, explained};

/// What the kernel knows of a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    pub address: IpAddr,
    pub interface: u32,
    pub state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Resolved(MacAddr),
    /// As the operator has set it, for good.
    Permanent(MacAddr),
    /// Nobody answers.
    Unresolved,
    /// Being asked for, or forgotten because the table was full or flushed: says nothing about it.
    Unknown,
}

/// Something that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Neighbour(Neighbour),
    /// An interface, or its addresses.
    Interfaces,
    /// The interface of this index is down, without a carrier, or deleted.
    Gone(u32),
    /// There was more than the socket's queue takes (netlink(7)): what is lost, nobody knows.
    Lost,
}

/// Subscribes to changes of neighbours and interfaces.
pub fn subscribe() -> Result<impl Stream<Item = Event> + Unpin> {
    let groups = [
        MulticastGroup::Neigh,
        MulticastGroup::Link,
        MulticastGroup::Ipv4Ifaddr,
        MulticastGroup::Ipv6Ifaddr,
    ];
    let (connection, _, messages) =
        rtnetlink::new_multicast_connection(&groups).context("cannot open a netlink socket")?;
    tokio::spawn(connection);
    let events = messages.filter_map(|(message, _)| {
        let is_lost = matches!(message.payload, NetlinkPayload::Overrun(_));
        let NetlinkPayload::InnerMessage(message) = message.payload else {
            return std::future::ready(is_lost.then_some(Event::Lost));
        };
        std::future::ready(event(message))
    });
    Ok(Box::pin(events))
}

/// Lists the neighbours of all interfaces.
pub async fn list(netlink: &Handle) -> Result<Vec<Neighbour>> {
    let messages = netlink.neighbours().get().execute();
    let messages: Vec<NeighbourMessage> = messages
        .try_collect()
        .await
        .map_err(explained)
        .context("cannot list the neighbours")?;
    let known = |message: &NeighbourMessage| neighbour(message, false);
    Ok(messages.iter().filter_map(known).collect())
}

/// Has the kernel resolve a neighbour, or check that it is still there, as it does for packets of
/// its own (`NTF_USE`, `neigh_event_send` in net/core/neighbour.c). One that is permanent would not
/// be any more (`__neigh_update`), and would fail if nobody answers.
pub async fn probe(netlink: &Handle, interface: u32, address: IpAddr) -> Result<()> {
    let request = netlink
        .neighbours()
        .add(interface, address)
        .state(NeighbourState::None)
        .flags(NeighbourFlags::Use)
        .replace();
    let probed = request.execute().await.map_err(explained);
    probed.with_context(|| format!("cannot resolve {address}"))
}

fn event(message: RouteNetlinkMessage) -> Option<Event> {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "a protocol of dozens of messages, of which a few are subscribed to"
    )]
    match message {
        RouteNetlinkMessage::NewNeighbour(message) => {
            neighbour(&message, false).map(Event::Neighbour)
        }
        RouteNetlinkMessage::DelNeighbour(message) => {
            neighbour(&message, true).map(Event::Neighbour)
        }
        RouteNetlinkMessage::NewLink(message)
            if message
                .header
                .flags
                .contains(LinkFlags::Up | LinkFlags::LowerUp) =>
        {
            Some(Event::Interfaces)
        }
        RouteNetlinkMessage::NewLink(message) | RouteNetlinkMessage::DelLink(message) => {
            Some(Event::Gone(message.header.index))
        }
        RouteNetlinkMessage::NewAddress(_) | RouteNetlinkMessage::DelAddress(_) => {
            Some(Event::Interfaces)
        }
        _ => None,
    }
}

fn neighbour(message: &NeighbourMessage, is_gone: bool) -> Option<Neighbour> {
    let mut address = None;
    let mut mac = None;
    for attribute in &message.attributes {
        if let NeighbourAttribute::Destination(NeighbourAddress::Inet(ip)) = attribute {
            address = Some(IpAddr::V4(*ip));
        } else if let NeighbourAttribute::Destination(NeighbourAddress::Inet6(ip)) = attribute {
            address = Some(IpAddr::V6(*ip));
        } else if let NeighbourAttribute::LinkLayerAddress(octets) = attribute {
            let octets = octets.as_slice().try_into().ok();
            mac = octets.map(|octets| MacAddr { octets });
        }
    }
    let mac = mac.filter(|&mac| mac != MacAddr::UNSPECIFIED);
    let state = match (message.header.state, mac) {
        _ if is_gone => State::Unknown,
        (NeighbourState::Failed, _) => State::Unresolved,
        (NeighbourState::Permanent, Some(mac)) => State::Permanent(mac),
        (
            NeighbourState::Reachable
            | NeighbourState::Stale
            | NeighbourState::Delay
            | NeighbourState::Probe,
            Some(mac),
        ) => State::Resolved(mac),
        _ => State::Unknown,
    };
    Some(Neighbour {
        address: address?,
        interface: message.header.ifindex,
        state,
    })
}
