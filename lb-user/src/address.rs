//! Addresses between their two forms: as people say them, and as packets and tables have them.

use std::net::IpAddr;

use lb_common::address::{Address, Version};

pub fn of(ip: IpAddr) -> (Address, Version) {
    match ip {
        IpAddr::V4(ip) => (Address::v4(ip.octets()), Version::V4),
        IpAddr::V6(ip) => (Address::v6(ip.octets()), Version::V6),
    }
}

/// Returns the IP address, or `None` if there is no such version.
pub fn ip(address: Address, version: Version) -> Option<IpAddr> {
    match version {
        Version::V4 => Some(address.octets_v4().into()),
        Version::V6 => Some(address.octets().into()),
        Version(_) => None,
    }
}
