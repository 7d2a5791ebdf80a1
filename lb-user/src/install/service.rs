//! A destination's record and its entry in the directory: made, published, removed.

use anyhow::{Context as _, bail};
use lb_common::{
    hash::{Destination, Seed},
    tables::{Chain, Entry, Layout, Member, Service, bucket_of},
};

use super::{Installed, Place};
use crate::{dataplane::director::Tables, service::ServiceName};

impl Installed {
    /// Writes the record of a destination that nothing points at yet: another of the owner's, or the
    /// first of a service, which it then owns. Returns the owner's id.
    pub(super) fn make(
        &mut self,
        tables: &Tables,
        name: ServiceName,
        owner: Option<u16>,
    ) -> anyhow::Result<u16> {
        let id = self.free_services.pop().with_context(|| {
            let most = tables.services.len() - 1;
            format!("no room for service {name}: `services_max` is {most}")
        })?;
        let mut record = name.record();
        record.seed = match owner {
            Some(owner) => tables.services[usize::from(owner)].seed,
            None => seed()?,
        };
        let owner = owner.unwrap_or(id);
        let next = 0;
        record.set_chain(Chain { next, owner, id });
        tables.services.write(id.into(), record);
        self.records.insert(name, Place { id, owner });
        let service = self.services.entry(owner).or_default();
        service.records.push((name, id));
        Ok(owner)
    }

    /// Enters a destination in the directory, if it is not there: from here on packets find it.
    pub(super) fn publish(&mut self, tables: &Tables, name: ServiceName) -> anyhow::Result<()> {
        let entered = match name.ports.is_one() {
            true => {
                let entry = Entry::new(&name.destination(), self.records[&name].id);
                enter(tables, &name.destination(), entry)
            }
            false => true,
        };
        self.note(tables, name);
        if !entered || !self.chain(tables, name) {
            // One in a hundred million at half of all services.
            bail!(
                "no room for service {name}: its bucket of the directory is full; use another port or VIP"
            );
        }
        Ok(())
    }

    /// Takes a destination out, and with the last one its service. Packets for it are the director's
    /// own stack's from here on.
    pub fn remove(&mut self, tables: &Tables, name: ServiceName, now: u32) {
        let Some(Place { id, owner }) = self.records.remove(&name) else {
            return;
        };
        self.forget(tables, name);
        self.chain(tables, name);
        if name.ports.is_one() {
            let destination = name.destination();
            let bucket = &tables.directory[bucket_of(destination.hash())];
            bucket.leave(Entry::new(&destination, id));
        }
        if let Some(service) = self.services.get_mut(&owner) {
            service.records.retain(|&(_, other)| other != id);
            if service.records.is_empty() {
                self.remove_last(tables, owner, now);
            } else if owner == id {
                self.hand_over(tables, owner);
            }
        }
        tables.services.write(id.into(), Service::vacant());
        self.free_services.push(id);
    }

    /// Frees what a service has whose last destination goes.
    fn remove_last(&mut self, tables: &Tables, owner: u16, now: u32) {
        let Some(service) = self.services.remove(&owner) else {
            return;
        };
        let record = &tables.services[usize::from(owner)];
        for layout in [record.layout.load(), record.before.load()] {
            let layout = Layout::unpack(layout);
            self.ranges.give_back(layout.first, layout.slots, now);
        }
        for id in service.members.into_values() {
            tables.members.write(id as usize, Member::default());
            self.resting_members.push(id);
        }
    }
}

/// Enters a destination in the directory; `false` if there is no room.
pub(super) fn enter(tables: &Tables, destination: &Destination, entry: Entry) -> bool {
    let bucket = &tables.directory[bucket_of(destination.hash())];
    bucket.entries.iter().any(|it| it.load() == entry.0) || bucket.enter(entry)
}

/// A random seed for a hash of flows.
pub(crate) fn seed() -> anyhow::Result<Seed> {
    let mut octets = [0; 16];
    let filled = rustix::rand::getrandom(&mut octets, rustix::rand::GetRandomFlags::empty())
        .context("cannot get random octets for a seed")?;
    anyhow::ensure!(filled == octets.len(), "too few random octets for a seed");
    let [a, b, c, d, e, f, g, h, rest @ ..] = octets;
    Ok([
        u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
        u64::from_ne_bytes(rest),
    ])
}
