//! Counters of members, and how fast they move.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use serde::Serialize;

use crate::{
    api::{RealReport, ServiceReport},
    service::ServiceName,
};

/// A member: a service, and a RIP of it.
pub(super) type Key = (ServiceName, IpAddr);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counters {
    pub(super) connections: u64,
    pub(super) packets: u64,
    pub(super) bytes: u64,
}

/// The same per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Rate {
    pub(super) connections: f64,
    pub(super) packets: f64,
    pub(super) bytes: f64,
}

impl Counters {
    pub(super) fn of(real: &RealReport) -> Self {
        Self {
            connections: real.connections,
            packets: real.packets,
            bytes: real.bytes,
        }
    }

    pub(super) fn of_all(reals: &[RealReport]) -> Self {
        reals
            .iter()
            .map(Self::of)
            .fold(Self::default(), |a, b| Self {
                connections: a.connections + b.connections,
                packets: a.packets + b.packets,
                bytes: a.bytes + b.bytes,
            })
    }

    /// How fast it came to this from `before`.
    fn since(self, before: Self, time: Duration) -> Rate {
        let rate = |now: u64, before: u64| per_second(now, before, time);
        Rate {
            connections: rate(self.connections, before.connections),
            packets: rate(self.packets, before.packets),
            bytes: rate(self.bytes, before.bytes),
        }
    }
}

/// The rate of a counter. One that has become smaller began anew, at 0.
pub(super) fn per_second(now: u64, before: u64, time: Duration) -> f64 {
    let moved = now.checked_sub(before).unwrap_or(now);
    moved as f64 / time.as_secs_f64()
}

impl Rate {
    /// All of them together; none, if there is none of any.
    pub(super) fn sum(rates: impl Iterator<Item = Self>) -> Option<Self> {
        rates.reduce(|a, b| Self {
            connections: a.connections + b.connections,
            packets: a.packets + b.packets,
            bytes: a.bytes + b.bytes,
        })
    }
}

/// The rates between two listings that are `time` apart. A member that was not there before has none yet.
pub(super) fn rates(
    before: &[ServiceReport],
    now: &[ServiceReport],
    time: Duration,
) -> HashMap<Key, Rate> {
    let before: HashMap<Key, Counters> = counters(before).collect();
    counters(now)
        .filter_map(|(key, now)| Some((key, now.since(*before.get(&key)?, time))))
        .collect()
}

fn counters(services: &[ServiceReport]) -> impl Iterator<Item = (Key, Counters)> {
    let of = |it: &ServiceReport| {
        let name = it.service;
        let reals = it.reals.iter();
        let all = reals.map(move |real| ((name, real.address), Counters::of(real)));
        all.collect::<Vec<_>>()
    };
    services.iter().flat_map(of)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        api::{PolicyReport, State},
        install::Policy,
    };

    /// A service with members of these addresses and counts of packets; of bytes a hundred times as
    /// many, of connections a tenth.
    pub(in crate::cli) fn service(name: &str, reals: &[(&str, u64)]) -> ServiceReport {
        let name = name.parse().unwrap();
        let real = |&(address, packets): &(&str, u64)| RealReport {
            address: address.parse().unwrap(),
            weight: 1,
            state: State::Active,
            since: String::new(),
            check: None,
            agent: None,
            is_sorry: false,
            upper_threshold: 0,
            lower_threshold: 0,
            reason: None,
            mac: None,
            active: Some(0),
            inactive: Some(0),
            unanswered: None,
            persistent: 0,
            slots: 1,
            connections: packets / 10,
            packets,
            bytes: packets * 100,
        };
        ServiceReport {
            service: name,
            listen: vec![name],
            scheduler: "rr".parse().unwrap(),
            flags: Vec::new(),
            policy: PolicyReport::of(&Policy::default()),
            quorum: 1,
            has_quorum: true,
            slots: 1,
            slots_moving: 0,
            slots_exceptions: 0,
            reals: reals.iter().map(real).collect(),
        }
    }

    #[test]
    fn rates_are_of_the_same_member_of_the_same_service() {
        let (web, dns) = ("tcp/192.0.2.1:80", "udp/192.0.2.1:53");
        let before = [
            service(
                web,
                &[("10.0.0.1", 100), ("10.0.0.2", 1000), ("10.0.0.4", 7)],
            ),
            service(dns, &[("10.0.0.1", 50)]),
        ];
        let now = [
            service(
                web,
                &[("10.0.0.3", 9), ("10.0.0.2", 400), ("10.0.0.1", 300)],
            ),
            service(dns, &[("10.0.0.1", 50)]),
        ];
        let rates = rates(&before, &now, Duration::from_secs(2));
        for (name, address, expected) in [
            (web, "10.0.0.1", Some((100., 10_000., 10.))),
            // Began anew.
            (web, "10.0.0.2", Some((200., 20_000., 20.))),
            // New.
            (web, "10.0.0.3", None),
            // Gone.
            (web, "10.0.0.4", None),
            (dns, "10.0.0.1", Some((0., 0., 0.))),
            (dns, "10.0.0.2", None),
        ] {
            let key = (name.parse().unwrap(), address.parse().unwrap());
            let rate = rates.get(&key);
            let found = rate.map(|it| (it.packets, it.bytes, it.connections));
            assert_eq!(found, expected, "{name} {address}");
        }
    }
}
