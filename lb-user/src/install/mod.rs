//! What is wanted, brought into the kernel's tables, and what is in them, kept in order.
//!
//! Knows the tables as memory and no other part of the kernel, so that all of it runs on tables
//! that no program has. The tables are the truth: what this module keeps beside them can be
//! rebuilt from them, as a daemon does that is started again.

mod attempts;
mod group;
mod members;
mod range;
mod ranges;
mod service;
mod slots;
mod sweep;
mod wanted;

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use anyhow::bail;
use lb_common::tables::Service;

pub(crate) use self::service::seed;
pub use self::{
    attempts::Attempts,
    slots::SlotCounts,
    sweep::{Flows, Usage},
    wanted::{Persistence, Policy, Standing, Thresholds, Wanted, WantedMember},
};
use self::{attempts::Notes, group::Found, range::OfVip, ranges::Ranges};
use crate::{
    dataplane::director::Tables,
    fill::{self, Share},
    service::{ServiceName, Transport},
};

/// What is left of the tables for more services, members and slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spare {
    pub services: usize,
    /// Without those that only a sweep makes free.
    pub members: usize,
    pub slots: u32,
}

/// The bookkeeping beside the tables.
#[derive(Debug)]
pub struct Installed {
    /// Where the record of each destination is.
    records: HashMap<ServiceName, Place>,
    /// By the owner's id.
    services: HashMap<u16, InstalledService>,
    free_services: Vec<u16>,
    free_members: Vec<u32>,
    /// Members of services that were removed; records may name them until a sweep has passed.
    resting_members: Vec<u32>,
    ranges: Ranges,
    vips: HashMap<(Transport, IpAddr), OfVip>,
    /// Destinations of more ports than one.
    range_count: usize,
    /// What the last sweep counted, by member.
    flows: Vec<Flows>,
    notes: Notes,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    id: u16,
    /// Of the record that is its service's owner.
    owner: u16,
}

#[derive(Debug, Default)]
struct InstalledService {
    /// Its destinations and their records' ids.
    records: Vec<(ServiceName, u16)>,
    /// By RIP; removed ones included, while they have flows.
    members: HashMap<IpAddr, u32>,
    /// Those of them that have reached their upper threshold.
    overloaded: HashSet<u32>,
    /// What was last brought in.
    wanted: Option<Wanted>,
    /// Of schedulers that go by connections.
    memory: fill::Memory,
}

impl Installed {
    /// Rebuilds the bookkeeping from tables as they were found.
    pub fn of(tables: &Tables) -> Self {
        let found = Found::of(tables);
        let mut installed = Self {
            records: found.records,
            services: found.services,
            free_services: found.free_services,
            free_members: found.free_members,
            resting_members: Vec::new(),
            ranges: found.ranges,
            vips: HashMap::new(),
            range_count: 0,
            flows: Vec::new(),
            notes: Notes::default(),
        };
        let names: Vec<_> = installed.destinations().collect();
        for name in names {
            installed.note(tables, name);
        }
        installed
    }

    /// Whether there are members that only a sweep makes free.
    pub fn is_to_be_swept(&self) -> bool {
        !self.resting_members.is_empty()
    }

    /// Whether a member takes no new flows for having too many.
    pub fn is_overloaded(&self, name: ServiceName, member: u32) -> bool {
        let service = self.installed(name);
        service.is_some_and(|service| service.overloaded.contains(&member))
    }

    /// Returns what is not taken.
    pub fn spare(&self) -> Spare {
        Spare {
            services: self.free_services.len(),
            members: self.free_members.len(),
            slots: self.ranges.unused(),
        }
    }

    /// Names what clients of all services in the tables connect to.
    pub fn destinations(&self) -> impl Iterator<Item = ServiceName> {
        self.records.keys().copied()
    }

    /// Returns the id of the record of a destination in the tables.
    pub fn service(&self, name: ServiceName) -> Option<u16> {
        self.records.get(&name).map(|place| place.id)
    }

    /// Returns the id that the members of a destination's service go by.
    pub fn owner(&self, name: ServiceName) -> Option<u16> {
        self.records.get(&name).map(|place| place.owner)
    }

    fn installed(&self, name: ServiceName) -> Option<&InstalledService> {
        self.services.get(&self.owner(name)?)
    }

    /// Returns the id of a service's member, if there is one, or was and it still drains.
    pub fn member(&self, name: ServiceName, rip: IpAddr) -> Option<u32> {
        self.installed(name)?.members.get(&rip).copied()
    }

    /// Returns the real servers of a service and their members' ids, removed ones included.
    pub fn members(&self, name: ServiceName) -> impl Iterator<Item = (IpAddr, u32)> {
        let members = self.installed(name).map(|service| &service.members);
        members.into_iter().flatten().map(|(&rip, &id)| (rip, id))
    }

    /// Returns how a service's slots are; none if it is not installed.
    pub fn slots(&self, tables: &Tables, name: ServiceName) -> SlotCounts {
        let owner = self.owner(name);
        let record = owner.map(|owner| &tables.services[usize::from(owner)]);
        record.map_or_else(SlotCounts::default, |it| slots::counted(tables, it))
    }

    /// Brings a service in: makes it, or changes what differs. On an error the tables still serve
    /// what they served. A destination that is not wanted any more stays until it is removed; one that
    /// was another service's is so no longer.
    pub fn bring(
        &mut self,
        tables: &Tables,
        wanted: &Wanted,
        now: u32,
        fresh: &mut Vec<u32>,
    ) -> anyhow::Result<()> {
        let installed = self.owner_of(wanted).and_then(|it| self.services.get(&it));
        if installed.is_some_and(|service| service.wanted.as_ref() == Some(wanted)) {
            return Ok(());
        }
        let mut made = Vec::new();
        let brought = self.bring_all(tables, wanted, now, (fresh, &mut made));
        for name in brought.is_err().then_some(made).into_iter().flatten() {
            self.remove(tables, name, now);
        }
        let owner = self.owner_of(wanted);
        if let Some(service) = owner.and_then(|it| self.services.get_mut(&it)) {
            // After an error nobody knows what it is.
            service.wanted = brought.is_ok().then(|| wanted.clone());
        }
        brought
    }

    fn bring_all(
        &mut self,
        tables: &Tables,
        wanted: &Wanted,
        now: u32,
        (fresh, made): (&mut Vec<u32>, &mut Vec<ServiceName>),
    ) -> anyhow::Result<()> {
        let owner = self.bring_records(tables, wanted, now, made)?;
        self.bring_members(tables, owner, wanted, fresh)?;
        self.bring_slots(tables, owner, wanted, now)?;
        self.services[&owner].share(tables, owner);
        let mut destinations = wanted.destinations();
        destinations.try_for_each(|name| self.publish(tables, name))
    }

    fn bring_slots(
        &mut self,
        tables: &Tables,
        owner: u16,
        wanted: &Wanted,
        now: u32,
    ) -> anyhow::Result<()> {
        let Some(service) = self.services.get_mut(&owner) else {
            bail!("service {} is not installed", wanted.name);
        };
        let shares = shares(service, wanted);
        let record = &tables.services[usize::from(owner)];
        let mut counts = counts(record, wanted, &self.flows, &mut service.memory, now);
        let ranges = &mut self.ranges;
        slots::bring(tables, ranges, record, wanted, &shares, &mut counts)
    }
}

fn shares(service: &InstalledService, wanted: &Wanted) -> Vec<Share> {
    let share = |member: &WantedMember| {
        let id = *service.members.get(&member.address)?;
        Some(Share {
            member: id,
            address: member.address,
            weight: member.weight,
            takes: member.mac.is_some()
                && member.weight > 0
                && member.standing == Standing::Up
                && !service.overloaded.contains(&id),
        })
    };
    // One that is down has no share that others could not take, as if it were removed.
    let members = wanted.members.iter();
    let there = members.filter(|it| it.standing != Standing::Down);
    there.filter_map(share).collect()
}

fn counts<'a>(
    record: &Service,
    wanted: &Wanted,
    flows: &'a [Flows],
    memory: &'a mut fill::Memory,
    now: u32,
) -> fill::Counts<'a> {
    fill::Counts {
        flows,
        cursor: record.cursor.load(),
        udp: wanted.is_udp(),
        now,
        memory,
    }
}
