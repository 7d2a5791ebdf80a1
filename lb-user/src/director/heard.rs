//! What is remembered of others who say to have a VIP, and whose turn it is to be asked for.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant, SystemTime},
};

use lb_common::wire::MacAddr;
use rustix::fd::OwnedFd;

use crate::net::{announce, ask, claims::Claim};

/// Pairs of VIP and MAC that are remembered; of others it is counted how often they are heard.
const PAIRS_MAX: usize = 256;
/// VIPs that are asked for at one tick, on each interface.
const ASKED_MAX: usize = 256;
/// A pair is not told again before.
const AGAIN: Duration = Duration::from_secs(60);
pub(super) type Pair = (IpAddr, MacAddr);

#[derive(Debug, Default)]
pub(super) struct Leaks {
    /// What is asked by; without it nothing is.
    socket: Option<OwnedFd>,
    /// Where the VIPs are, by index.
    pub(super) ports: BTreeMap<u32, Port>,
    /// The MACs of this host.
    pub(super) own: HashSet<MacAddr>,
    /// The VIPs, and whether they are this director's at present: nobody else's, then.
    pub(super) vips: BTreeMap<IpAddr, bool>,
    to_ask: BTreeSet<IpAddr>,
    pub(super) pairs: BTreeMap<Pair, Leak>,
    /// How often others were heard than `pairs` has room for.
    pub(super) more: u64,
}

#[derive(Debug)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) mac: MacAddr,
    /// In whose name IPv6 is asked.
    pub(super) source: Option<Ipv6Addr>,
}

#[derive(Debug)]
pub(super) struct Leak {
    pub(super) interface: String,
    pub(super) since: SystemTime,
    pub(super) seen: SystemTime,
    heard: Instant,
    told: Instant,
    pub(super) count: u64,
    /// It is remembered only so that it is not told again at once.
    pub(super) is_over: bool,
}

impl Leaks {
    pub(super) fn new() -> Self {
        let socket = announce::open();
        if let Err(error) = &socket {
            tracing::warn!("{error:#}; nobody is asked who else has one");
        }
        Self {
            socket: socket.ok(),
            ..Self::default()
        }
    }

    /// Takes up whose VIPs they are; those that have come are asked for soon.
    pub(super) fn look(&mut self, vips: BTreeMap<IpAddr, bool>) {
        let is_new = |vip: &IpAddr| self.vips.get(vip) != Some(&true);
        let held = vips.iter().filter(|(_, is_held)| **is_held);
        self.to_ask.extend(held.map(|(vip, _)| *vip).filter(is_new));
        self.to_ask.retain(|vip| vips.get(vip) == Some(&true));
        self.vips = vips;
    }

    /// Takes up that a MAC was said to have an address; whether that is to be told.
    pub(super) fn hear(&mut self, claim: Claim, is_real: bool, now: Instant) -> bool {
        let Claim {
            interface,
            address,
            mac,
        } = claim;
        let Some((&is_held, port)) = self.vips.get(&address).zip(self.ports.get(&interface)) else {
            return false;
        };
        // Who holds a VIP that this director does not is another director.
        if self.own.contains(&mac) || !(is_held || is_real) {
            return false;
        }
        let pair = (address, mac);
        let is_known = self.pairs.contains_key(&pair);
        if !is_known && self.pairs.len() >= PAIRS_MAX {
            self.more += 1;
            return false;
        }
        let time = SystemTime::now();
        let leak = self.pairs.entry(pair).or_insert_with(|| Leak {
            interface: port.name.clone(),
            since: time,
            seen: time,
            heard: now,
            told: now,
            count: 0,
            is_over: false,
        });
        leak.count += 1;
        (leak.seen, leak.heard) = (time, now);
        if !leak.is_over {
            return !is_known;
        }
        if now.duration_since(leak.told) < AGAIN {
            return false;
        }
        (leak.is_over, leak.since, leak.count, leak.told) = (false, time, 1, now);
        true
    }

    /// Returns those that are over now: they, or the VIP, have not been there for `after`.
    pub(super) fn end(&mut self, after: Duration, now: Instant) -> Vec<(Pair, String)> {
        let mut over = Vec::new();
        for (pair, leak) in &mut self.pairs {
            let is_silent = now.duration_since(leak.heard) >= after;
            if !leak.is_over && (is_silent || !self.vips.contains_key(&pair.0)) {
                leak.is_over = true;
                over.push((*pair, leak.interface.clone()));
            }
        }
        self.pairs
            .retain(|_, leak| !leak.is_over || now.duration_since(leak.told) < AGAIN);
        over
    }

    /// Asks for the VIPs whose turn it is, each once in `period` ticks.
    pub(super) fn ask(&mut self, period: u64, ticks: u64) {
        let held = self.vips.iter().filter(|(_, is_held)| **is_held);
        let due = held
            .enumerate()
            .filter(|(i, _)| *i as u64 % period == ticks % period);
        self.to_ask.extend(due.map(|(_, (vip, _))| *vip));
        let Some(socket) = &self.socket else {
            return;
        };
        for _ in 0..ASKED_MAX {
            let Some(vip) = self.to_ask.pop_first() else {
                break;
            };
            for (&index, port) in &self.ports {
                if let Err(error) = ask::ask(socket, (index, port.mac), port.source, vip) {
                    tracing::debug!("{error:#}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETH0: u32 = 2;

    #[test]
    fn what_is_heard_is_told_once_and_not_again_within_a_minute() {
        let mut leaks = leaks();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(leaks.hear(claim(1, 3), false, at(0)));
        assert!(!leaks.hear(claim(1, 3), false, at(1)), "known");
        assert!(leaks.hear(claim(1, 4), false, at(1)), "another MAC");
        let after = Duration::from_secs(5);
        assert_eq!(leaks.end(after, at(5)), []);
        let over = (ip(1), mac(3));
        assert_eq!(leaks.end(after, at(6))[0], (over, "eth0".to_owned()));
        assert_eq!(leaks.end(after, at(7)), [], "once");
        assert!(!leaks.hear(claim(1, 3), false, at(59)));
        assert!(leaks.hear(claim(1, 3), false, at(60)), "a minute on");
        let leak = &leaks.pairs[&over];
        assert_eq!((leak.count, leak.is_over), (1, false));
        leaks.look(BTreeMap::new());
        assert_eq!(leaks.end(after, at(61)).len(), 1, "with its VIP");
        assert_eq!(
            leaks.pairs.len(),
            1,
            "the one that was told a minute ago is gone"
        );
    }

    #[test]
    fn what_is_expected_is_no_leak() {
        let now = Instant::now();
        for (what, claim, is_real, is_told) in [
            ("a stranger's", claim(1, 3), false, true),
            ("this host's own", claim(1, 5), true, false),
            ("of no VIP", claim(9, 3), true, false),
            ("another director's", claim(2, 3), false, false),
            ("a real server's", claim(2, 3), true, true),
        ] {
            assert_eq!(leaks().hear(claim, is_real, now), is_told, "{what}");
        }
        let elsewhere = Claim {
            interface: 7,
            ..claim(1, 3)
        };
        assert!(!leaks().hear(elsewhere, true, now));
    }

    #[test]
    fn pairs_are_so_many_and_the_rest_is_counted() {
        let mut leaks = leaks();
        let now = Instant::now();
        let heard = |leaks: &mut Leaks, i: usize| {
            let mut claim = claim(1, 0);
            claim.mac.octets[3..5].copy_from_slice(&(i as u16).to_be_bytes());
            leaks.hear(claim, false, now)
        };
        let told = (0..2 * PAIRS_MAX).filter(|&i| heard(&mut leaks, i)).count();
        assert_eq!((told, leaks.more), (PAIRS_MAX, PAIRS_MAX as u64));
    }

    /// One VIP that is this director's, and one that is not at present.
    fn leaks() -> Leaks {
        let eth0 = Port {
            name: "eth0".to_owned(),
            mac: mac(5),
            source: None,
        };
        let mut leaks = Leaks {
            ports: BTreeMap::from([(ETH0, eth0)]),
            own: HashSet::from([mac(5)]),
            ..Leaks::default()
        };
        leaks.look(BTreeMap::from([(ip(1), true), (ip(2), false)]));
        assert_eq!(leaks.to_ask, BTreeSet::from([ip(1)]));
        leaks
    }

    fn claim(vip: u8, by: u8) -> Claim {
        Claim {
            interface: ETH0,
            address: ip(vip),
            mac: mac(by),
        }
    }

    fn ip(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    fn mac(last: u8) -> MacAddr {
        MacAddr {
            octets: [2, 0, 0, 0, 0, last],
        }
    }
}
