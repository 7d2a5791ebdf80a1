//! ICMP and ICMPv6 echo (RFC 792, RFC 4443 section 4), by a raw socket, which takes CAP_NET_RAW: datagram sockets are for
//! the groups of `ping_group_range`, by default none.

use std::{io, net::SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::{Bad, Good, Probe, random, tcp::NO_PORT, told};

const REQUEST: u8 = 8;
const REPLY: u8 = 0;
const REQUEST_V6: u8 = 128;
const REPLY_V6: u8 = 129;

/// A header, and what no other request has.
type Message = [u8; 16];

pub(super) async fn check(probe: &Probe) -> Result<Good, Bad> {
    // Replies are told apart by their identifier, as those of connections by their port.
    let id = probe.ports.take().ok_or(NO_PORT)?;
    let socket = socket(probe.to).map_err(|error| {
        match error.kind() == io::ErrorKind::PermissionDenied {
            true => "the daemon may not ping: it needs CAP_NET_RAW".into(),
            false => told(&error),
        }
    })?;
    let is_ipv4 = probe.to.is_ipv4();
    let request = request(id.port(), is_ipv4);
    socket.send(&request).await.map_err(|error| told(&error))?;
    let replied = probe.by("reply", reply(&socket, &request, is_ipv4)).await?;
    replied.map_err(|error| told(&error))?;
    Ok("replied".into())
}

/// Of what comes from the address, whatever it is. The standard library has no raw sockets; one that sends and receives
/// is as good as UDP's.
fn socket(to: SocketAddr) -> io::Result<UdpSocket> {
    let (domain, protocol) = match to {
        SocketAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        SocketAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let socket = Socket::new(domain, Type::RAW, Some(protocol))?;
    socket.set_nonblocking(true)?;
    // A port would be taken for a protocol, in IPv6.
    socket.connect(&SocketAddr::new(to.ip(), 0).into())?;
    UdpSocket::from_std(socket.into())
}

fn request(id: u16, is_ipv4: bool) -> Message {
    let mut message = [0; 16];
    message[0] = if is_ipv4 { REQUEST } else { REQUEST_V6 };
    message[4..6].copy_from_slice(&id.to_be_bytes());
    message[8..].copy_from_slice(&random::<8>());
    // The kernel fills in that of ICMPv6, which is of the addresses, too.
    if is_ipv4 {
        let checksum = checksum(&message);
        message[2..4].copy_from_slice(&checksum);
    }
    message
}

/// RFC 1071.
fn checksum(message: &Message) -> [u8; 2] {
    let words = message.chunks_exact(2);
    let sum: u32 = words
        .map(|it| u32::from(it[0]) << 8 | u32::from(it[1]))
        .sum();
    // 8 words carry at most 7, and then no more.
    let sum = (sum >> 16) + (sum & 0xffff);
    (!(sum as u16)).to_be_bytes()
}

async fn reply(socket: &UdpSocket, request: &Message, is_ipv4: bool) -> io::Result<()> {
    let mut packet = [0; 256];
    loop {
        let len = socket.recv(&mut packet).await?;
        let packet = packet.get(..len).unwrap_or_default();
        // IPv4 comes with its header.
        let header = match packet.first() {
            Some(first) if is_ipv4 => usize::from(first & 0xf) * 4,
            _ => 0,
        };
        let kind = if is_ipv4 { REPLY } else { REPLY_V6 };
        let message = packet.get(header..).unwrap_or_default();
        if message.first() == Some(&kind) && message.get(4..) == Some(&request[4..]) {
            return Ok(());
        }
    }
}
