//! What happens to a director, done to the real tables and to the full tables beside them.
//!
//! After each packet the two are compared: see `Served::send`.

mod quiet;
mod served;

use lb_user::{dataplane::director::Limits, install::Installed, scheduler::Scheduler};
use tests::frames::{ACK, SYN};

use self::served::Served;
use crate::site::{Client, Says, Site};

/// Services are numbered from the main one on.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// SYN and ACK, or two datagrams, from every port of a group.
    Open(usize, u8),
    /// Another segment, or a datagram, from every port of a group.
    Send(usize, u8, u8),
    /// A datagram in two fragments from every port of a group, the first ones first; not of TCP.
    Fragmented(usize, u8),
    Pass(u32),
    Sweep,
    /// Another daemon takes the tables over.
    Restart,
    Unresolved(u8, bool),
    Change(usize, Change),
}

/// Of one service.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A real server added, changed, or with `None` removed.
    Real(u8, Option<u32>),
    /// So many real servers of weight 1, and no others.
    Reals(u8),
    Scheduler(Scheduler),
    /// For how many seconds clients come back, and not to those of weight 0 (`expire_quiescent`).
    Persistence(Option<u32>, bool),
    /// The service is removed, and added again.
    Anew,
}

/// How a history begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct First {
    pub(crate) scheduler: Scheduler,
    /// Seconds.
    pub(crate) persistence: Option<u32>,
    /// Which service is the one that most is about.
    pub(crate) main: usize,
}

/// The main service; others are numbered from there.
pub(crate) const MAIN: usize = 0;
pub(crate) const SERVICES: [&str; 4] = [
    "tcp/192.0.2.1:80",
    "udp/192.0.2.1:53",
    "tcp/[2001:db8::1]:80",
    "udp/[2001:db8::1]:53",
];
/// Members and slots that no history comes near.
const LIMITS: Limits = Limits {
    services: 8,
    members: 128,
    slots: 1 << 16,
    flow_sets: 0,
    lists_flows: true,
};
const CLIENTS: u8 = 2;
const PORTS: u16 = 8;

pub(crate) struct Trial {
    site: Site,
    services: [Served; SERVICES.len()],
    roomy: bool,
    /// The last datagram that was sent in fragments.
    datagram: u16,
}

impl Trial {
    pub(crate) fn new(first: First, flow_sets: usize, roomy: bool) -> Self {
        let limits = Limits {
            flow_sets,
            ..LIMITS
        };
        let mut names = SERVICES;
        names.rotate_left(first.main);
        let mut trial = Self {
            site: Site::with_limits(limits),
            services: names.map(|name| Served::new(name, first, roomy)),
            roomy,
            datagram: 0,
        };
        trial.bring_all();
        trial
    }

    pub(crate) fn run(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Open(service, group) => {
                self.send_all(service, group, SYN);
                self.send_all(service, group, ACK);
            }
            Step::Send(service, group, flags) => self.send_all(service, group, flags),
            Step::Fragmented(service, group) if self.services[service].is_udp() => {
                self.send_fragmented(service, group);
            }
            Step::Fragmented(..) => {}
            Step::Pass(seconds) => self.site.pass(seconds),
            Step::Sweep => self.sweep(),
            Step::Restart => {
                self.site.installed = Installed::of(&self.site.tables);
                // As the daemon does: ids of removed services' members are not to be used before.
                self.sweep();
                self.bring_all();
            }
            Step::Unresolved(host, unresolved) => {
                self.site.unresolved.retain(|&it| it != host);
                self.site.unresolved.extend(unresolved.then_some(host));
                self.bring_all();
            }
            Step::Change(service, ref change) => self.change(service, change),
        }
    }

    fn change(&mut self, service: usize, change: &Change) {
        let served = &mut self.services[service];
        match *change {
            Change::Real(host, Some(weight)) => {
                served.reals.insert(host, weight);
            }
            Change::Real(host, None) => {
                served.reals.remove(&host);
            }
            Change::Reals(number) => {
                served.reals = (2..2 + number).map(|host| (host, 1)).collect();
            }
            Change::Scheduler(scheduler) => served.scheduler = scheduler,
            Change::Persistence(seconds, expire) => served.persist(seconds, expire),
            Change::Anew => served.remove(&mut self.site),
        }
        if self.site.installed.is_to_be_swept() {
            self.sweep();
        }
        self.services[service].bring(&mut self.site);
    }

    fn bring_all(&mut self) {
        for served in &mut self.services {
            served.bring(&mut self.site);
        }
    }

    fn send_all(&mut self, service: usize, group: u8, flags: u8) {
        let served = &mut self.services[service];
        let says = match served.is_udp() {
            true => Says::Datagram,
            false => Says::Segment(flags),
        };
        for client in clients(group) {
            // Where it goes is the table's to judge; nobody may be eligible.
            let _ = served.send(&mut self.site, client, says);
        }
    }

    fn send_fragmented(&mut self, service: usize, group: u8) {
        let served = &mut self.services[service];
        let sent = clients(group).map(|client| {
            self.datagram += 1;
            let says = Says::First(self.datagram);
            let went = served.send(&mut self.site, client, says);
            (client, self.datagram, went)
        });
        for (client, id, went) in sent.collect::<Vec<_>>() {
            // Without room for their record they may go anywhere.
            if went.is_ok() && self.roomy {
                let later = self.site.tell(client, Says::Later(id));
                assert_eq!(later, went, "{client:?}, the rest of a datagram");
            }
        }
    }

    fn sweep(&mut self) {
        self.site.sweep();
        for served in &mut self.services {
            served.sweep(&mut self.site);
        }
    }
}

fn clients(group: u8) -> impl Iterator<Item = Client> {
    let first = u16::from(group) * PORTS + 1;
    (1..=CLIENTS).flat_map(move |client| (first..first + PORTS).map(move |port| (client, port)))
}
