//! Hears who says to have which address: ARP's senders, and Neighbor Advertisements.

use std::{
    io,
    net::IpAddr,
    os::fd::{AsRawFd as _, OwnedFd},
};

use anyhow::{Context as _, Result};
use futures_util::{Stream, stream};
use lb_common::wire::{
    Arp, EtherType, Ethernet, Frame as _, Header as _, Ipv6, MacAddr, Ndp, NdpKind, NdpOption,
};
use rustix::net::{AddressFamily, Protocol, RawProtocol, SocketFlags, SocketType, socket_with};
use tokio::io::unix::AsyncFd;

use super::announce::{ETH_P_ARP, ETH_P_IPV6};

/// Somebody says that an address is at a MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The index of the interface that it was heard on.
    pub interface: u32,
    pub address: IpAddr,
    pub mac: MacAddr,
}

/// Octets of a frame that tell: Ethernet, IPv6, an advertisement and some of its options.
const LEN_MAX: usize = 256;

/// Hears all interfaces of this network namespace: those that come later, too. Of IPv6, the kernel looks
/// at each packet for one that is an advertisement, and only these come here; forwarded packets are not
/// among them, as XDP has taken them.
pub fn listen() -> Result<impl Stream<Item = Claim> + Unpin> {
    let arp = open(ETH_P_ARP, &[accept()])?;
    let ndp = open(ETH_P_IPV6, &ADVERTISEMENTS)?;
    let claims = [arp, ndp].map(|socket| {
        let claims = stream::unfold(socket, |socket| async {
            let claim = next(&socket).await;
            claim.map(|claim| (claim, socket))
        });
        Box::pin(claims)
    });
    Ok(stream::select_all(claims))
}

/// Classic BPF over a frame: its next header at 20 is ICMPv6, and its type at 54 an advertisement's.
const ADVERTISEMENTS: [libc::sock_filter; 6] = [
    load(20),
    unless(58, 3),
    load(54),
    unless(136, 1),
    accept(),
    instruction(libc::BPF_RET | libc::BPF_K, 0, 0),
];

const fn load(offset: u32) -> libc::sock_filter {
    instruction(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, 0, offset)
}

/// Skips so many instructions unless what was loaded is `octet`.
const fn unless(octet: u32, skipped: u8) -> libc::sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, skipped, octet)
}

const fn accept() -> libc::sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, 0, LEN_MAX as u32)
}

const fn instruction(code: u32, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf,
        k,
    }
}

fn open(protocol: u16, filter: &[libc::sock_filter]) -> Result<AsyncFd<OwnedFd>> {
    let opened = || -> io::Result<AsyncFd<OwnedFd>> {
        let raw = RawProtocol::new(u32::from(protocol.to_be()));
        let socket = socket_with(
            AddressFamily::PACKET,
            SocketType::RAW,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            raw.map(Protocol::from_raw),
        )?;
        // What came before the filter is looked at as closely as what comes after it.
        attach(&socket, filter)?;
        // SAFETY: the socket is the value's own, and open until that is dropped.
        Ok(unsafe { AsyncFd::register(socket) }?)
    };
    opened().context("cannot open a packet socket to hear who has a VIP")
}

fn attach(socket: &OwnedFd, filter: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: a program of the length that is said, which the kernel copies and does not write to.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            size_of_val(&program) as libc::socklen_t,
        )
    };
    if set < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

async fn next(socket: &AsyncFd<OwnedFd>) -> Option<Claim> {
    let mut frame = [0; LEN_MAX];
    loop {
        let mut ready = socket.readable().await.ok()?;
        let received = ready.try_io(|socket| receive(socket.get_ref(), &mut frame));
        // An interface that goes down is told as an error, once; others are still heard.
        let Ok(Ok((len, interface))) = received else {
            continue;
        };
        if let Some((address, mac)) = claim(&frame[..len]) {
            return Some(Claim {
                interface,
                address,
                mac,
            });
        }
    }
}

/// Receives a frame, cut to the buffer; returns its octets and the index of its interface.
fn receive(socket: &OwnedFd, frame: &mut [u8]) -> io::Result<(usize, u32)> {
    // SAFETY: an address of numbers alone.
    let mut from: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    let mut len = size_of_val(&from) as libc::socklen_t;
    // SAFETY: a buffer and an address that live, of the lengths that are said.
    let received = unsafe {
        libc::recvfrom(
            socket.as_raw_fd(),
            frame.as_mut_ptr().cast(),
            frame.len(),
            0,
            (&raw mut from).cast(),
            &raw mut len,
        )
    };
    match usize::try_from(received) {
        Ok(octets) => Ok((octets, from.sll_ifindex as u32)),
        Err(_negative) => Err(io::Error::last_os_error()),
    }
}

/// Returns whose address a frame says to be at which MAC: what its hearers would take up.
fn claim(frame: &[u8]) -> Option<(IpAddr, MacAddr)> {
    let ethernet: &Ethernet = frame.header(0)?;
    if ethernet.ether_type == EtherType::ARP {
        let arp: &Arp = frame.header(Ethernet::LEN)?;
        let is_one = arp.is_ipv4_over_ethernet() && arp.sender_ip != [0; 4];
        return is_one.then(|| (IpAddr::from(arp.sender_ip), arp.sender_mac));
    }
    let ipv6: &Ipv6 = frame.header(Ethernet::LEN)?;
    let at = Ethernet::LEN + Ipv6::LEN;
    let ndp: &Ndp = frame.header(at)?;
    let is_one = ethernet.ether_type == EtherType::IPV6
        && ipv6.is_version_6()
        && ipv6.next_header == Ndp::PROTOCOL
        && ipv6.hop_limit == Ndp::HOP_LIMIT
        && (ndp.kind, ndp.code) == (NdpKind::NEIGHBOR_ADVERTISEMENT, 0);
    if !is_one {
        return None;
    }
    let target: &[u8; 16] = frame.header(at + Ndp::LEN)?;
    // A sender may leave out its MAC where it is asked by one that has it already.
    let mac = target_mac(frame, at + Ndp::LEN + target.len()).unwrap_or(ethernet.source);
    Some((IpAddr::from(*target), mac))
}

/// Finds the target's MAC among the options, which begin at `at`.
fn target_mac(frame: &[u8], mut at: usize) -> Option<MacAddr> {
    loop {
        let option: &NdpOption = frame.header(at)?;
        if option.kind == NdpOption::TARGET_ADDRESS {
            let octets: &[u8; 6] = frame.header(at + NdpOption::LEN)?;
            return Some(MacAddr { octets: *octets });
        }
        // One without a length makes the message invalid (RFC 4861 section 4.6).
        at += usize::from(option.len.checked_mul(8).filter(|&octets| octets > 0)?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 3];
    const SOURCE: [u8; 6] = [2, 0, 0, 0, 0, 9];
    const VIP6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x64];

    #[test]
    fn who_says_to_have_an_address_is_heard() {
        let (vip, vip6) = (IpAddr::from([10, 0, 0, 100]), IpAddr::from(VIP6));
        let (mac, source) = (MacAddr { octets: MAC }, MacAddr { octets: SOURCE });
        let target = [&[2, 1][..], &MAC].concat();
        let nonce = [&[14, 1][..], &[0; 6], &target].concat();
        for (what, frame, heard) in [
            ("reply", arp(2, [10, 0, 0, 100]), Some((vip, mac))),
            ("request", arp(1, [10, 0, 0, 100]), Some((vip, mac))),
            ("probe", arp(1, [0; 4]), None),
            (
                "RARP's length",
                arp(2, [10, 0, 0, 100])[..40].to_vec(),
                None,
            ),
            ("no option", na(136, 255, &[]), Some((vip6, source))),
            ("target", na(136, 255, &target), Some((vip6, mac))),
            ("another before", na(136, 255, &nonce), Some((vip6, mac))),
            ("no length", na(136, 255, &[14, 0]), Some((vip6, source))),
            ("solicitation", na(135, 255, &target), None),
            ("from afar", na(136, 254, &target), None),
        ] {
            assert_eq!(claim(&frame), heard, "{what}");
        }
    }

    fn arp(operation: u8, sender: [u8; 4]) -> Vec<u8> {
        let head = [0, 1, 8, 0, 6, 4, 0, operation];
        let (ethernet, target) = (ethernet([8, 6]), [10, 0, 0, 9]);
        [&ethernet[..], &head, &MAC, &sender, &[0; 6], &target].concat()
    }

    fn na(kind: u8, hop_limit: u8, options: &[u8]) -> Vec<u8> {
        let len = 24 + options.len() as u8;
        let head = [0x60, 0, 0, 0, 0, len, 58, hop_limit];
        let message = [kind, 0, 0, 0, 0x20, 0, 0, 0];
        let ethernet = ethernet([0x86, 0xdd]);
        [&ethernet[..], &head, &VIP6, &VIP6, &message, &VIP6, options].concat()
    }

    fn ethernet(ether_type: [u8; 2]) -> Vec<u8> {
        [&[0xff; 6][..], &SOURCE, &ether_type].concat()
    }
}
