//! The director's tables as this process has them mapped.

use std::{io, mem::offset_of};

use lb_common::{
    address::Version,
    director,
    flow_table::fingerprint,
    hash::Flow,
    reason::Reason,
    shared::Shared,
    tables::{
        Bucket, Counters, DIRECTORY_BUCKETS, Endpoints, FlowSet, INTERFACES_MAX, Interface,
        LAYOUT_VERSION, Member, Record, Service, Settings, Site, WAYS, Whose,
    },
};

use super::{Limits, mapped::Mapped};

/// All mapped arrays. Only the daemon writes them.
#[derive(Debug)]
pub struct Tables {
    site: Mapped<Site>,
    pub flows: Mapped<FlowSet>,
    /// As many as there are ways, or none.
    pub endpoints: Mapped<Endpoints>,
    // Parts of the site, as far as the limits go.
    pub directory: Mapped<Bucket>,
    pub services: Mapped<Service>,
    pub slots: Mapped<Shared>,
    pub members: Mapped<Member>,
    pub interfaces: Mapped<Interface>,
    pub settings: Mapped<Settings>,
}

impl Tables {
    pub fn new(
        site: Mapped<Site>,
        flows: Mapped<FlowSet>,
        endpoints: Mapped<Endpoints>,
        limits: Limits,
    ) -> Self {
        // A limit that was lowered does not hide the services that are beyond it.
        let mut services = site[0].services.iter();
        let used = services.rposition(|service| service.destination.version() != Version(0));
        let services = limits.services.max(used.map_or(0, |last| last + 1));
        Self {
            directory: site.part(offset_of!(Site, directory), DIRECTORY_BUCKETS),
            services: site.part(offset_of!(Site, services), services),
            slots: site.part(offset_of!(Site, slots), limits.slots),
            members: site.part(offset_of!(Site, members), limits.members),
            interfaces: site.part(offset_of!(Site, interfaces), INTERFACES_MAX),
            settings: site.part(offset_of!(Site, settings), 1),
            site,
            flows,
            endpoints,
        }
    }

    /// Returns empty tables that no program has: to plan with, and to test.
    pub fn anonymous(limits: Limits) -> io::Result<Self> {
        Ok(Self::new(
            Mapped::anonymous(1)?,
            Mapped::anonymous(limits.flow_sets)?,
            Mapped::anonymous(limits.endpoints())?,
            limits,
        ))
    }

    /// Returns a copy of all but the flows, for a plan of what would be.
    pub fn copy(&self) -> io::Result<Self> {
        self.copy_beside(1)
    }

    /// Returns a copy of all but the flows, with so many empty sets of them.
    pub(super) fn copy_beside(&self, flow_sets: usize) -> io::Result<Self> {
        let site = Mapped::<Site>::anonymous(1)?;
        copy(&self.site, &site);
        let limits = Limits {
            services: self.services.len(),
            members: self.members.len(),
            slots: self.slots.len(),
            ..Limits::default()
        };
        Ok(Self::new(
            site,
            Mapped::anonymous(flow_sets)?,
            Mapped::anonymous(0)?,
            limits,
        ))
    }

    /// Takes all but the flows from other tables, which may be of an earlier layout.
    pub fn take_site(&self, old: &Self) {
        copy(&old.site, &self.site);
        let version = offset_of!(Site, settings) + offset_of!(Settings, version);
        self.site.part::<Shared>(version, 1)[0].store(LAYOUT_VERSION);
    }

    /// Returns the tables of fixed size.
    pub(super) fn site(&self) -> &Site {
        &self.site[0]
    }

    /// What holds for all services.
    pub fn settings(&self) -> &Settings {
        &self.site[0].settings
    }

    /// Whether it is kept whose flows the records are.
    pub fn lists_flows(&self) -> bool {
        self.endpoints.len() == self.flows.len() * WAYS
    }

    /// Returns whose record is in a way, if that is known: not if its service has gone.
    pub fn flow(&self, (set, way): (usize, usize), key: u64, record: Record) -> Option<Flow> {
        let whose = self.endpoints.get(set * WAYS + way)?.read(key)?;
        let service = self.services.get(usize::from(whose.service))?;
        let flow = Flow::new(whose.client, service.destination.vip, whose.kind);
        // Another's by now may be the id, and within a service of several VIPs only the hash tells.
        let is_its = match record.state.is_flow() {
            true => fingerprint(flow.hash(service.seed)) == key,
            false => {
                let member = self.members.get(record.member as usize)?;
                service.chain().owner == member.service()
            }
        };
        (is_its && record.is_of(key)).then_some(flow)
    }

    /// Octets that a flow takes.
    pub fn flow_octets(&self) -> usize {
        let endpoints = match self.lists_flows() {
            true => size_of::<Endpoints>(),
            false => 0,
        };
        size_of::<FlowSet>() / WAYS + endpoints
    }

    /// Memory that they take, in octets.
    pub fn octets(&self) -> u64 {
        let octets =
            size_of_val(&*self.site) + size_of_val(&*self.flows) + size_of_val(&*self.endpoints);
        octets as u64
    }
}

fn copy(from: &Mapped<Site>, to: &Mapped<Site>) {
    let words = size_of::<Site>() / size_of::<Shared>();
    let [from, to] = [from, to].map(|it| it.part::<Shared>(0, words));
    for (from, to) in from.iter().zip(to.iter()) {
        to.store(from.load());
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

    fn set(&self, hash: u64) -> usize {
        hash as usize & (self.tables.flows.len() - 1)
    }
}

impl director::Tables for At<'_> {
    fn site(&self) -> Option<&Site> {
        self.tables.site.first()
    }

    fn flow_set(&self, hash: u64) -> Option<&FlowSet> {
        self.tables.flows.get(self.set(hash))
    }

    fn now(&self) -> u32 {
        self.now
    }

    fn count(&self, member: u32, octets: usize, new: bool) {
        self.counted.set(Some((member, octets, new)));
    }

    fn note(&self, hash: u64, way: usize, whose: &Whose) {
        if let Some(endpoints) = self.tables.endpoints.get(self.set(hash) * WAYS + way) {
            endpoints.write(whose, fingerprint(hash));
        }
    }
}

/// Packets not forwarded, by reason.
pub type ReasonCounts = [u64; Reason::ALL.len()];

/// Adds up what each CPU counted.
pub fn total(counters: impl IntoIterator<Item = Counters>) -> Counters {
    counters
        .into_iter()
        .fold(Counters::default(), |a, b| Counters {
            packets: a.packets + b.packets,
            bytes: a.bytes + b.bytes,
            flows: a.flows + b.flows,
        })
}
