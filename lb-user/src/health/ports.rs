//! Local ports of checks: each is of one check in flight, so that what comes back tells whose it is.

use std::{
    fs,
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

/// Above the kernel's ephemeral ports, as that range is by default: nobody else is given these.
const ABOVE: RangeInclusive<u16> = 61000..=65535;
/// Where the ephemeral ports reach up there. Services that listen do so at fewer of the higher ones.
const BELOW: u16 = 10_000;
/// What a search for a pool is content with: two ports for each check that may be in flight.
const LEAST: u16 = 2048;

/// A pool of ports. A clone is the same pool.
#[derive(Clone, Debug)]
pub struct Ports(Arc<Mutex<Pool>>);

#[derive(Debug)]
struct Pool {
    range: RangeInclusive<u16>,
    /// A bit for each port there is.
    taken: Vec<u64>,
    /// Where the search goes on: a port rests as long as can be.
    next: u16,
}

/// A port, for as long as this is kept.
#[derive(Debug)]
pub struct Lease {
    port: u16,
    ports: Ports,
}

impl Ports {
    /// Outside of the ephemeral ports of this network namespace.
    pub fn new() -> Self {
        let said = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
        let ephemeral = said.ok().and_then(|text| {
            let mut numbers = text.split_whitespace().map(str::parse);
            Some(numbers.next()?.ok()?..=numbers.next()?.ok()?)
        });
        Self::of(outside(ephemeral.unwrap_or(32768..=60999)))
    }

    pub(super) fn of(range: RangeInclusive<u16>) -> Self {
        let next = *range.start();
        Self(Arc::new(Mutex::new(Pool {
            range,
            taken: vec![0; 1 << 10],
            next,
        })))
    }

    /// The ports that checks come from.
    pub fn range(&self) -> RangeInclusive<u16> {
        self.pool(|pool| pool.range.clone())
    }

    /// A port that no other check has; none if all are taken.
    pub fn take(&self) -> Option<Lease> {
        let port = self.pool(Pool::take)?;
        Some(Lease {
            port,
            ports: self.clone(),
        })
    }

    fn pool<T>(&self, work: impl FnOnce(&mut Pool) -> T) -> T {
        // Nothing in here is left half done.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Ports {
    fn default() -> Self {
        Self::new()
    }
}

impl Pool {
    fn take(&mut self) -> Option<u16> {
        let (first, last) = (*self.range.start(), *self.range.end());
        let mut ports = (self.next..=last).chain(first..self.next);
        let port =
            ports.find(|&port| self.taken[usize::from(port / 64)] >> (port % 64) & 1 == 0)?;
        self.taken[usize::from(port / 64)] |= 1 << (port % 64);
        self.next = match port == last {
            true => first,
            false => port + 1,
        };
        Some(port)
    }
}

impl Lease {
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let port = self.port;
        self.ports
            .pool(|pool| pool.taken[usize::from(port / 64)] &= !(1 << (port % 64)));
    }
}

/// The first place that has enough ports outside of the ephemeral ones; without any, as if they were as usual: a port
/// that is somebody's is passed over when it is bound.
fn outside(ephemeral: RangeInclusive<u16>) -> RangeInclusive<u16> {
    let (low, high) = ephemeral.into_inner();
    let above = high.saturating_add(1).max(*ABOVE.start())..=u16::MAX;
    let below = BELOW..=low.saturating_sub(1);
    [above, below]
        .into_iter()
        .find(|range| range.len() >= usize::from(LEAST))
        .unwrap_or(ABOVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_outside_of_the_ephemeral_ones() {
        for (ephemeral, want) in [
            (32768..=60999, 61000..=65535),
            (1024..=50000, 61000..=65535),
            (32768..=65535, 10_000..=32767),
            (20_000..=64_000, 10_000..=19_999),
            (1024..=65535, 61000..=65535),
        ] {
            assert_eq!(outside(ephemeral.clone()), want, "{ephemeral:?}");
        }
    }

    #[test]
    fn a_port_is_taken_once_and_rests_as_long_as_can_be() {
        let ports = Ports::of(65_530..=65_535);
        let mut leases: Vec<_> = (0..6).map_while(|_| ports.take()).collect();
        let taken: Vec<u16> = leases.iter().map(Lease::port).collect();
        assert_eq!(taken, (65_530..=65_535).collect::<Vec<_>>());
        assert!(ports.take().is_none());
        drop(leases.drain(2..4));
        let ports: Vec<_> = (0..3).map(|_| ports.take()).collect();
        let taken: Vec<_> = ports
            .iter()
            .map(|it| it.as_ref().map(Lease::port))
            .collect();
        assert_eq!(taken, [Some(65_532), Some(65_533), None]);
    }
}
