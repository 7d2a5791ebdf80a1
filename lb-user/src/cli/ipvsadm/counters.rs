//! What has been counted of a real server, and what is in a second: of two samples.

use std::{
    collections::HashMap,
    iter::Sum,
    net::IpAddr,
    thread::sleep,
    time::{Duration, Instant},
};

use super::daemon::Daemon;
use super::failure::Failure;
use crate::{
    api::{RealReport, ServiceReport},
    service::ServiceName,
};

/// Between two samples. IPVS's own rates are averages over the seconds before.
const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) connections: u64,
    pub(super) packets: u64,
    pub(super) octets: u64,
}

/// By service and real server.
pub(super) type Rates = HashMap<(ServiceName, IpAddr), Counters>;

impl Counters {
    pub(super) fn of(real: &RealReport) -> Self {
        Self {
            connections: real.connections,
            packets: real.packets,
            octets: real.bytes,
        }
    }

    /// What came since, in a second.
    fn rate(self, before: Self, time: Duration) -> Self {
        let rate = |now: u64, before: u64| {
            let came = now.saturating_sub(before) as f64;
            (came / time.as_secs_f64()).round() as u64
        };
        Self {
            connections: rate(self.connections, before.connections),
            packets: rate(self.packets, before.packets),
            octets: rate(self.octets, before.octets),
        }
    }
}

impl Sum for Counters {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, it| Self {
            connections: sum.connections + it.connections,
            packets: sum.packets + it.packets,
            octets: sum.octets + it.octets,
        })
    }
}

/// Takes another sample a second later: that, and how much there is in a second.
pub(super) fn rates(
    daemon: &Daemon,
    first: &[ServiceReport],
    since: Instant,
) -> Result<(Vec<ServiceReport>, Rates), Failure> {
    sleep(SECOND.saturating_sub(since.elapsed()));
    let second = daemon.services()?;
    let time = since.elapsed();
    let before: Rates = by_real(first).collect();
    let rate = |((service, address), now): ((ServiceName, IpAddr), Counters)| {
        // One that is new has been counted from zero, nobody knows since when.
        let before = before.get(&(service, address)).copied().unwrap_or(now);
        ((service, address), now.rate(before, time))
    };
    let rates = by_real(&second).map(rate).collect();
    Ok((second, rates))
}

fn by_real(reports: &[ServiceReport]) -> impl Iterator<Item = ((ServiceName, IpAddr), Counters)> {
    reports.iter().flat_map(|report| {
        let service = report.service;
        let reals = report.reals.iter();
        reals.map(move |real| ((service, real.address), Counters::of(real)))
    })
}
