//! The condition of each real server: whether it can serve, how much of its share it has, and what was
//! last told of it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
    net::IpAddr,
    time::{Duration, Instant, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::neighbours::Neighbours;
use crate::{
    api::State,
    config::director::{Real, Service, WEIGHT_MAX},
    health::agent::Said,
    install::{Standing, Thresholds, Wanted, WantedMember},
    service::ServiceName,
};

/// A real server within a service.
pub(super) type Key = (ServiceName, IpAddr);

/// Steps in which a real server gets to its weight: each fills the slots anew.
const STEPS: u32 = 16;
/// Parts of its weight that a real server may say.
const HUNDREDTHS: u32 = 100;
/// A service's first real servers come in together, as fast as each is found.
const TOGETHER: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Conditions {
    /// Why a real server cannot serve; one that is not in it is up.
    down: HashMap<Key, String>,
    /// Likewise, as clients' connections tell.
    silent: HashMap<Key, String>,
    /// What real servers have said of themselves.
    said: HashMap<Key, Said>,
    /// Services whose quorum is lost, and of them those that have not had it yet.
    lost: HashSet<ServiceName>,
    new: HashSet<ServiceName>,
    /// When a service was seen first.
    since: HashMap<ServiceName, Instant>,
    eligible: HashSet<Key>,
    /// When those came in that do not have their weight yet, and the steps they have.
    warming: HashMap<Key, (Instant, u32)>,
    pub(super) told: BTreeMap<Key, Told>,
}

/// What was last told of a real server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) state: State,
    pub(super) since: SystemTime,
    pub(super) reason: Option<String>,
    /// What its agent had said by then.
    #[serde(default)]
    pub(super) agent: Option<Said>,
}

impl Conditions {
    /// Takes up what a check has found; whether anything is different now.
    pub(super) fn find(&mut self, key: Key, down: Option<String>) -> bool {
        let was_down = self.down.contains_key(&key);
        let is_down = down.is_some();
        match down {
            Some(why) => drop(self.down.insert(key, why)),
            None => drop(self.down.remove(&key)),
        }
        was_down != is_down
    }

    /// Forgets what was found of services that have no check any more.
    pub(super) fn keep_checked(&mut self, checked: &HashSet<ServiceName>) {
        self.down
            .retain(|(service, _), _| checked.contains(service));
    }

    /// Why a check says that a real server is down.
    pub(super) fn fails_check(&self, key: Key) -> Option<&str> {
        self.down.get(&key).map(String::as_str)
    }

    /// Takes up which real servers clients' connections speak against; returns the services of which that is
    /// different.
    pub(super) fn silence(&mut self, silent: HashMap<Key, String>) -> HashSet<ServiceName> {
        let before = std::mem::replace(&mut self.silent, silent);
        let gone = before.keys().filter(|key| !self.silent.contains_key(key));
        let new = self.silent.keys().filter(|key| !before.contains_key(key));
        gone.chain(new).map(|&(service, _)| service).collect()
    }

    /// Takes up what an earlier daemon has told.
    pub(super) fn remember(&mut self, told: BTreeMap<Key, Told>) {
        let said = told.iter();
        let said = said.filter_map(|(&key, told)| Some((key, told.agent.clone()?)));
        self.said = said.collect();
        self.told = told;
    }

    /// Takes up an agent's answer; whether it says something else than before.
    pub(super) fn say(&mut self, key: Key, answer: &str) -> bool {
        let said = self.said.entry(key).or_default();
        let before = said.clone();
        said.take(answer);
        *said != before
    }

    pub(super) fn said(&self, key: Key) -> Option<&Said> {
        self.said.get(&key)
    }

    /// Forgets what was said by those that are not asked any more.
    pub(super) fn keep_said(&mut self, is_asked: impl Fn(&Key) -> bool) {
        self.said.retain(|key, _| is_asked(key));
    }

    /// The weight that a real server has, by its own word: so many times the one it is given.
    fn weight(&self, service: ServiceName, real: &Real, times: u32) -> u32 {
        let weight = real.weight * times;
        let said = self.said.get(&(service, real.address));
        said.map_or(weight, |said| said.part_of(weight, WEIGHT_MAX))
    }

    /// Why a real server is down: up is one that nothing speaks against.
    pub(super) fn why_down(&self, key: Key) -> Option<Cow<'_, str>> {
        let why = self.down.get(&key).or_else(|| self.silent.get(&key));
        let said = || self.said.get(&key)?.why_down().map(Cow::Owned);
        why.map(|why| Cow::Borrowed(why.as_str())).or_else(said)
    }

    /// Whether a real server could serve, were it not for what clients' connections tell.
    pub(super) fn seems_well(&self, name: ServiceName, real: &Real, its: &Neighbours) -> bool {
        let said = self.said.get(&(name, real.address));
        self.weight(name, real, 1) > 0
            && its.mac(real.address).is_some()
            && !self.down.contains_key(&(name, real.address))
            && said.is_none_or(|said| said.why_down().is_none())
    }

    /// Whether new connections of a service go to its sorry server.
    pub(super) fn is_sorry(&self, service: &Service, neighbours: &Neighbours) -> bool {
        let sorry = service.availability.sorry;
        self.lost.contains(&service.listen)
            && sorry.is_some_and(|address| neighbours.mac(address).is_some())
    }

    pub(super) fn has_quorum(&self, name: ServiceName) -> bool {
        !self.lost.contains(&name)
    }

    /// Returns the steps that a real server has which comes in slowly, and how long it still takes.
    pub(super) fn warmth(&self, service: &Service, address: IpAddr) -> Option<(u32, Duration)> {
        let (since, _) = self.warming.get(&(service.listen, address))?;
        let whole = Duration::from_secs(service.availability.slow_start.into());
        let left = whole.checked_sub(since.elapsed())?;
        Some((steps(*since, whole), left))
    }

    /// Sees which of a service's real servers can serve; tells whether they are enough, if that has
    /// changed.
    pub(super) fn look(&mut self, service: &Service, neighbours: &Neighbours) -> Option<bool> {
        let now = Instant::now();
        let name = service.listen;
        let is_first = !self.since.contains_key(&name);
        let since = *self.since.entry(name).or_insert(now);
        let is_new = now.duration_since(since) < TOGETHER;
        let can_serve = |this: &Self, real: &Real| {
            this.seems_well(name, real, neighbours)
                && !this.silent.contains_key(&(name, real.address))
        };
        let is_slow = service.availability.slow_start > 0;
        let others = service
            .reals
            .iter()
            .any(|real| self.eligible.contains(&(name, real.address)));
        for real in &service.reals {
            let key = (name, real.address);
            if !can_serve(self, real) {
                self.eligible.remove(&key);
                self.warming.remove(&key);
            } else if self.eligible.insert(key) && is_slow && others && !is_new {
                self.warming.insert(key, (now, 1));
            }
        }
        let live = service.reals.iter().filter(|real| can_serve(self, real));
        let live = live.map(|real| u64::from(self.weight(name, real, 1)));
        let live: u64 = live.sum();
        let (quorum, hysteresis) = (
            u64::from(service.availability.quorum),
            u64::from(service.availability.hysteresis),
        );
        // As keepalived's `update_quorum_state`.
        if live < quorum - hysteresis {
            let is_other = self.lost.insert(name);
            if is_first {
                self.new.insert(name);
            }
            return (is_other && !is_first).then_some(false);
        }
        if live >= quorum + hysteresis || hysteresis == 0 {
            let is_other = self.lost.remove(&name);
            return (is_other && !self.new.remove(&name)).then_some(true);
        }
        None
    }

    /// Returns what a service is to be, as its real servers are.
    pub(super) fn wanted(&self, neighbours: &Neighbours, service: &Service) -> Wanted {
        let is_sorry = self.is_sorry(service, neighbours);
        let warmth = |address| self.warming.get(&(service.listen, address));
        let any_warming = service
            .reals
            .iter()
            .any(|real| warmth(real.address).is_some());
        let any_said = service.reals.iter().any(|real| {
            let said = self.said.get(&(service.listen, real.address));
            said.is_some_and(|said| said.part_of(real.weight * 100, u32::MAX) != real.weight * 100)
        });
        let most = service.reals.iter().map(|real| real.weight).max();
        let room = WEIGHT_MAX / most.unwrap_or(1).max(1);
        // So that a part of a weight of 1 is one, too.
        let fine = match (any_said, any_warming) {
            (true, _) => room.clamp(1, HUNDREDTHS),
            (false, true) => room.clamp(1, STEPS),
            (false, false) => 1,
        };
        let mut members = Vec::new();
        for real in &service.reals {
            let weight = self.weight(service.listen, real, fine);
            let weight = match warmth(real.address) {
                Some((_, steps)) => (weight * steps / STEPS).max(weight.min(1)),
                None => weight,
            };
            let is_down = self.why_down((service.listen, real.address)).is_some();
            let standing = match is_down {
                true if service.availability.inhibits => Standing::Inhibited,
                true => Standing::Down,
                false if is_sorry => Standing::Inhibited,
                false => Standing::Up,
            };
            members.push(member(neighbours, real, weight, standing));
        }
        if let Some(address) = service.availability.sorry {
            let real = Real {
                address,
                weight: is_sorry.into(),
                thresholds: Thresholds::default(),
            };
            members.push(member(neighbours, &real, real.weight, Standing::Up));
        }
        Wanted {
            name: service.listen,
            also: service.also.clone(),
            scheduler: service.scheduler,
            flags: service.flags.clone(),
            policy: service.policy,
            members,
        }
    }

    /// Gives those that come in slowly what is theirs by now; returns the services that are to be
    /// filled anew.
    pub(super) fn warm(&mut self, services: &[Service]) -> HashSet<ServiceName> {
        let mut others = HashSet::new();
        if self.warming.is_empty() {
            return others;
        }
        for service in services {
            let whole = Duration::from_secs(service.availability.slow_start.into());
            for real in &service.reals {
                let key = (service.listen, real.address);
                let Some((since, step)) = self.warming.get_mut(&key) else {
                    continue;
                };
                let now = steps(*since, whole);
                if now != *step {
                    *step = now;
                    others.insert(service.listen);
                }
                if now == STEPS {
                    self.warming.remove(&key);
                }
            }
        }
        others
    }

    /// Forgets what is no service's real server any more.
    pub(super) fn forget(&mut self, services: &[Service]) {
        let kept: HashSet<Key> = services
            .iter()
            .flat_map(|service| service.addresses().map(|it| (service.listen, it)))
            .collect();
        self.down.retain(|key, _| kept.contains(key));
        self.eligible.retain(|key| kept.contains(key));
        self.warming.retain(|key, _| kept.contains(key));
        let names: HashSet<ServiceName> = services.iter().map(|it| it.listen).collect();
        self.lost.retain(|name| names.contains(name));
        self.new.retain(|name| names.contains(name));
        self.since.retain(|name, _| names.contains(name));
    }
}

fn steps(since: Instant, whole: Duration) -> u32 {
    let part = since.elapsed().as_millis() * u128::from(STEPS) / whole.as_millis().max(1);
    (part as u32).clamp(1, STEPS)
}

fn member(neighbours: &Neighbours, real: &Real, weight: u32, standing: Standing) -> WantedMember {
    let Real {
        address,
        thresholds,
        ..
    } = *real;
    WantedMember {
        address,
        weight,
        thresholds,
        standing,
        interface: neighbours.interface_of(address),
        vlan: neighbours.vlan_of(address),
        mac: neighbours.mac(address),
    }
}
