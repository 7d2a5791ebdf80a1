//! What an operator changes between packets.

use std::net::IpAddr;

use lb_user::{
    dataplane::director::Director,
    install::{Installed, Persistence, Policy, Standing, Wanted},
    scheduler::Scheduler,
};
use tests::Chance;

use crate::site::wanted;

/// Of a service, at the most.
const MEMBERS: usize = 3;
/// One change of so many is a sweep.
const SWEEP: usize = 4;

pub(super) struct Changes {
    installed: Installed,
    services: Vec<Wanted>,
}

impl Changes {
    pub(super) fn of(director: &Director) -> Self {
        Self {
            installed: Installed::of(&director.tables),
            services: wanted(),
        }
    }

    pub(super) fn make(&mut self, director: &Director, chance: &mut Chance) {
        let (tables, now) = (&director.tables, director.now().unwrap());
        if chance.one_in(SWEEP) {
            self.installed.sweep(tables, now);
            return;
        }
        // While tables are exchanged.
        tables.settings().frozen.store(chance.one_in(8).into());
        let which = chance.below(self.services.len());
        let service = &mut self.services[which];
        let Some(&any) = service.members.first() else {
            return;
        };
        if chance.one_in(2) {
            service.scheduler = Scheduler::ALL[chance.below(Scheduler::ALL.len())];
        }
        service.policy = Policy {
            persistence: chance.one_in(4).then_some(Persistence {
                seconds: 60,
                prefix: 24,
            }),
            one_packet: chance.one_in(8),
            expire_quiescent: chance.one_in(4),
            expire_nodest: chance.one_in(4),
            ..service.policy
        };
        let first = chance.below(MEMBERS);
        let members = (0..=chance.below(MEMBERS)).map(|i| {
            let mut member = any;
            member.address = nth(any.address, (first + i) % MEMBERS);
            member.weight = chance.below(4) as u32;
            member.standing = match chance.below(8) {
                0 => Standing::Down,
                1 => Standing::Inhibited,
                _ => Standing::Up,
            };
            member
        });
        service.members = members.collect();
        // No room for more members until a sweep is an operator's affair, too.
        let _ = self.installed.bring(tables, service, now, &mut Vec::new());
    }
}

/// The address whose last octet is that of a number.
fn nth(address: IpAddr, n: usize) -> IpAddr {
    let last = 2 + n as u8;
    match address {
        IpAddr::V4(it) => {
            let [a, b, c, _] = it.octets();
            [a, b, c, last].into()
        }
        IpAddr::V6(it) => {
            let mut octets = it.octets();
            octets[15] = last;
            octets.into()
        }
    }
}
