//! Tells the LAN that a VIP is here now: gratuitous ARP, and the unsolicited Neighbor Advertisement.

use std::{
    io,
    net::{IpAddr, Ipv6Addr},
    os::fd::AsRawFd as _,
    slice,
};

use anyhow::{Context as _, Result};
use lb_common::wire::{Arp, MacAddr};
use rustix::{
    fd::OwnedFd,
    net::{AddressFamily, Protocol, SocketFlags, SocketType, socket_with},
};

pub(super) const ETH_P_ARP: u16 = 0x0806;
pub(super) const ETH_P_IPV6: u16 = 0x86dd;
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// Where frames to [`ALL_NODES`] go (RFC 2464 section 7).
const ALL_NODES_MAC: MacAddr = MacAddr {
    octets: [0x33, 0x33, 0, 0, 0, 1],
};

/// Opens a socket to announce by. One serves for any number of VIPs: to close it takes the kernel a
/// hundredth of a second.
pub fn open() -> Result<OwnedFd> {
    // The kernel writes the Ethernet header; nothing is received through the socket.
    let none: Option<Protocol> = None;
    let socket = socket_with(
        AddressFamily::PACKET,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        none,
    );
    socket.context("cannot open a packet socket to announce a VIP by")
}

/// Tells all hosts out of an interface that `vip` is at `mac`.
pub fn announce(socket: &OwnedFd, interface: u32, mac: MacAddr, vip: IpAddr) -> Result<()> {
    let sent = match vip {
        IpAddr::V4(vip) => {
            let arp = Arp::announcement(mac, vip.octets());
            send_arp(socket, interface, &arp)
        }
        IpAddr::V6(vip) => {
            let packet = advertisement(mac, vip);
            send(socket, interface, (ALL_NODES_MAC, ETH_P_IPV6), &packet)
        }
    };
    sent.with_context(|| format!("cannot announce {vip}"))
}

/// Sends a message of ARP to all hosts.
pub(super) fn send_arp(socket: &OwnedFd, interface: u32, arp: &Arp) -> io::Result<()> {
    // SAFETY: a header is octets without padding.
    let octets = unsafe { slice::from_raw_parts((&raw const *arp).cast(), size_of::<Arp>()) };
    send(socket, interface, (MacAddr::BROADCAST, ETH_P_ARP), octets)
}

/// An unsolicited Neighbor Advertisement that overrides what is known (RFC 4861 section 7.2.6).
fn advertisement(mac: MacAddr, vip: Ipv6Addr) -> Vec<u8> {
    const OVERRIDE: u8 = 0x20;
    let mut message = vec![136, 0, 0, 0, OVERRIDE, 0, 0, 0];
    message.extend(vip.octets());
    // The target's link-layer address, in units of eight octets.
    message.extend([2, 1]);
    message.extend(mac.octets);
    neighbour_discovery((vip, ALL_NODES), message)
}

/// Completes a message of Neighbor Discovery, of an even number of octets, to a packet.
pub(super) fn neighbour_discovery(
    (source, destination): (Ipv6Addr, Ipv6Addr),
    mut message: Vec<u8>,
) -> Vec<u8> {
    const ICMPV6: u8 = 58;
    let len = message.len() as u8;
    let mut addresses = source.octets().to_vec();
    addresses.extend(destination.octets());
    let pseudo = [&addresses[..], &[0, 0, 0, len, 0, 0, 0, ICMPV6], &message].concat();
    message[2..4].copy_from_slice(&checksum(&pseudo).to_be_bytes());
    let header = [0x60, 0, 0, 0, 0, len, ICMPV6, 255];
    [&header[..], &addresses, &message].concat()
}

/// RFC 1071 section 1, of an even number of octets.
pub(super) fn checksum(octets: &[u8]) -> u16 {
    let words = octets.chunks_exact(2);
    let sum: u32 = words
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    !((sum & 0xffff) + (sum >> 16)) as u16
}

pub(super) fn send(
    socket: &OwnedFd,
    interface: u32,
    (to, protocol): (MacAddr, u16),
    payload: &[u8],
) -> io::Result<()> {
    let mut octets = [0; 8];
    octets[..6].copy_from_slice(&to.octets);
    let to = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: protocol.to_be(),
        sll_ifindex: interface as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 6,
        sll_addr: octets,
    };
    // SAFETY: octets that live, and an address of the length that is said.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            payload.as_ptr().cast(),
            payload.len(),
            0,
            (&raw const to).cast(),
            size_of_val(&to) as libc::socklen_t,
        )
    };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beside what Linux sends for `ip -6 addr add 2001:db8::64/128 dev eth0` with `ndisc_notify`.
    #[test]
    fn an_advertisement_is_one_of_rfc_4861() {
        let mac = MacAddr {
            octets: [2, 0, 0, 0, 0, 5],
        };
        let vip = "2001:db8::64".parse().unwrap();
        let packet = advertisement(mac, vip);
        assert_eq!(packet.len(), 40 + 24 + 8);
        assert_eq!(packet[..8], [0x60, 0, 0, 0, 0, 32, 58, 255]);
        assert_eq!(packet[40..42], [136, 0], "type and code");
        assert_eq!(packet[44], 0x20, "override, neither router nor solicited");
        assert_eq!(packet[48..64], vip.octets(), "target");
        assert_eq!(packet[64..], [2, 1, 2, 0, 0, 0, 0, 5]);
        let pseudo = [&packet[8..40], &[0, 0, 0, 32, 0, 0, 0, 58], &packet[40..]].concat();
        assert_eq!(checksum(&pseudo), 0, "it verifies");
    }
}
