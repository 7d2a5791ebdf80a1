//! A director with a service for each thing that can be wrong with one, and what clients send it.

use std::net::{Ipv4Addr, Ipv6Addr};

use lb_common::{
    tables::Interface,
    wire::{MacAddr, VlanId},
};
use lb_user::{
    dataplane::director::{Director, Limits},
    install::{Installed, Policy, Standing, Thresholds, Wanted, WantedMember},
    scheduler::Scheduler,
};
use tests::frames::{Sent, Sent6};

/// The kernel runs a program as if the frame had come in by the loopback interface.
pub(crate) const INGRESS: u32 = 1;
pub(crate) const ELSEWHERE: u32 = 77;

pub(crate) const DIRECTOR: [u8; 6] = [2, 0, 0, 0, 0, 5];
pub(crate) const DIRECTOR_ELSEWHERE: [u8; 6] = [2, 0, 0, 0, 1, 5];
pub(crate) const REAL: [u8; 6] = [2, 0, 0, 0, 0, 2];
pub(crate) const ROUTER: [u8; 6] = [2, 0, 0, 0, 0, 1];

pub(crate) const ROUTER_IP: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

pub(crate) const SERVED: u16 = 80;
pub(crate) const HASHED: u16 = 81;
pub(crate) const REFUSED: u16 = 82;
pub(crate) const DROPPED: u16 = 83;
pub(crate) const MEMBER_ELSEWHERE: u16 = 84;
pub(crate) const NO_SUCH_INTERFACE: u16 = 85;
pub(crate) const BY_CLIENT: u16 = 86;
pub(crate) const BY_DESTINATION: u16 = 87;
pub(crate) const BY_LOAD: u16 = 88;
pub(crate) const IN_VLAN: u16 = 89;
pub(crate) const VLAN: u16 = 100;
pub(crate) const SCTP_PORT: u16 = 5060;
pub(crate) const RANGE: (u16, u16) = (8000, 8099);
pub(crate) const ANY_PORT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 3);
pub(crate) const ABSENT: u16 = 99;

pub(crate) const SENT: Sent = Sent {
    to: DIRECTOR,
    from: ROUTER,
    client: Ipv4Addr::new(198, 51, 100, 7),
    client_port: 40000,
    vip: Ipv4Addr::new(192, 0, 2, 1),
    port: SERVED,
    ttl: 64,
};

pub(crate) const SENT6: Sent6 = Sent6 {
    to: DIRECTOR,
    from: ROUTER,
    client: Ipv6Addr::new(0x2001, 0xdb8, 7, 0, 0, 0, 0, 7),
    client_port: 40000,
    vip: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
    port: SERVED,
    hops: 64,
};

/// A loaded director with a service for each thing that can be wrong with one.
pub(crate) fn director() -> Director {
    let limits = Limits {
        services: 32,
        members: 32,
        slots: 8192,
        flow_sets: 64,
        lists_flows: true,
    };
    let director = Director::load(None, limits).expect("run as root");
    for (index, mac) in [(INGRESS, DIRECTOR), (ELSEWHERE, DIRECTOR_ELSEWHERE)] {
        let record = Interface::new(index, MacAddr { octets: mac });
        let element = Interface::element(index);
        director.tables.interfaces.write(element, record);
    }
    let mut installed = Installed::of(&director.tables);
    let now = director.now().unwrap();
    for wanted in wanted() {
        installed
            .bring(&director.tables, &wanted, now, &mut Vec::new())
            .unwrap();
    }
    director
}

pub(crate) fn wanted() -> Vec<Wanted> {
    let resolved = WantedMember {
        address: [10, 0, 0, 2].into(),
        weight: 1,
        thresholds: Thresholds::default(),
        standing: Standing::Up,
        interface: INGRESS,
        vlan: VlanId::NONE,
        mac: Some(MacAddr { octets: REAL }),
    };
    let elsewhere = |interface| WantedMember {
        interface,
        ..resolved
    };
    let in_vlan = WantedMember {
        vlan: VlanId::new(VLAN),
        ..resolved
    };
    let of_v6 = WantedMember {
        address: SENT6.vip.to_bits().wrapping_add(1).to_be_bytes().into(),
        ..resolved
    };
    let others = [
        ("tcp/192.0.2.1:8000-8099", Scheduler::Mh, resolved),
        ("udp/192.0.2.3:*", Scheduler::Rr, resolved),
        ("tcp/[2001:db8::1]:80", Scheduler::Rr, of_v6),
        ("tcp/[2001:db8::1]:81", Scheduler::Mh, of_v6),
        ("udp/[2001:db8::1]:53", Scheduler::Rr, of_v6),
    ];
    let others = others.map(|(name, scheduler, member)| Wanted {
        name: name.parse().unwrap(),
        also: Vec::new(),
        scheduler,
        flags: Vec::new(),
        policy: Policy::default(),
        members: vec![member],
    });
    [
        ("tcp", SERVED, Scheduler::Rr, false, Some(resolved)),
        ("udp", 53, Scheduler::Rr, false, Some(resolved)),
        ("sctp", SCTP_PORT, Scheduler::Rr, false, Some(resolved)),
        ("tcp", IN_VLAN, Scheduler::Rr, false, Some(in_vlan)),
        ("tcp", HASHED, Scheduler::Mh, false, Some(resolved)),
        ("tcp", BY_CLIENT, Scheduler::Sh, false, Some(resolved)),
        ("tcp", BY_DESTINATION, Scheduler::Dh, false, Some(resolved)),
        ("tcp", BY_LOAD, Scheduler::Wlc, false, Some(resolved)),
        (
            "tcp",
            REFUSED,
            Scheduler::Rr,
            false,
            Some(WantedMember {
                mac: None,
                ..resolved
            }),
        ),
        ("tcp", DROPPED, Scheduler::Mh, true, None),
        (
            "tcp",
            MEMBER_ELSEWHERE,
            Scheduler::Rr,
            false,
            Some(elsewhere(ELSEWHERE)),
        ),
        (
            "tcp",
            NO_SUCH_INTERFACE,
            Scheduler::Rr,
            false,
            Some(elsewhere(ELSEWHERE + 1)),
        ),
    ]
    .into_iter()
    .map(|(protocol, port, scheduler, drops, member)| Wanted {
        name: format!("{protocol}/192.0.2.1:{port}").parse().unwrap(),
        also: Vec::new(),
        scheduler,
        flags: Vec::new(),
        policy: Policy {
            drops,
            ..Policy::default()
        },
        members: member.into_iter().collect(),
    })
    .chain(others)
    .collect()
}

pub(crate) fn member(director: &Director, port: u16) -> u32 {
    let installed = Installed::of(&director.tables);
    let name = format!("tcp/192.0.2.1:{port}").parse().unwrap();
    let (_, id) = installed.members(name).next().unwrap();
    id
}
