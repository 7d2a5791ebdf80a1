//! A packet as a client would send it.

use std::{iter, net::IpAddr};

use anyhow::{Result, bail, ensure};
use lb_common::wire::{MacAddr, Protocol, Sctp, Tcp};

use crate::{
    api::explain::{Made, TcpFlag},
    service::Transport,
};

/// Who sends it: a router, whose MAC nobody looks at.
const FROM: [u8; 6] = [2, 0, 0, 0, 0, 1];
const ETHERNET_MIN: usize = 60;
const TTL: u8 = 64;
const VLAN_MAX: u16 = 4094;

/// Makes the frame, sent to a MAC.
pub(super) fn frame(made: &Made, to: MacAddr) -> Result<Vec<u8>> {
    ensure!(
        made.protocol == Transport::Tcp || made.flags.is_empty(),
        "flags are TCP's; {} has none",
        made.protocol.number()
    );
    let (client, vip) = (made.client.ip(), made.vip.ip());
    let packet = match made.icmp_error {
        false => ip(client, vip, made.protocol.number(), &transport(made))?,
        true => {
            let reply = Made {
                client: made.vip,
                vip: made.client,
                ..made.clone()
            };
            let quoted = ip(vip, client, made.protocol.number(), &transport(&reply))?;
            let (protocol, message) = about(&quoted);
            ip(client, vip, protocol, &message)?
        }
    };
    let mut frame = [to.octets, FROM].concat();
    if let Some(vlan) = made.vlan {
        ensure!(
            (1..=VLAN_MAX).contains(&vlan),
            "a VLAN is from 1 to {VLAN_MAX}"
        );
        frame.extend([0x81, 0x00]);
        frame.extend(vlan.to_be_bytes());
    }
    frame.extend(match client {
        IpAddr::V4(_) => [0x08, 0x00],
        IpAddr::V6(_) => [0x86, 0xdd],
    });
    frame.extend(packet);
    frame.resize(frame.len().max(ETHERNET_MIN), 0);
    Ok(frame)
}

/// Of a payload's checksums nobody here asks.
fn transport(made: &Made) -> Vec<u8> {
    let ports = [made.client.port(), made.vip.port()].map(u16::to_be_bytes);
    let rest: &[u8] = match made.protocol {
        Transport::Tcp => {
            let flags = made.flags.iter().map(|flag| match flag {
                TcpFlag::Fin => Tcp::FIN,
                TcpFlag::Syn => Tcp::SYN,
                TcpFlag::Rst => Tcp::RST,
                TcpFlag::Ack => Tcp::ACK,
            });
            let flags = flags.fold(0, |all, flag| all | flag);
            &[0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]
        }
        Transport::Udp => &[0, 8, 0, 0],
        // A packet that begins an association (RFC 9260 section 3).
        Transport::Sctp => &[0, 0, 0, 0, 0, 0, 0, 0, Sctp::INIT, 0, 0, 4],
    };
    [ports.as_flattened(), rest].concat()
}

/// That a packet was too big (RFC 792, RFC 4443 section 3.2): what is sent most.
fn about(packet: &[u8]) -> (Protocol, Vec<u8>) {
    const MTU: [u8; 4] = [0, 0, 5, 0];
    let (protocol, kind) = match packet[0] >> 4 {
        4 => (Protocol(1), [3, 4]),
        _ => (Protocol(58), [2, 0]),
    };
    let message = [&kind[..], &[0, 0], &MTU, packet].concat();
    (protocol, message)
}

fn ip(from: IpAddr, to: IpAddr, protocol: Protocol, payload: &[u8]) -> Result<Vec<u8>> {
    let len = payload.len() as u16;
    let header = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let [high, low] = (20 + len).to_be_bytes();
            let mut header = vec![0x45, 0, high, low, 0, 1, 0x40, 0, TTL, protocol.0, 0, 0];
            header.extend(iter::chain(from.octets(), to.octets()));
            let checksum = checksum(&header);
            header[10..12].copy_from_slice(&checksum);
            header
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let [high, low] = len.to_be_bytes();
            let mut header = vec![0x60, 0, 0, 0, high, low, protocol.0, TTL];
            header.extend(iter::chain(from.octets(), to.octets()));
            header
        }
        _ => bail!("{from} and {to} are of different versions of IP"),
    };
    Ok([&header, payload].concat())
}

/// Of an IPv4 header (RFC 1071 section 1).
fn checksum(header: &[u8]) -> [u8; 2] {
    let words = header.chunks_exact(2);
    let mut sum: u32 = words
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}
