//! ARP (RFC 826) for IPv4 over Ethernet.

use super::{MacAddr, headers};

#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation([u8; 2]);

impl Operation {
    pub const REQUEST: Self = Self([0, 1]);
    pub const REPLY: Self = Self([0, 2]);
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Arp {
    kind: [u8; 6],
    pub operation: Operation,
    pub sender_mac: MacAddr,
    pub sender_ip: [u8; 4],
    pub target_mac: MacAddr,
    pub target_ip: [u8; 4],
}

impl Arp {
    /// Hardware type Ethernet, protocol type IPv4, and the lengths of their addresses.
    const IPV4_OVER_ETHERNET: [u8; 6] = [0, 1, 0x08, 0x00, 6, 4];

    /// A gratuitous request: tells everyone that `ip` is at `mac` (RFC 5227 section 2.3).
    pub fn announcement(mac: MacAddr, ip: [u8; 4]) -> Self {
        Self {
            kind: Self::IPV4_OVER_ETHERNET,
            operation: Operation::REQUEST,
            sender_mac: mac,
            sender_ip: ip,
            target_mac: MacAddr::UNSPECIFIED,
            target_ip: ip,
        }
    }

    /// Asks everyone for `ip` in nobody's name, so that nobody takes up who asks (RFC 5227 section 2.1.1).
    pub fn probe(mac: MacAddr, ip: [u8; 4]) -> Self {
        Self {
            sender_ip: [0; 4],
            ..Self::announcement(mac, ip)
        }
    }

    /// Whether the addresses are where this view has them; other kinds of ARP are laid out differently.
    pub fn is_ipv4_over_ethernet(&self) -> bool {
        self.kind == Self::IPV4_OVER_ETHERNET
    }
}

headers!(Arp: 28);
