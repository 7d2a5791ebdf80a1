//! `virtual_server_group`: addresses, ranges of them, and marks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{super::notes::Notes, tree::Statement};
use crate::service::{PortRange, ServiceName, Transport};

/// Addresses of one group.
const ADDRESSES_MAX: u128 = 4096;

/// Returns the destinations of a group, of the protocol, in their order.
pub(super) fn destinations(
    group: &Statement,
    protocol: Transport,
    notes: &mut Notes,
) -> Vec<ServiceName> {
    let mut all = Vec::new();
    for entry in &group.block {
        let found = match entry.name() {
            "fwmark" => Err(
                "which VIPs and ports have the mark is said in iptables or nft; add them to `listen`"
                    .to_owned(),
            ),
            range => addresses(range).and_then(|range| Ok((range, port(entry.argument(1))?))),
        };
        match found {
            Err(why) => notes.left(&entry.place, format!("{}: {why}", entry.text())),
            Ok((range, _)) if all.len() as u128 + range.count() > ADDRESSES_MAX => {
                let what = format!(
                    "{}: a group of more than {ADDRESSES_MAX} addresses",
                    entry.text()
                );
                notes.left(&entry.place, what);
            }
            Ok((range, ports)) => all.extend(range.all().map(|vip| ServiceName {
                protocol,
                vip,
                ports,
            })),
        }
    }
    all
}

/// Reads a port; none and 0 are every port.
pub(super) fn port(text: &str) -> Result<PortRange, String> {
    match text {
        "" | "0" => Ok(PortRange::ANY),
        one => {
            let port = one
                .parse()
                .map_err(|_no_number| format!("`{one}` is no port"))?;
            Ok(PortRange {
                first: port,
                last: port,
            })
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    first: u128,
    last: u128,
    is_ipv6: bool,
}

impl Addresses {
    fn count(self) -> u128 {
        (self.last - self.first).saturating_add(1)
    }

    fn all(self) -> impl Iterator<Item = IpAddr> {
        (self.first..=self.last).map(move |number| match self.is_ipv6 {
            true => Ipv6Addr::from(number).into(),
            // Never above: both ends are of the version.
            false => Ipv4Addr::from(number as u32).into(),
        })
    }
}

/// Reads `192.0.2.1`, `192.0.2.1-9`, `192.0.2.1-192.0.3.9` and `192.0.2.8/29`, or of IPv6, where a short end is
/// hexadecimal.
fn addresses(text: &str) -> Result<Addresses, String> {
    let bad = || format!("`{text}` is no address and no range of addresses");
    let of = |first: IpAddr, last: IpAddr| {
        let is_ipv6 = first.is_ipv6();
        let (first, last) = (number(first), number(last));
        let is_range = first <= last;
        let range = Addresses {
            first,
            last,
            is_ipv6,
        };
        is_range.then_some(range).ok_or_else(bad)
    };
    if let Ok(network) = text.parse::<ipnet::IpNet>() {
        return match network.network() == network.addr() {
            true => of(network.network(), network.broadcast()),
            false => Err(format!("`{text}` has bits beyond its prefix")),
        };
    }
    let (first, end) = text.split_once('-').unwrap_or((text, ""));
    let first: IpAddr = first.parse().map_err(|_no_address| bad())?;
    let last = match (first, end) {
        (_, "") => first,
        (IpAddr::V4(first), end) if !end.contains('.') => {
            let [a, b, c, _] = first.octets();
            let end = end.parse().map_err(|_no_number| bad())?;
            Ipv4Addr::new(a, b, c, end).into()
        }
        (IpAddr::V6(first), end) if !end.contains(':') => {
            let end = u16::from_str_radix(end, 16).map_err(|_no_number| bad())?;
            let mut segments = first.segments();
            segments[7] = end;
            Ipv6Addr::from(segments).into()
        }
        (_, end) => end.parse().map_err(|_no_address| bad())?,
    };
    match last.is_ipv4() == first.is_ipv4() {
        true => of(first, last),
        false => Err(bad()),
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}
