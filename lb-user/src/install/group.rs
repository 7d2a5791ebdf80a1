//! Services of several VIPs or ports: a record for each destination, and one of them, the owner, whose
//! id members and cursor go by. What makes them one is their seed, which no two services share.

use std::collections::HashMap;

use lb_common::{
    hash::Seed,
    tables::{Chain, Layout},
};

use super::{Installed, InstalledService, Place, Wanted, ranges::Ranges};
use crate::{address, dataplane::director::Tables, service::ServiceName};

impl InstalledService {
    /// Gives all its records the words of the owner's.
    pub(super) fn share(&self, tables: &Tables, owner: u16) {
        for &(_, id) in self.records.iter().filter(|&&(_, id)| id != owner) {
            tables.services[usize::from(id)].follow(&tables.services[usize::from(owner)]);
        }
    }
}

impl Installed {
    /// Returns the owner's id of the service that is to be what is wanted: that which has the first of
    /// its destinations that is not to be another's.
    pub(super) fn owner_of(&self, wanted: &Wanted) -> Option<u16> {
        wanted.destinations().find_map(|name| {
            let owner = self.records.get(&name)?.owner;
            let last = self.services[&owner].wanted.as_ref();
            // Since it is no more wanted of it, it only waits to be removed.
            let is_its = last.is_none_or(|last| last.destinations().any(|it| it == name));
            is_its.then_some(owner)
        })
    }

    /// Makes the records that a service lacks, of which packets know nothing yet, and `made` gets their
    /// names. Returns the owner's id.
    pub(super) fn bring_records(
        &mut self,
        tables: &Tables,
        wanted: &Wanted,
        now: u32,
        made: &mut Vec<ServiceName>,
    ) -> anyhow::Result<u16> {
        let mut owner = self.owner_of(wanted);
        for name in wanted.destinations() {
            let place = self.records.get(&name);
            if owner.is_some() && place.map(|it| it.owner) == owner {
                continue;
            }
            // Another service's until now.
            self.remove(tables, name, now);
            owner = Some(self.make(tables, name, owner)?);
            made.push(name);
        }
        owner.ok_or_else(|| anyhow::anyhow!("service {} has no destination", wanted.name))
    }

    /// Has another record of a service be its owner, whose own is to go. No flow notices: packets need
    /// the owner for turns and for fragments alone.
    pub(super) fn hand_over(&mut self, tables: &Tables, owner: u16) {
        let Some(service) = self.services.remove(&owner) else {
            return;
        };
        let Some(&(_, heir)) = service.records.first() else {
            return;
        };
        let [old, new] = [owner, heir].map(|id| &tables.services[usize::from(id)]);
        new.cursor.store(old.cursor.load());
        for &(name, id) in &service.records {
            let record = &tables.services[usize::from(id)];
            let chain = record.chain();
            record.set_chain(Chain {
                owner: heir,
                ..chain
            });
            self.records.insert(name, Place { id, owner: heir });
        }
        for &member in service.members.values() {
            tables.members[member as usize].set_service(heir);
        }
        self.services.insert(heir, service);
    }
}

/// What of the bookkeeping is found in the tables.
pub(super) struct Found {
    pub(super) records: HashMap<ServiceName, Place>,
    pub(super) services: HashMap<u16, InstalledService>,
    pub(super) free_services: Vec<u16>,
    pub(super) free_members: Vec<u32>,
    pub(super) ranges: Ranges,
}

impl Found {
    /// Finds the services and puts right what a daemon left half done that was killed.
    pub(super) fn of(tables: &Tables) -> Self {
        let mut found = Self {
            records: HashMap::new(),
            services: HashMap::new(),
            free_services: Vec::new(),
            free_members: Vec::new(),
            ranges: Ranges::new(tables.slots.len() as u32),
        };
        let mut groups: HashMap<Seed, Vec<(ServiceName, u16)>> = HashMap::new();
        for (id, service) in tables.services.iter().enumerate().skip(1).rev() {
            match ServiceName::of(service) {
                Some(name) => groups
                    .entry(service.seed)
                    .or_default()
                    .push((name, id as u16)),
                None => found.free_services.push(id as u16),
            }
        }
        let mut owners = vec![0; tables.services.len()];
        for records in groups.into_values() {
            found.take(tables, records, &mut owners);
        }
        found.take_members(tables, &owners);
        found
    }

    fn take(&mut self, tables: &Tables, records: Vec<(ServiceName, u16)>, owners: &mut [u16]) {
        let record = |id: u16| &tables.services[usize::from(id)];
        let mut said = records.iter().map(|&(_, id)| record(id).chain().owner);
        let first = records.first().map(|&(_, id)| id);
        let owner = said.find(|owner| records.iter().any(|(_, id)| id == owner));
        let Some(owner) = owner.or(first) else {
            return;
        };
        for &(name, id) in &records {
            let Chain { next, .. } = record(id).chain();
            record(id).set_chain(Chain { next, owner, id });
            owners[usize::from(id)] = owner;
            self.records.insert(name, Place { id, owner });
        }
        for layout in [&record(owner).layout, &record(owner).before] {
            let layout = Layout::unpack(layout.load());
            self.ranges.take(layout.first, layout.slots);
        }
        let service = InstalledService {
            records,
            ..InstalledService::default()
        };
        service.share(tables, owner);
        self.services.insert(owner, service);
    }

    fn take_members(&mut self, tables: &Tables, owners: &[u16]) {
        for (id, member) in tables.members.iter().enumerate().skip(1).rev() {
            let owner = owners.get(usize::from(member.service())).copied();
            let owner = owner.unwrap_or_default();
            let version = tables.services[usize::from(owner)].destination.version();
            let rip = address::ip(member.rip, version);
            match self.services.get_mut(&owner).zip(rip) {
                Some((service, rip)) => {
                    service.members.insert(rip, id as u32);
                    member.set_service(owner);
                }
                None => self.free_members.push(id as u32),
            }
        }
    }
}
