//! A director on the host, with the tables in memory that no program has.

#![allow(dead_code, reason = "each of the tests that share it uses a part")]

mod says;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use lb_common::{
    director::forward,
    flow_table::fingerprint,
    hash::Flow,
    reason::Reason,
    tables::{Interface, Record, Settings, State, Timeouts},
    wire::{MacAddr, VlanId},
};
use lb_user::{
    dataplane::director::{At, Buffer, Limits, Tables},
    install::{Flows, Installed, Policy, Standing, Thresholds, Usage, Wanted, WantedMember},
    scheduler::{Flag, Scheduler},
    service::ServiceName,
};

pub(crate) use self::says::Says;

const ETH0: u32 = 3;
const DIRECTOR: [u8; 6] = [2, 0, 0, 0, 0, 5];
const ROUTER: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// After which flows that sent nothing are given up, in seconds.
pub(crate) const ESTABLISHED: u32 = 900;
const CLIENT: u8 = 7;

/// Last octet of its address, and its port.
pub(crate) type Client = (u8, u16);

/// A director with one service, or some that are brought in one after the other, and a clock.
pub(crate) struct Site {
    /// The service that is brought in, and asked about.
    pub(crate) name: ServiceName,
    /// Its further destinations.
    pub(crate) also: Vec<ServiceName>,
    pub(crate) tables: Tables,
    pub(crate) installed: Installed,
    pub(crate) now: u32,
    pub(crate) unresolved: Vec<u8>,
    /// Of some members.
    /// Those whose check has failed.
    pub(crate) down: Vec<u8>,
    pub(crate) thresholds: Vec<(u8, Thresholds)>,
    pub(crate) flags: Vec<Flag>,
    pub(crate) policy: Policy,
    pub(crate) usage: Usage,
}

impl Site {
    /// With room for every flow of these tests.
    pub(crate) fn new() -> Self {
        Self::with_flow_sets(1 << 16)
    }

    pub(crate) fn with_flow_sets(flow_sets: usize) -> Self {
        Self::with_limits(Limits {
            services: 4,
            members: 16,
            slots: 1 << 13,
            flow_sets,
            lists_flows: true,
        })
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        let tables = Tables::anonymous(limits).unwrap();
        tables
            .settings
            .write(0, Settings::new(Timeouts::IPVS, [5, 7]));
        let record = Interface::new(ETH0, MacAddr { octets: DIRECTOR });
        tables.interfaces.write(Interface::element(ETH0), record);
        Self {
            name: service(),
            also: Vec::new(),
            installed: Installed::of(&tables),
            tables,
            // So that the clock of the records wraps on the way.
            now: (1 << 24) - 1000,
            unresolved: Vec::new(),
            thresholds: Vec::new(),
            down: Vec::new(),
            flags: Vec::new(),
            policy: Policy::default(),
            usage: Usage::default(),
        }
    }

    pub(crate) fn bring(&mut self, scheduler: Scheduler, members: &[(u8, u32)]) {
        self.try_bring(scheduler, members).unwrap();
    }

    pub(crate) fn try_bring(
        &mut self,
        scheduler: Scheduler,
        members: &[(u8, u32)],
    ) -> Result<(), String> {
        let thresholds: HashMap<u8, Thresholds> = self.thresholds.iter().copied().collect();
        let member = |&(host, weight): &(u8, u32)| WantedMember {
            address: self.real(host),
            weight,
            thresholds: thresholds.get(&host).copied().unwrap_or_default(),
            standing: match self.down.contains(&host) {
                true => Standing::Down,
                false => Standing::Up,
            },
            interface: ETH0,
            vlan: VlanId::NONE,
            mac: (!self.unresolved.contains(&host)).then_some(MacAddr {
                octets: [2, 0, 0, 0, 0, host],
            }),
        };
        let wanted = Wanted {
            name: self.name,
            also: self.also.clone(),
            scheduler,
            flags: self.flags.clone(),
            policy: self.policy,
            members: members.iter().map(member).collect(),
        };
        self.installed
            .bring(&self.tables, &wanted, self.now, &mut Vec::new())
            .map_err(|error| error.to_string())
    }

    /// Sends a segment from a client's port; returns the last octet of the real server's address.
    pub(crate) fn send(&self, port: u16, flags: u8) -> Result<u8, Reason> {
        self.send_from((CLIENT, port), flags)
    }

    pub(crate) fn send_from(&self, client: Client, flags: u8) -> Result<u8, Reason> {
        self.tell(client, Says::Segment(flags))
    }

    pub(crate) fn tell(&self, client: Client, says: Says) -> Result<u8, Reason> {
        self.send_frame(&self.frame(client, says))
    }

    /// Sends a frame; returns the last octet of the real server's address.
    pub(crate) fn send_frame(&self, frame: &[u8]) -> Result<u8, Reason> {
        let mut frame = Buffer::from(frame);
        forward(&mut frame, ETH0, &At::new(&self.tables, self.now))?;
        Ok(frame.frame()[5])
    }

    /// Returns the record of a client's flow, and the real server it names.
    pub(crate) fn record_of(&self, client: Client) -> Option<(u8, Record)> {
        let id = self.installed.service(self.name)?;
        let hash = self
            .flow(client)
            .hash(self.tables.services[usize::from(id)].seed);
        let set = &self.tables.flows[hash as usize & (self.tables.flows.len() - 1)];
        let record = set.find(fingerprint(hash))?.record;
        let mut members = self.installed.members(self.name);
        let (rip, _) = members.find(|&(_, id)| id == record.member)?;
        Some((last_octet(rip), record))
    }

    /// Returns the flows, or what else is of this state, that the tables know the addresses of.
    pub(crate) fn known(&self, state: State) -> Vec<Flow> {
        let mut known = Vec::new();
        for (i, set) in self.tables.flows.iter().enumerate() {
            for (way, (key, word)) in set.fingerprints.iter().zip(&set.records).enumerate() {
                let record = Record::unpack(word.load());
                if key.load() != 0 && record.state == state {
                    known.extend(self.tables.flow((i, way), key.load(), record));
                }
            }
        }
        known
    }

    fn real(&self, host: u8) -> IpAddr {
        match self.name.vip {
            IpAddr::V4(_) => Ipv4Addr::new(10, 0, 0, host).into(),
            IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 1, host.into()).into(),
        }
    }

    pub(crate) fn pass(&mut self, seconds: u32) {
        self.now += seconds;
    }

    pub(crate) fn sweep(&mut self) -> u64 {
        self.usage = self.installed.sweep(&self.tables, self.now);
        self.usage.flows
    }

    pub(crate) fn members(&self) -> Vec<u8> {
        let members = self.installed.members(self.name);
        let mut hosts: Vec<u8> = members.map(|(rip, _)| last_octet(rip)).collect();
        hosts.sort_unstable();
        hosts
    }

    pub(crate) fn flows(&self, host: u8) -> Flows {
        let mut members = self.installed.members(self.name);
        let (_, id) = members.find(|&(rip, _)| last_octet(rip) == host).unwrap();
        self.usage.of(id)
    }

    /// As [`flows`](Self::flows), of a host that may not be a member.
    pub(crate) fn try_flows(&self, host: u8) -> Flows {
        match self.members().contains(&host) {
            true => self.flows(host),
            false => Flows::default(),
        }
    }
}

pub(crate) fn service() -> ServiceName {
    "tcp/192.0.2.1:80".parse().unwrap()
}

fn last_octet(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(address) => address.octets()[3],
        IpAddr::V6(address) => address.octets()[15],
    }
}
