//! What happens to a director, done to the real tables and to the full table beside them.
//!
//! After each segment the two are compared: see `Trial::send`.

use std::collections::{BTreeMap, HashSet};

use lb_common::tables::{Layout, Record, SlotValue, State};
use lb_user::{
    dataplane::director::Limits,
    install::{Flows, Installed},
    scheduler::Scheduler,
};
use tests::frames::{ACK, SYN};

use crate::{
    full_table::{FullTable, Noting},
    site::{Client, ESTABLISHED, Site, service},
};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// SYN and ACK from every port of a group.
    Open(u8),
    /// Another segment from every port of a group.
    Send(u8, u8),
    Pass(u32),
    Sweep,
    /// Another daemon takes the tables over.
    Restart,
    /// A real server added, changed, or with `None` removed.
    Real(u8, Option<u32>),
    /// So many real servers of weight 1, and no others.
    Reals(u8),
    Scheduler(Scheduler),
    Unresolved(u8, bool),
    /// The service is removed, and added again.
    Anew,
}

/// Members and slots that no history comes near.
const LIMITS: Limits = Limits {
    services: 4,
    members: 64,
    slots: 1 << 16,
    flow_sets: 0,
    lists_flows: true,
};
const CLIENTS: u8 = 2;
const PORTS: u16 = 12;

pub(crate) struct Trial {
    pub(crate) site: Site,
    table: FullTable,
    scheduler: Scheduler,
    reals: BTreeMap<u8, u32>,
    /// No hash since the service was made.
    always_tracked: bool,
    /// Whether there is a record's room for every flow.
    roomy: bool,
    /// Else those that were seen to have the record of an established flow, at their member.
    held: HashSet<Client>,
}

impl Trial {
    pub(crate) fn new(scheduler: Scheduler, flow_sets: usize, roomy: bool) -> Self {
        let limits = Limits {
            flow_sets,
            ..LIMITS
        };
        let mut trial = Self {
            site: Site::with_limits(limits),
            table: FullTable::default(),
            scheduler,
            reals: (2..5).map(|host| (host, 1)).collect(),
            always_tracked: true,
            roomy,
            held: HashSet::new(),
        };
        trial.bring();
        trial
    }

    pub(crate) fn run(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Open(group) => {
                self.send_all(group, SYN);
                self.send_all(group, ACK);
            }
            Step::Send(group, flags) => self.send_all(group, flags),
            Step::Pass(seconds) => self.site.pass(seconds),
            Step::Sweep => self.sweep(),
            Step::Restart => {
                self.site.installed = Installed::of(&self.site.tables);
                // As the daemon does: ids of removed services' members are not to be used before.
                self.sweep();
                self.bring();
            }
            Step::Real(host, Some(weight)) => {
                self.reals.insert(host, weight);
                self.bring();
            }
            Step::Real(host, None) => {
                self.reals.remove(&host);
                self.bring();
            }
            Step::Reals(number) => {
                self.reals = (2..2 + number).map(|host| (host, 1)).collect();
                self.bring();
            }
            Step::Scheduler(scheduler) => {
                self.scheduler = scheduler;
                self.bring();
            }
            Step::Unresolved(host, unresolved) => {
                self.site.unresolved.retain(|&it| it != host);
                self.site.unresolved.extend(unresolved.then_some(host));
                self.bring();
            }
            Step::Anew => {
                let site = &mut self.site;
                site.installed.remove(&site.tables, service(), site.now);
                self.table.entries.clear();
                self.held.clear();
                self.always_tracked = true;
                self.bring();
            }
        }
    }

    fn bring(&mut self) {
        if self.site.installed.is_to_be_swept() {
            self.sweep();
        }
        self.always_tracked &= !self.scheduler.is_hashed();
        let reals: Vec<_> = self.reals.iter().map(|(&host, &it)| (host, it)).collect();
        self.site.bring(self.scheduler, &reals);
    }

    fn send_all(&mut self, group: u8, flags: u8) {
        for client in 1..=CLIENTS {
            for port in 0..PORTS {
                self.send((client, u16::from(group) * PORTS + port + 1), flags);
            }
        }
    }

    /// Sends a segment, and sees that a flow is where the full table has it.
    ///
    /// Without room for every record that is so for the flows that have one and are established:
    /// those do not lose it before they expire.
    fn send(&mut self, client: Client, flags: u8) {
        let now = self.site.now;
        let home = self.table.home(client, flags, now);
        let held = self.roomy || self.held.contains(&client);
        let went = self.site.send_from(client, flags);
        if let Some(home) = home.filter(|_| held) {
            let entry = self.table.entries[&client];
            assert_eq!(went, Ok(home), "{client:?}, flags {flags:#x}: {entry:?}");
        }
        let Ok(went) = went else { return };
        let noting = match (
            self.roomy && self.always_tracked,
            self.scheduler.is_hashed(),
        ) {
            (true, _) => Noting::Always,
            (false, false) => Noting::Now,
            (false, true) => Noting::Rarely,
        };
        self.table.went(client, flags, now, went, noting);
        let record = self.site.record_of(client);
        let holds = |(home, record): (u8, Record)| home == went && record.state != State::Embryonic;
        if record.is_some_and(holds) {
            self.held.insert(client);
        } else {
            self.held.remove(&client);
        }
    }

    fn sweep(&mut self) {
        self.site.sweep();
        self.table.sweep(self.site.now);
        if self.roomy && self.always_tracked {
            let counted: BTreeMap<u8, Flows> = self
                .site
                .members()
                .into_iter()
                .map(|host| (host, self.site.flows(host)))
                .filter(|(_, flows)| *flows != Flows::default())
                .collect();
            assert_eq!(counted, self.table.usage().into_iter().collect());
        }
    }

    /// When nothing has changed and nobody has sent for a while, nothing of the past is left.
    pub(crate) fn end(&mut self) {
        for _ in 0..2 {
            self.site.pass(ESTABLISHED + 1);
            self.sweep();
        }
        let reals: Vec<u8> = self.reals.keys().copied().collect();
        assert_eq!(self.site.members(), reals, "removed members");
        let (site, tables) = (&self.site, &self.site.tables);
        let id = site.installed.service(service()).unwrap();
        let record = &tables.services[usize::from(id)];
        let layout = Layout::unpack(record.layout.load());
        let (first, end) = (
            layout.first as usize,
            (layout.first + layout.slots) as usize,
        );
        let is_clean = |i: usize| SlotValue::unpack(tables.slots[i].load()).is_clean();
        assert!((first..end).all(is_clean), "slots");
        assert_eq!((record.before.load(), record.settles.load()), (0, 0));
        assert_eq!(site.usage.flows, 0, "records");
        let spare = site.installed.spare();
        assert_eq!(spare.services, LIMITS.services - 2, "services");
        assert_eq!(spare.members, LIMITS.members - 1 - reals.len(), "members");
        assert_eq!(spare.slots, LIMITS.slots as u32 - layout.slots, "slots");
        assert_eq!(Installed::of(tables).spare(), spare, "rebuilt");
    }
}
