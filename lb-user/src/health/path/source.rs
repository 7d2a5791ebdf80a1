//! What a check is sent from.

use std::{collections::HashSet, net::IpAddr};

use crate::net::addresses::Address;

/// The address of this host's in the subnet of `real`: not a VIP, which the real server has, too.
pub(super) fn toward(
    real: IpAddr,
    addresses: &[Address],
    vips: &HashSet<IpAddr>,
) -> Option<IpAddr> {
    let in_subnet = addresses.iter().filter(|address| {
        let is_subnet = address.net.prefix_len() < address.net.max_prefix_len();
        is_subnet && address.net.contains(&real) && !vips.contains(&address.ip())
    });
    // As the kernel would, a primary one before a secondary one.
    let chosen = in_subnet.min_by_key(|address| (address.is_secondary, address.is_host_scope));
    chosen.map(Address::ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_of_the_real_servers_subnet_and_no_vip() {
        let addresses = [
            ("192.0.2.1/32", false),
            ("198.51.100.1/24", false),
            ("10.0.0.100/24", false),
            ("10.0.0.7/24", true),
            ("10.0.0.5/24", false),
            ("fe80::5/64", false),
            ("2001:db8::100/128", false),
            ("2001:db8::5/64", false),
        ];
        let addresses = addresses.map(|(net, is_secondary)| Address {
            net: net.parse().unwrap(),
            is_secondary,
            is_host_scope: false,
        });
        for (real, vips, want) in [
            ("10.0.0.2", &["10.0.0.100"][..], Some("10.0.0.5")),
            ("10.0.0.2", &["10.0.0.100", "10.0.0.5"], Some("10.0.0.7")),
            ("198.51.100.2", &[], Some("198.51.100.1")),
            ("192.0.2.2", &[], None),
            ("2001:db8::2", &["2001:db8::100"], Some("2001:db8::5")),
            ("fe80::2", &[], Some("fe80::5")),
            ("2001:db8:1::2", &[], None),
        ] {
            let vips = vips.iter().map(|vip| vip.parse().unwrap()).collect();
            let want = want.map(|want| want.parse().unwrap());
            let real = real.parse().unwrap();
            assert_eq!(toward(real, &addresses, &vips), want, "{real}");
        }
    }
}
