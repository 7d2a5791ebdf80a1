//! What clients' attempts to connect have come to: counted of each real server, and what is made of it where the
//! configuration says so.

use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use super::{conditions::Key, engine::Engine};
use crate::{
    config::director::{Real, Service},
    health::passive::{Recent, most},
    install::Attempts,
    service::{ServiceName, Transport},
};

/// By service and RIP.
#[derive(Debug, Default)]
pub(super) struct Reals(HashMap<Key, Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// All that were not answered.
    unanswered: u64,
    recent: Recent,
    /// Until when it takes no connections, and why.
    out: Option<(Instant, String)>,
}

impl Seen {
    /// Has it judged by what comes from now on.
    fn try_again(&mut self) {
        self.out = None;
        self.recent.clear();
    }
}

impl Reals {
    /// Judges a service's real servers. `is_well`: whether one can serve, for all that is known otherwise.
    fn judge(&mut self, service: &Service, is_well: impl Fn(&Real) -> bool, now: Instant) {
        let (mut serving, mut attempts, mut out) = (Vec::new(), Vec::new(), Vec::new());
        for real in &service.reals {
            let key = (service.listen, real.address);
            let Some(passive) = &service.passive else {
                self.0.entry(key).and_modify(Seen::try_again);
                continue;
            };
            let seen = self.0.entry(key).or_default();
            let until = seen.out.as_ref().map(|&(until, _)| until);
            if until.is_some_and(|until| until <= now) || until.is_none() && !is_well(real) {
                seen.try_again();
            }
            match &seen.out {
                _ if !is_well(real) => {}
                Some((until, _)) => out.push((*until, key)),
                None => {
                    serving.push(key);
                    attempts.push(seen.recent.within(passive.window(), now));
                }
            }
        }
        let Some(passive) = &service.passive else {
            return;
        };
        for i in passive.judge(&attempts, out.len()) {
            let seen = self.0.entry(serving[i]).or_default();
            seen.out = Some((now + passive.hold(), passive.reason(attempts[i])));
        }
        // Others may have failed since they were taken out.
        out.sort_unstable();
        let over = out.len().saturating_sub(most(serving.len() + out.len()));
        for (_, key) in &out[..over] {
            self.0.entry(*key).and_modify(Seen::try_again);
        }
    }

    fn out(&self) -> HashMap<Key, String> {
        let all = self.0.iter();
        let out = all.filter_map(|(&key, seen)| Some((key, seen.out.as_ref()?.1.clone())));
        out.collect()
    }
}

impl Engine {
    /// Takes up what the last sweep has found.
    pub(super) fn note_attempts(&mut self) {
        let now = Instant::now();
        let mut before = std::mem::take(&mut self.attempts.0);
        let mut after = HashMap::new();
        for service in self.config.services.iter().filter(|it| self.sees(it)) {
            for (address, id) in self.installed.members(service.listen) {
                let key = (service.listen, address);
                let found = self.usage.attempts(id);
                let seen = before.remove(&key);
                if seen.is_none() && found == Attempts::default() {
                    continue;
                }
                let mut seen = seen.unwrap_or_default();
                seen.unanswered += found.unanswered;
                if service.passive.is_some() && found != Attempts::default() {
                    seen.recent.add(now, found);
                }
                after.insert(key, seen);
            }
        }
        self.attempts.0 = after;
    }

    /// Whether it is known what attempts to connect come to: by records, and records that tell datagrams from segments.
    fn sees(&self, service: &Service) -> bool {
        let is_udp = |it: ServiceName| it.protocol == Transport::Udp;
        let has_udp = service.destinations().any(is_udp);
        service.is_tracked()
            && !service.destinations().all(is_udp)
            && (!has_udp || self.kernel.tables.lists_flows())
    }

    /// Returns how many attempts to connect to a real server were not answered, if that is known.
    pub(super) fn unanswered_by(&self, key: Key, service: &Service) -> Option<u64> {
        let seen = self.attempts.0.get(&key);
        let unanswered = seen.map_or(0, |seen| seen.unanswered);
        self.sees(service).then_some(unanswered)
    }

    /// Takes out real servers that leave clients without an answer, and has others tried again.
    pub(super) fn judge_attempts(&mut self) {
        let now = Instant::now();
        for service in &self.config.services {
            let is_well = |real: &Real| {
                let conditions = &self.conditions;
                conditions.seems_well(service.listen, real, &self.neighbours)
            };
            self.attempts.judge(service, is_well, now);
        }
        let others = self.conditions.silence(self.attempts.out());
        if !others.is_empty()
            && let Err(error) = self.bring(|service| others.contains(&service.listen))
        {
            tracing::error!("{error:#}");
        }
    }

    /// Has a real server tried again whose check had failed, which is why its clients had no answer; returns its
    /// service, if it was out.
    pub(super) fn try_again(&mut self, key: Key) -> HashSet<ServiceName> {
        self.attempts.0.entry(key).and_modify(Seen::try_again);
        self.conditions.silence(self.attempts.out())
    }
}
