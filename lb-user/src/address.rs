//! Addresses between their two forms: as people say them, and as packets and tables have them.

use std::net::{IpAddr, Ipv4Addr};

use lb_common::address::{Address, Version};

pub fn of(ip: IpAddr) -> (Address, Version) {
    match ip {
        IpAddr::V4(ip) => (Address::v4(ip.octets()), Version::V4),
        IpAddr::V6(ip) => (Address::v6(ip.octets()), Version::V6),
    }
}

/// Returns the length of the prefix that a mask is; `None` if ones come after zeros, or there are none.
pub fn length_of(mask: Ipv4Addr) -> Option<u8> {
    let bits = mask.to_bits();
    let is_prefix = bits != 0 && bits.leading_ones() == bits.count_ones();
    is_prefix.then_some(bits.count_ones() as u8)
}

/// Reads a prefix length from 1, or a mask as in 255.255.255.0.
pub fn prefix(text: &str) -> Option<u8> {
    let prefix = match text.parse() {
        Ok(mask) => length_of(mask),
        Err(_) => text.parse().ok(),
    };
    prefix.filter(|prefix| (1..=128).contains(prefix))
}

/// Returns the IP address, or `None` if there is no such version.
pub fn ip(address: Address, version: Version) -> Option<IpAddr> {
    match version {
        Version::V4 => Some(address.octets_v4().into()),
        Version::V6 => Some(address.octets().into()),
        Version(_) => None,
    }
}
