//! Asks the LAN who has a VIP: whoever else answers has it, too. What the kernel asks itself, of a VIP
//! that is its own, nobody hears.

use std::net::{IpAddr, Ipv6Addr};

use anyhow::{Context as _, Result};
use lb_common::wire::{Arp, MacAddr};
use rustix::fd::OwnedFd;

use super::announce::{ETH_P_IPV6, neighbour_discovery, send, send_arp};

/// Asks all hosts out of an interface of this MAC. `name` is in whose name it asks for a VIP of IPv6,
/// which is not asked for without. Not in nobody's: the answer would go to all nodes and override what
/// they know (RFC 4861 section 7.2.4), and a host that just gets the address would refuse it.
pub fn ask(
    socket: &OwnedFd,
    (interface, mac): (u32, MacAddr),
    name: Option<Ipv6Addr>,
    vip: IpAddr,
) -> Result<()> {
    let sent = match (vip, name) {
        (IpAddr::V4(vip), _) => send_arp(socket, interface, &Arp::probe(mac, vip.octets())),
        (IpAddr::V6(vip), Some(name)) => {
            let (group, group_mac) = solicited_node(vip);
            let packet = solicitation(mac, (name, group), vip);
            send(socket, interface, (group_mac, ETH_P_IPV6), &packet)
        }
        (IpAddr::V6(_), None) => Ok(()),
    };
    sent.with_context(|| format!("cannot ask who has {vip}"))
}

/// Where who has an address listens (RFC 4291 section 2.7.1), and where frames to there go (RFC 2464
/// section 7).
fn solicited_node(address: Ipv6Addr) -> (Ipv6Addr, MacAddr) {
    let [.., a, b, c] = address.octets();
    let [high, low] = [0xff00 | u16::from(a), u16::from_be_bytes([b, c])];
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, high, low);
    let octets = [0x33, 0x33, 0xff, a, b, c];
    (group, MacAddr { octets })
}

/// A Neighbor Solicitation (RFC 4861 section 4.3).
fn solicitation(mac: MacAddr, addresses: (Ipv6Addr, Ipv6Addr), vip: Ipv6Addr) -> Vec<u8> {
    let mut message = vec![135, 0, 0, 0, 0, 0, 0, 0];
    message.extend(vip.octets());
    // The source's link-layer address, in units of eight octets.
    message.extend([1, 1]);
    message.extend(mac.octets);
    neighbour_discovery(addresses, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::announce::checksum;

    /// The group of RFC 4291 section 2.7.1's example, and a solicitation to it.
    #[test]
    fn a_solicitation_is_one_of_rfc_4861() {
        let vip = "4037::1:800:200e:8c6c".parse().unwrap();
        let (group, group_mac) = solicited_node(vip);
        assert_eq!(group.to_string(), "ff02::1:ff0e:8c6c");
        assert_eq!(group_mac.to_string(), "33:33:ff:0e:8c:6c");
        let mac = MacAddr {
            octets: [2, 0, 0, 0, 0, 5],
        };
        let packet = solicitation(mac, ("fe80::5".parse().unwrap(), group), vip);
        assert_eq!(packet[..8], [0x60, 0, 0, 0, 0, 32, 58, 255]);
        assert_eq!(packet[40..42], [135, 0], "type and code");
        assert_eq!(packet[48..64], vip.octets(), "target");
        assert_eq!(packet[64..], [1, 1, 2, 0, 0, 0, 0, 5]);
        let pseudo = [&packet[8..40], &[0, 0, 0, 32, 0, 0, 0, 58], &packet[40..]].concat();
        assert_eq!(checksum(&pseudo), 0, "it verifies");
    }
}
