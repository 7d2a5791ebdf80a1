//! Probe addresses: their nets, and numbers.

use crate::address::{Address, Version};

/// Probe addresses of each version: the network's own is none.
pub const PROBES_MAX: usize = 65_535;
/// Elements of the table of VIPs, by [`element`]: 2 MiB.
pub const ELEMENTS: usize = 2 << 16;
/// Of the addresses that are in no use (RFC 1112 section 4), 240.208.0.0/16.
pub const NET_V4: [u8; 4] = [240, 208, 0, 0];
pub const NET_V4_BITS: u8 = 16;
/// Of the discard-only prefix (RFC 6666), 100::d0:0/112: others use its first addresses.
pub const NET_V6: [u8; 16] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xd0, 0, 0];
pub const NET_V6_BITS: u8 = 112;

/// Returns the probe address of a number, from 1 on.
pub fn address(version: Version, number: u16) -> Address {
    let [high, low] = number.to_be_bytes();
    if version == Version::V4 {
        let [a, b, _, _] = NET_V4;
        return Address::v4([a, b, high, low]);
    }
    let mut octets = NET_V6;
    octets[14..].copy_from_slice(&[high, low]);
    Address::v6(octets)
}

/// Where the VIP of a probe address is among all; `None` of other addresses.
// Of words, in which the last two octets come first: octets would be compared one by one, and to the
// verifier of Linux 6.1 a number whose octets were swapped may be any.
pub fn element(address: Address) -> Option<u32> {
    let [first, second] = address.0;
    let v4 = u64::from(u32::from_le_bytes(NET_V4));
    let Address([high, low]) = Address::v6(NET_V6);
    if second == 0 && first & 0xffff_ffff_0000_ffff == v4 {
        return Some((first >> 16) as u32);
    }
    let is_v6 = first == high && second & 0x0000_ffff_ffff_ffff == low;
    is_v6.then_some(0x1_0000 | (second >> 48) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probe_addresses_are_of_their_nets_and_no_others_are() {
        let mut elements = std::collections::HashSet::new();
        for (version, number, octets) in [
            (Version::V4, 1, &[240, 208, 0, 1][..]),
            (Version::V4, 65_535, &[240, 208, 255, 255]),
            (
                Version::V6,
                258,
                &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xd0, 1, 2],
            ),
        ] {
            let address = address(version, number);
            assert_eq!(address.octets()[..octets.len()], *octets);
            assert!(elements.insert(element(address)), "{octets:?}");
            assert!(element(address).is_some_and(|it| it < ELEMENTS as u32));
            for octet in 0..octets.len() - 2 {
                let mut other = address.octets();
                other[octet] ^= 0x10;
                assert_eq!(element(Address::v6(other)), None, "{octet} of {octets:?}");
            }
        }
    }
}
