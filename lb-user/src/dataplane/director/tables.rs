//! The director's tables as this process has them mapped.

use std::io;

use lb_common::{
    director,
    reason::Reason,
    shared::Shared,
    tables::{Bucket, Counters, FlowSet, Interface, Member, Service, Settings},
};

use super::{Limits, mapped::Mapped};

/// All mapped arrays. Only the daemon writes them.
#[derive(Debug)]
pub struct Tables {
    pub directory: Mapped<Bucket>,
    pub services: Mapped<Service>,
    pub slots: Mapped<Shared>,
    pub members: Mapped<Member>,
    pub interfaces: Mapped<Interface>,
    pub flows: Mapped<FlowSet>,
    pub settings: Mapped<Settings>,
}

impl Tables {
    /// Returns empty tables that no program has: to plan with, and to test.
    pub fn anonymous(limits: Limits) -> io::Result<Self> {
        Ok(Self {
            directory: Mapped::anonymous(lb_common::tables::DIRECTORY_BUCKETS)?,
            services: Mapped::anonymous(limits.services)?,
            slots: Mapped::anonymous(limits.slots)?,
            members: Mapped::anonymous(limits.members)?,
            interfaces: Mapped::anonymous(lb_common::tables::INTERFACES_MAX)?,
            flows: Mapped::anonymous(limits.flow_sets)?,
            settings: Mapped::anonymous(1)?,
        })
    }
}

impl Tables {
    /// Memory that they take, in octets.
    pub fn octets(&self) -> u64 {
        let octets = size_of_val(&*self.directory)
            + size_of_val(&*self.services)
            + size_of_val(&*self.slots)
            + size_of_val(&*self.members)
            + size_of_val(&*self.interfaces)
            + size_of_val(&*self.flows)
            + size_of_val(&*self.settings);
        octets as u64
    }
}

/// The same tables, at one moment of the flows' clock: what the kernel would decide, decided here.
pub struct At<'t> {
    pub tables: &'t Tables,
    pub now: u32,
    /// What would have been counted: member, octets, new.
    pub counted: std::cell::Cell<Option<(u32, usize, bool)>>,
}

impl<'t> At<'t> {
    pub fn new(tables: &'t Tables, now: u32) -> Self {
        Self {
            tables,
            now,
            counted: None.into(),
        }
    }
}

impl director::Tables for At<'_> {
    fn bucket(&self, index: u32) -> Option<&Bucket> {
        self.tables.directory.get(index as usize)
    }

    fn service(&self, id: u16) -> Option<&Service> {
        self.tables.services.get(usize::from(id))
    }

    fn slot(&self, index: u32) -> Option<&Shared> {
        self.tables.slots.get(index as usize)
    }

    fn member(&self, id: u32) -> Option<&Member> {
        self.tables.members.get(id as usize)
    }

    fn interface(&self, index: u32) -> Option<&Interface> {
        self.tables
            .interfaces
            .get(Interface::element(index) as usize)
    }

    fn flow_set(&self, hash: u64) -> Option<&FlowSet> {
        let sets = self.tables.flows.len();
        self.tables.flows.get(hash as usize & (sets - 1))
    }

    fn settings(&self) -> Option<&Settings> {
        self.tables.settings.first()
    }

    fn now(&self) -> u32 {
        self.now
    }

    fn count(&self, member: u32, octets: usize, new: bool) {
        self.counted.set(Some((member, octets, new)));
    }
}

/// Packets not forwarded, by reason.
pub type ReasonCounts = [u64; Reason::ALL.len()];

/// Adds up what each CPU counted.
pub(super) fn total(counters: impl IntoIterator<Item = Counters>) -> Counters {
    counters
        .into_iter()
        .fold(Counters::default(), |a, b| Counters {
            packets: a.packets + b.packets,
            bytes: a.bytes + b.bytes,
            flows: a.flows + b.flows,
        })
}
