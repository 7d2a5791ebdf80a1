//! Which probe address is given to which VIP on which real server.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use anyhow::{Result, ensure};
use ipnet::IpNet;
use lb_common::{
    address::Version,
    probe::{self, NET_V4, NET_V4_BITS, NET_V6, NET_V6_BITS, PROBES_MAX},
};

use super::Probed;
use crate::address;

/// A VIP, and the real server that is asked for it.
type Pair = (IpAddr, IpAddr);

#[derive(Debug, Default)]
pub(super) struct Given {
    all: HashMap<Pair, IpAddr>,
    /// Of each version, the number that was given last. One that comes free is given again when all
    /// others have been: something may still be on its way to it.
    last: [u16; 2],
}

impl Given {
    pub(super) fn all(&self) -> &HashMap<Pair, IpAddr> {
        &self.all
    }

    /// Gives an address to each that is wanted; those that are not lose theirs.
    pub(super) fn bring_to(&mut self, wanted: &[Probed]) -> Result<()> {
        let wanted: HashSet<Pair> = wanted.iter().map(|it| (it.vip, it.real)).collect();
        for version in [Version::V4, Version::V6] {
            let is_it = |(vip, _): &&Pair| address::of(*vip).1 == version;
            let count = wanted.iter().filter(is_it).count();
            ensure!(
                count <= PROBES_MAX,
                "{count} pairs of VIP and real server have checks by IPv{}; at most {PROBES_MAX} can",
                version.0
            );
        }
        self.all.retain(|pair, _| wanted.contains(pair));
        let mut taken: HashSet<IpAddr> = self.all.values().copied().collect();
        for pair in wanted {
            if self.all.contains_key(&pair) {
                continue;
            }
            let (_, version) = address::of(pair.0);
            let last = &mut self.last[usize::from(version == Version::V6)];
            // There is one: no more are wanted than there are.
            let probe = loop {
                *last = last.checked_add(1).unwrap_or(1);
                let probe = address::ip(probe::address(version, *last), version);
                if let Some(probe) = probe.filter(|probe| taken.insert(*probe)) {
                    break probe;
                }
            };
            self.all.insert(pair, probe);
        }
        Ok(())
    }
}

/// The nets of the probe addresses.
pub(super) fn nets() -> impl Iterator<Item = IpNet> {
    let nets = [
        (IpAddr::from(Ipv4Addr::from(NET_V4)), NET_V4_BITS),
        (IpAddr::from(Ipv6Addr::from(NET_V6)), NET_V6_BITS),
    ];
    nets.into_iter()
        .filter_map(|(address, bits)| IpNet::new(address, bits).ok())
}

pub(super) fn is_ours(net: IpNet) -> bool {
    nets().any(|ours| ours.contains(&net))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unchanged_keep_theirs_and_a_free_one_waits() {
        let mut given = Given::default();
        given.bring_to(&[probed(1, 1)]).unwrap();
        let first = given.all[&pair(1, 1)];
        assert_eq!(first, ip("240.208.0.1"));
        given.bring_to(&[probed(1, 1), probed(1, 2)]).unwrap();
        assert_eq!(given.all[&pair(1, 1)], first);
        assert_eq!(given.all[&pair(1, 2)], ip("240.208.0.2"));
        given.bring_to(&[probed(1, 2), probed(2, 2)]).unwrap();
        assert_eq!(given.all[&pair(2, 2)], ip("240.208.0.3"));
        assert_eq!(given.all.len(), 2);
        let v6 = Probed {
            vip: ip("2001:db8::1"),
            real: ip("2001:db8::2"),
            interface: 1,
        };
        given.bring_to(&[v6]).unwrap();
        assert_eq!(given.all[&(v6.vip, v6.real)], ip("100::d0:1"));
    }

    #[test]
    fn as_many_as_there_are_and_no_more() {
        let all: Vec<Probed> = (0..=PROBES_MAX as u32).map(|i| probed(i >> 8, i)).collect();
        let mut given = Given::default();
        given.bring_to(&all[1..]).unwrap();
        let addresses: HashSet<&IpAddr> = given.all.values().collect();
        assert_eq!(addresses.len(), PROBES_MAX);
        assert!(addresses.iter().all(|&&probe| is_ours(probe.into())));
        let error = given.bring_to(&all).unwrap_err().to_string();
        assert_eq!(
            error,
            "65536 pairs of VIP and real server have checks by IPv4; at most 65535 can"
        );
        // One that is free is found again.
        let kept = given.all[&pair(2, 2 << 8)];
        given.bring_to(&all[..PROBES_MAX]).unwrap();
        assert_eq!(given.all[&pair(2, 2 << 8)], kept);
        assert_eq!(given.all.len(), PROBES_MAX);
    }

    fn probed(vip: u32, real: u32) -> Probed {
        let (vip, real) = pair(vip, real);
        Probed {
            vip,
            real,
            interface: 1,
        }
    }

    fn pair(vip: u32, real: u32) -> Pair {
        let address = |net: u32, number| Ipv4Addr::from_bits(net << 24 | number).into();
        (address(172, vip), address(10, real))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }
}
