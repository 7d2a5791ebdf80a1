//! The services of one VIP and protocol as packets ask them that no exact port has: those with a range
//! of ports, the narrowest first. Without any, one service stands for the VIP, as later fragments
//! tell no port.

use std::collections::BTreeSet;

use lb_common::tables::{Chain, Entry, bucket_of};

use super::{Installed, Place, service::enter};
use crate::{dataplane::director::Tables, service::ServiceName};

/// The services of one VIP and protocol.
#[derive(Debug, Default)]
pub(super) struct OfVip {
    /// Of one port each.
    ports: BTreeSet<ServiceName>,
    ranges: BTreeSet<ServiceName>,
}

impl OfVip {
    fn with(&mut self, name: ServiceName) -> &mut BTreeSet<ServiceName> {
        match name.ports.is_one() {
            true => &mut self.ports,
            false => &mut self.ranges,
        }
    }
}

impl Installed {
    /// Notes a service among those of its VIP.
    pub(super) fn note(&mut self, tables: &Tables, name: ServiceName) {
        let vip = self.vips.entry((name.protocol, name.vip)).or_default();
        if vip.with(name).insert(name) {
            self.count_range(tables, name, 1);
        }
    }

    pub(super) fn forget(&mut self, tables: &Tables, name: ServiceName) {
        let key = (name.protocol, name.vip);
        let Some(vip) = self.vips.get_mut(&key) else {
            return;
        };
        if vip.with(name).remove(&name) {
            if vip.ports.is_empty() && vip.ranges.is_empty() {
                self.vips.remove(&key);
            }
            self.count_range(tables, name, -1);
        }
    }

    fn count_range(&mut self, tables: &Tables, name: ServiceName, more: isize) {
        if !name.ports.is_one() {
            self.range_count = self.range_count.saturating_add_signed(more);
        }
        tables.settings().ranges.store(self.range_count as u64);
    }

    /// Chains the services of the VIP and protocol of `name`, which may be gone; `false` if the
    /// directory has no room.
    ///
    /// Packets meanwhile find the old chain, the new one, or one that is part of both.
    pub(super) fn chain(&self, tables: &Tables, name: ServiceName) -> bool {
        let Some(vip) = self.vips.get(&(name.protocol, name.vip)) else {
            self.leave_others(tables, name, None);
            return true;
        };
        let mut ranges: Vec<ServiceName> = vip.ranges.iter().copied().collect();
        ranges.sort_by_key(|it| (it.ports.last - it.ports.first, it.ports.first));
        for (i, it) in ranges.iter().enumerate().rev() {
            let next = ranges.get(i + 1).map_or(0, |next| self.records[next].id);
            let Place { id, owner } = self.records[it];
            tables.services[usize::from(id)].set_chain(Chain { next, owner, id });
        }
        let head = ranges.first().or(vip.ports.first()).copied();
        let entered = head.is_none_or(|head| {
            let entry = Entry::new(&name.of_vip(), self.records[&head].id);
            enter(tables, &name.of_vip(), entry)
        });
        self.leave_others(tables, name, head);
        entered
    }

    /// Takes the entries of the VIP out that name another service.
    fn leave_others(&self, tables: &Tables, name: ServiceName, head: Option<ServiceName>) {
        let hash = name.of_vip().hash();
        let head = head.map(|head| self.records[&head].id);
        let bucket = &tables.directory[bucket_of(hash)];
        for entry in bucket.entries.iter().map(|entry| Entry(entry.load())) {
            let is_its = entry == Entry::new(&name.of_vip(), entry.service());
            if is_its && entry != Entry::VACANT && Some(entry.service()) != head {
                bucket.leave(entry);
            }
        }
    }
}
