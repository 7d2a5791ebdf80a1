//! Going through all flow records: counting them, and clearing what is over.

use std::collections::HashSet;

use lb_common::{
    tables::{Layout, Member, Pick, Record, Service, SlotValue, State, WAYS, slot_of},
    wire::Protocol,
};

use super::{
    Installed, InstalledService, Wanted,
    attempts::{Attempts, Outcome},
    slots,
};
use crate::{
    dataplane::director::Tables,
    service::{ServiceName, Transport},
};

/// Flows with a record, as IPVS counts connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flows {
    pub active: u64,
    pub inactive: u64,
    /// Clients that come back; not flows.
    pub persistent: u64,
}

impl Flows {
    pub fn all(self) -> u64 {
        self.active + self.inactive
    }
}

/// What a sweep found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// By member id. A million records are counted in it, so nothing is hashed.
    pub(super) members: Vec<Flows>,
    /// Likewise; those whose outcome was found since the last sweep.
    attempts: Vec<Attempts>,
    pub flows: u64,
    /// Members that were let go, with the names of their services.
    pub gone: Vec<(ServiceName, u32)>,
}

/// How many of a service's destinations are of UDP.
#[derive(Clone, Copy, Debug)]
enum Datagrams {
    None,
    Some,
    All,
}

impl Usage {
    /// Returns the flows of a member.
    pub fn of(&self, member: u32) -> Flows {
        let flows = self.members.get(member as usize);
        flows.copied().unwrap_or_default()
    }

    /// Returns what has become of attempts to connect to a member since the last sweep.
    pub fn attempts(&self, member: u32) -> Attempts {
        let attempts = self.attempts.get(member as usize);
        attempts.copied().unwrap_or_default()
    }
}

impl Installed {
    /// Counts the flows, clears the records that have expired, ends windows that are over, and
    /// lets go of removed members that have no flows left.
    pub fn sweep(&mut self, tables: &Tables, now: u32) -> Usage {
        let mut usage = Usage {
            members: vec![Flows::default(); tables.members.len()],
            attempts: vec![Attempts::default(); tables.members.len()],
            flows: 0,
            gone: Vec::new(),
        };
        let is_first = self.notes.begin(tables.flows.len() * WAYS);
        // First, as the records that are found are exceptions to what it leaves.
        for (&owner, service) in &self.services {
            let stays_tracked = service.wanted.as_ref().is_none_or(Wanted::is_tracked);
            let record = &tables.services[usize::from(owner)];
            slots::settle(tables, &mut self.ranges, record, stays_tracked, now);
            service.share(tables, owner);
        }
        let datagrams = self.datagrams(tables);
        let timeouts = &tables.settings().timeouts;
        // By slot: whether a record is an exception to it.
        let mut needed = vec![false; tables.slots.len()];
        for (i, set) in tables.flows.iter().enumerate() {
            for (way, (key, word)) in set.fingerprints.iter().zip(&set.records).enumerate() {
                let fingerprint = key.load();
                if fingerprint == 0 {
                    continue;
                }
                let packed = word.load();
                let record = Record::unpack(packed);
                let member = tables.members.get(record.member as usize);
                let member = member.filter(|member| member.link().is_some());
                let is_over = record.has_expired(now, timeouts)
                    || member.is_some_and(|member| ends(record, member));
                let (Some(member), false) = (member, is_over) else {
                    // Only if no packet has renewed it meanwhile.
                    if word.replace(packed, 0) {
                        key.replace(fingerprint, 0);
                        self.notes.forget(i * WAYS + way);
                    }
                    continue;
                };
                usage.flows += 1;
                let flows = &mut usage.members[record.member as usize];
                if !record.state.is_flow() {
                    flows.persistent += u64::from(record.state == State::Template);
                    continue;
                }
                let is_datagrams = match datagrams[usize::from(member.service())] {
                    Datagrams::None => false,
                    Datagrams::All => true,
                    Datagrams::Some => is_of_datagrams(tables, (i, way), fingerprint, record),
                };
                if record.state.is_active() && !is_datagrams {
                    flows.active += 1;
                } else {
                    flows.inactive += 1;
                }
                if !is_datagrams && let Some(outcome) = self.notes.see(i * WAYS + way, record, now)
                {
                    let attempts = &mut usage.attempts[record.member as usize];
                    match outcome {
                        Outcome::Answered => attempts.answered += 1,
                        Outcome::Unanswered => attempts.unanswered += 1,
                    }
                }
                let slot = slot_of_record(tables, member, fingerprint);
                if let Some(needed) = slot.and_then(|slot| needed.get_mut(slot as usize)) {
                    *needed = true;
                }
            }
        }
        if is_first {
            // They may be of any time.
            usage.attempts.clear();
        }
        for &owner in self.services.keys() {
            let service = &tables.services[usize::from(owner)];
            clear_exceptions(tables, service, &needed);
        }
        self.flows.clone_from(&usage.members);
        self.refill(tables, now);
        usage.gone = self.let_go(tables, &usage);
        self.free_members.append(&mut self.resting_members);
        usage
    }

    /// Whether flows are of datagrams, by their service's owner. Nothing is hashed here, either.
    fn datagrams(&self, tables: &Tables) -> Vec<Datagrams> {
        let mut datagrams = vec![Datagrams::None; tables.services.len()];
        for (&owner, InstalledService { records, .. }) in &self.services {
            let is_udp = |(name, _): &(ServiceName, _)| name.protocol == Transport::Udp;
            datagrams[usize::from(owner)] = match records.iter().filter(|it| is_udp(it)).count() {
                0 => Datagrams::None,
                all if all == records.len() => Datagrams::All,
                _ => Datagrams::Some,
            };
        }
        datagrams
    }

    /// Has the services that go by connections go by those just counted.
    fn refill(&mut self, tables: &Tables, now: u32) {
        for (&owner, service) in &mut self.services {
            let Some(wanted) = &service.wanted else {
                continue;
            };
            let overloaded = overloaded(service, wanted, &self.flows);
            let is_other = overloaded != service.overloaded;
            service.overloaded = overloaded;
            if !wanted.scheduler.is_live() && !is_other {
                continue;
            }
            let record = &tables.services[usize::from(owner)];
            let shares = super::shares(service, wanted);
            let mut counts = super::counts(record, wanted, &self.flows, &mut service.memory, now);
            if !is_other {
                slots::refill(tables, record, wanted, &shares, &mut counts);
                continue;
            }
            let ranges = &mut self.ranges;
            let brought = slots::bring(tables, ranges, record, wanted, &shares, &mut counts);
            service.share(tables, owner);
            if let Err(error) = brought {
                tracing::error!("{error:#}");
            }
        }
    }

    /// Frees the removed members that neither a record nor a slot names, and returns them.
    fn let_go(&mut self, tables: &Tables, usage: &Usage) -> Vec<(ServiceName, u32)> {
        let mut gone = Vec::new();
        for (&owner, service) in &mut self.services {
            let is_removed =
                |&(_, &id): &(_, &u32)| tables.members[id as usize].is(Member::REMOVED);
            if !service.members.iter().any(|member| is_removed(&member)) {
                continue;
            }
            let record = &tables.services[usize::from(owner)];
            let named: HashSet<u32> = [record.layout.load(), record.before.load()]
                .into_iter()
                .flat_map(|layout| slots::slots(tables, Layout::unpack(layout)))
                .map(|slot| SlotValue::unpack(slot.load()))
                .flat_map(|slot| [slot.current, slot.base])
                .collect();
            let first = service.records.first().map(|it| it.0);
            let name = service.wanted.as_ref().map(|it| it.name).or(first);
            service.members.retain(|_, &mut id| {
                let member = &tables.members[id as usize];
                let has_flows = usage.of(id).all() > 0;
                let kept = !member.is(Member::REMOVED) || named.contains(&id) || has_flows;
                if !kept {
                    tables.members.write(id as usize, Member::default());
                    self.free_members.push(id);
                    gone.extend(name.map(|name| (name, id)));
                }
                kept
            });
        }
        gone
    }
}

/// Whether a record is to go with its member, before its time.
fn ends(record: Record, member: &Member) -> bool {
    member.is(Member::REMOVED) && !record.state.is_flow()
}

/// The members that take no new flows for having too many.
fn overloaded(service: &InstalledService, wanted: &Wanted, flows: &[Flows]) -> HashSet<u32> {
    let overloaded = wanted.members.iter().filter_map(|member| {
        let id = *service.members.get(&member.address)?;
        let flows = flows.get(id as usize)?.all();
        let was = service.overloaded.contains(&id);
        member.thresholds.is_exceeded(flows, was).then_some(id)
    });
    overloaded.collect()
}

fn service_of<'t>(tables: &'t Tables, member: &Member) -> Option<&'t Service> {
    tables.services.get(usize::from(member.service()))
}

/// Whether a flow that may be of datagrams or not is so. Its first packet leaves the same record of
/// both; where addresses are not kept, it is taken for a segment.
fn is_of_datagrams(
    tables: &Tables,
    (set, way): (usize, usize),
    fingerprint: u64,
    record: Record,
) -> bool {
    if record.state != State::Embryonic {
        return record.state == State::Udp;
    }
    let endpoints = tables.endpoints.get(set * WAYS + way);
    let whose = endpoints.and_then(|it| it.read(fingerprint));
    whose.is_some_and(|whose| whose.kind.protocol() == Protocol::UDP)
}

/// The slot of an untracked service that a record is an exception to: its fingerprint is the hash.
/// If something else is hashed it could be any slot; the first stands for them all.
fn slot_of_record(tables: &Tables, member: &Member, fingerprint: u64) -> Option<u32> {
    let layout = Layout::unpack(service_of(tables, member)?.layout.load());
    let slot = match layout.pick {
        Pick::Flow => slot_of(fingerprint, layout.slots),
        Pick::Turn | Pick::Client | Pick::Destination => 0,
    };
    (!layout.tracked).then_some(layout.first + slot)
}

/// Settled slots without live records need not look for any.
fn clear_exceptions(tables: &Tables, service: &Service, needed: &[bool]) {
    let layout = Layout::unpack(service.layout.load());
    if layout.tracked {
        return;
    }
    let is_needed = |slot: u32| needed.get(slot as usize) == Some(&true);
    let all_needed = layout.pick != Pick::Flow && is_needed(layout.first);
    for (i, slot) in (layout.first..).zip(slots::slots(tables, layout)) {
        let value = SlotValue::unpack(slot.load());
        let settled = value.exceptions && value.current == value.base;
        if settled && !all_needed && !is_needed(i) {
            slot.store(SlotValue::clean(value.current).pack());
        }
    }
}
