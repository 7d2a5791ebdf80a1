//! A service's record and its entry in the directory: made, published, removed.

use anyhow::{Context as _, bail};
use lb_common::{
    hash::{Destination, Seed},
    tables::{Chain, Entry, Layout, Member, Service, bucket_of},
};

use super::{Installed, InstalledService, Wanted};
use crate::{dataplane::director::Tables, service::ServiceName};

impl Installed {
    /// Writes the record of a service that nothing points at yet.
    pub(super) fn make(&mut self, tables: &Tables, wanted: &Wanted) -> anyhow::Result<()> {
        let id = self.free_services.pop().with_context(|| {
            let most = tables.services.len() - 1;
            format!(
                "no room for service {}: `services_max` is {most}",
                wanted.name
            )
        })?;
        let mut record = wanted.name.record();
        record.seed = seed()?;
        record.set_chain(Chain { next: 0, owner: id });
        tables.services.write(id.into(), record);
        let service = InstalledService {
            id,
            ..InstalledService::default()
        };
        self.services.insert(wanted.name, service);
        Ok(())
    }

    /// Enters a service in the directory, if it is not there: from here on packets find it.
    pub(super) fn publish(&mut self, tables: &Tables, name: ServiceName) -> anyhow::Result<()> {
        let entered = match name.ports.is_one() {
            true => {
                let entry = Entry::new(&name.destination(), self.services[&name].id);
                enter(tables, &name.destination(), entry)
            }
            false => true,
        };
        self.note(tables, name);
        if !entered || !self.chain(tables, name) {
            // One in a hundred million at half of all services.
            self.remove(tables, name, 0);
            bail!(
                "no room for service {name}: its bucket of the directory is full; use another port or VIP"
            );
        }
        Ok(())
    }

    /// Takes a service out. Packets for it are the director's own stack's from here on.
    pub fn remove(&mut self, tables: &Tables, name: ServiceName, now: u32) {
        let Some(service) = self.services.remove(&name) else {
            return;
        };
        self.forget(tables, name);
        self.chain(tables, name);
        if name.ports.is_one() {
            let destination = name.destination();
            let bucket = &tables.directory[bucket_of(destination.hash())];
            bucket.leave(Entry::new(&destination, service.id));
        }
        let record = &tables.services[usize::from(service.id)];
        for layout in [record.layout.load(), record.before.load()] {
            let layout = Layout::unpack(layout);
            self.ranges.give_back(layout.first, layout.slots, now);
        }
        tables.services.write(service.id.into(), Service::vacant());
        self.free_services.push(service.id);
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
