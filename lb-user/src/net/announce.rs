//! Gratuitous ARP: tells the LAN that a VIP is here now.

use std::{io, net::Ipv4Addr, os::fd::AsRawFd as _};

use anyhow::{Context as _, Result};
use lb_common::wire::{Arp, MacAddr};
use rustix::{
    fd::OwnedFd,
    net::{AddressFamily, Protocol, SocketFlags, SocketType, socket_with},
};

const ETH_P_ARP: u16 = 0x0806;

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

/// Broadcasts that `vip` is at `mac` out of an interface.
pub fn announce(socket: &OwnedFd, interface: u32, mac: MacAddr, vip: Ipv4Addr) -> Result<()> {
    let arp = Arp::announcement(mac, vip.octets());
    send(socket, interface, &arp).with_context(|| format!("cannot announce {vip}"))
}

fn send(socket: &OwnedFd, interface: u32, arp: &Arp) -> io::Result<()> {
    let mut octets = [0; 8];
    octets[..6].copy_from_slice(&MacAddr::BROADCAST.octets);
    let to = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: ETH_P_ARP.to_be(),
        sll_ifindex: interface as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 6,
        sll_addr: octets,
    };
    // SAFETY: a header of octets without padding, and an address of the length that is said.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            (&raw const *arp).cast(),
            size_of::<Arp>(),
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
