//! One service of a history, beside a full table of its flows.

use std::collections::{BTreeMap, HashSet};

use lb_common::{
    reason::Reason,
    tables::{Record, State},
};
use lb_user::{
    install::{Flows, Persistence, Policy},
    scheduler::Scheduler,
    service::{ServiceName, Transport},
};
use tests::frames::SYN;

use super::First;
use crate::{
    full_table::{FullTable, Noting},
    site::{Client, Says, Site},
};

pub(super) struct Served {
    pub(super) name: ServiceName,
    pub(super) scheduler: Scheduler,
    policy: Policy,
    /// Hosts with their weights.
    pub(super) reals: BTreeMap<u8, u32>,
    table: FullTable,
    /// Every flow had a record since the service was made.
    always_tracked: bool,
    /// Whether there is a record's room for every flow.
    roomy: bool,
    /// Else those that were seen to have the record of an established flow, at their member.
    held: HashSet<Client>,
}

impl Served {
    pub(super) fn new(name: &str, first: First, roomy: bool) -> Self {
        let mut served = Self {
            name: name.parse().unwrap(),
            scheduler: first.scheduler,
            policy: Policy::default(),
            reals: (2..5).map(|host| (host, 1)).collect(),
            table: FullTable::default(),
            always_tracked: true,
            roomy,
            held: HashSet::new(),
        };
        served.persist(first.persistence, false);
        served
    }

    pub(super) fn persist(&mut self, seconds: Option<u32>, expire_quiescent: bool) {
        let prefix = if self.name.vip.is_ipv4() { 32 } else { 128 };
        self.policy = Policy {
            persistence: seconds.map(|seconds| Persistence { seconds, prefix }),
            expire_quiescent,
            ..Policy::default()
        };
    }

    pub(super) fn is_udp(&self) -> bool {
        self.name.protocol == Transport::Udp
    }

    fn is_tracked(&self) -> bool {
        let names = std::iter::once(self.name);
        self.policy.tracks(self.scheduler, names, false)
    }

    pub(super) fn bring(&mut self, site: &mut Site) {
        self.always_tracked &= self.is_tracked();
        (site.name, site.policy) = (self.name, self.policy);
        let reals: Vec<_> = self.reals.iter().map(|(&host, &it)| (host, it)).collect();
        site.bring(self.scheduler, &reals);
    }

    pub(super) fn remove(&mut self, site: &mut Site) {
        site.installed.remove(&site.tables, self.name, site.now);
        self.table = FullTable::default();
        self.held.clear();
        self.always_tracked = true;
    }

    /// Sends a packet, and sees that it goes where the full table has its flow, or its client.
    ///
    /// Without room for every record that is so for the flows that have one and are established:
    /// those do not lose it before they expire.
    pub(super) fn send(
        &mut self,
        site: &mut Site,
        client: Client,
        says: Says,
    ) -> Result<u8, Reason> {
        (site.name, site.policy) = (self.name, self.policy);
        let now = site.now;
        let of_flow = self.table.home(client, says, now);
        let home = of_flow.or_else(|| self.comes_back(client, says, now));
        let held = self.roomy || self.held.contains(&client);
        let went = site.tell(client, says);
        if let Some(home) = home.filter(|_| held) {
            let known = (self.table.entries.get(&client), &self.table.templates);
            let name = self.name;
            assert_eq!(went, Ok(home), "{name} {client:?} {says:?}: {known:?}");
        }
        let is_new = home.is_none() && self.is_first(says);
        let home = went?;
        let takes = self.reals.get(&home) > Some(&0) && !site.unresolved.contains(&home);
        assert!(
            takes || !is_new,
            "{} {client:?} {says:?}: {home}",
            self.name
        );
        let noting = match (self.roomy && self.always_tracked, self.is_tracked()) {
            (true, _) => Noting::Always,
            (false, true) => Noting::Now,
            (false, false) => Noting::Rarely,
        };
        let persistence = self.policy.persistence.map(|it| it.seconds);
        let packet = (client, says, now);
        self.table.went(packet, home, noting, persistence);
        let is_held = |(at, record): (u8, Record)| at == home && record.state != State::Embryonic;
        if site.record_of(client).is_some_and(is_held) {
            self.held.insert(client);
        } else {
            self.held.remove(&client);
        }
        went
    }

    /// Where the first packet of a flow has to go for the sake of its client.
    fn comes_back(&self, client: Client, says: Says, now: u32) -> Option<u8> {
        let knows = self.is_first(says) && self.policy.persistence.is_some();
        let home = self.table.templates.home(client.0, now);
        home.filter(|home| {
            let weight = self.reals.get(home);
            let takes = weight.is_some_and(|&it| it > 0 || !self.policy.expire_quiescent);
            knows && takes
        })
    }

    /// Whether a packet without a home in the table is the first of its flow to the director, too.
    fn is_first(&self, says: Says) -> bool {
        let begins = says.is(SYN) || says.is_datagram();
        begins && self.roomy && self.always_tracked
    }

    /// After the site was swept.
    pub(super) fn sweep(&mut self, site: &mut Site) {
        site.name = self.name;
        let reals: Vec<u8> = self.reals.keys().copied().collect();
        self.table.sweep(site.now, &reals);
        if self.roomy && self.always_tracked {
            let hosts = site.members().into_iter();
            let counted: BTreeMap<u8, Flows> = hosts
                .map(|host| (host, site.flows(host)))
                .filter(|(_, flows)| *flows != Flows::default())
                .collect();
            let usage: BTreeMap<u8, Flows> = self.table.usage().into_iter().collect();
            assert_eq!(counted, usage, "{}", self.name);
        }
    }
}
