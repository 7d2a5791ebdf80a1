//! Netmasks.

use std::net::Ipv4Addr;

/// Reads a prefix length, or a mask as in 255.255.255.0, which must be of ones before zeros.
pub(super) fn prefix(text: &str) -> Option<u8> {
    let prefix = match text.parse::<Ipv4Addr>() {
        Ok(mask) => {
            let ones = mask.to_bits().leading_ones();
            (mask.to_bits().count_ones() == ones).then_some(ones as u8)
        }
        Err(_) => text.parse().ok(),
    };
    prefix.filter(|prefix| (1..=128).contains(prefix))
}
