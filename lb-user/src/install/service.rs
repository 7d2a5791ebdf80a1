//! A service's record and its entry in the directory: made, published, removed.

use anyhow::{Context as _, bail};
use lb_common::{
    hash::{Destination, Seed},
    tables::{Entry, Layout, Member, Service},
    wire::Protocol,
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
        let destination = wanted.name.destination();
        let service = Service::new(destination, wanted.drops, Layout::default(), seed()?);
        tables.services.write(id.into(), service);
        let service = InstalledService {
            id,
            ..InstalledService::default()
        };
        self.services.insert(wanted.name, service);
        Ok(())
    }

    /// Enters a service in the directory, if it is not there: from here on packets find it.
    pub(super) fn publish(&mut self, tables: &Tables, name: ServiceName) -> anyhow::Result<()> {
        let destination = name.destination();
        let entry = Entry::new(&destination, self.services[&name].id);
        let bucket = &tables.directory[destination.bucket() as usize];
        if bucket.entries.iter().any(|it| it.load() == entry.0) {
            return Ok(());
        }
        let Some(vacant) = bucket.entries.iter().find(|entry| entry.load() == 0) else {
            // One in a hundred million at half of all services.
            self.remove(tables, name, 0);
            bail!(
                "no room for service {name}: its bucket of the directory is full; use another port or VIP"
            );
        };
        vacant.store(entry.0);
        Ok(())
    }

    /// Takes a service out. Packets for it are the director's own stack's from here on.
    pub fn remove(&mut self, tables: &Tables, name: ServiceName, now: u32) {
        let Some(service) = self.services.remove(&name) else {
            return;
        };
        let destination = name.destination();
        let entry = Entry::new(&destination, service.id).0;
        for vacated in &tables.directory[destination.bucket() as usize].entries {
            vacated.replace(entry, 0);
        }
        let record = &tables.services[usize::from(service.id)];
        for layout in [record.layout.load(), record.before.load()] {
            let layout = Layout::unpack(layout);
            self.ranges.give_back(layout.first, layout.slots, now);
        }
        let vacant = Service::new(
            Destination {
                vip: [0; 4],
                port: [0; 2],
                protocol: Protocol(0),
            },
            false,
            Layout::default(),
            [0; 2],
        );
        tables.services.write(service.id.into(), vacant);
        self.free_services.push(service.id);
        for id in service.members.into_values() {
            tables.members.write(id as usize, Member::default());
            self.resting_members.push(id);
        }
    }
}

/// A random seed for the hash of a service's flows.
fn seed() -> anyhow::Result<Seed> {
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
