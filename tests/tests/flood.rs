//! A flood of first packets, by the program in the kernel with a flow table of the usual size.

use std::net::Ipv4Addr;

use aya::{TestRunOptions, programs::TestRun as _, programs::Xdp};
use lb_common::{
    tables::Interface,
    wire::{MacAddr, VlanId},
};
use lb_user::{
    dataplane::director::{Director, Limits},
    install::{Installed, Policy, Standing, Thresholds, Wanted, WantedMember},
    scheduler::Scheduler,
};
use tests::frames::{ACK, SYN, Sent};

const XDP_TX: u32 = 3;
/// The kernel runs a program as if the frame had come in by the loopback interface.
const INGRESS: u32 = 1;
const DIRECTOR: [u8; 6] = [2, 0, 0, 0, 0, 5];

const ESTABLISHED: u32 = 10_000;
/// As many as there are records for: every other set overflows.
const FLOOD: u32 = 1_000_000;

const SENT: Sent = Sent {
    to: DIRECTOR,
    from: [2, 0, 0, 0, 0, 1],
    client: Ipv4Addr::new(198, 51, 100, 0),
    client_port: 40000,
    vip: Ipv4Addr::new(192, 0, 2, 1),
    port: 80,
    ttl: 64,
};

#[test]
fn a_million_spoofed_syns_cost_no_established_flow() {
    let (director, homes) = established();
    let program = director.program().unwrap();
    for i in 0..FLOOD {
        // Nobody's addresses, scattered.
        let spoofed = Sent {
            client: Ipv4Addr::from_bits(0x0a00_0000 | (i.wrapping_mul(0x009e_3779) & 0xff_ffff)),
            client_port: 1024 + (i % 60_000) as u16,
            ..SENT
        };
        run(program, &spoofed.tcp(SYN));
    }
    let lost = (0..ESTABLISHED).zip(homes);
    let lost = lost.filter(|&(i, home)| run(program, &client(i).tcp(ACK)) != home);
    assert_eq!(lost.count(), 0);
}

/// A director with two members, and the one that each established flow is with.
fn established() -> (Director, Vec<u8>) {
    // Five flows may be of one set of four, of which one then has no record: once in thousands of
    // directors, as each has its own secret.
    loop {
        let director = director();
        let program = director.program().unwrap();
        let homes = (0..ESTABLISHED).map(|i| {
            let home = run(program, &client(i).tcp(SYN));
            assert_eq!(run(program, &client(i).tcp(ACK)), home);
            home
        });
        let homes: Vec<u8> = homes.collect();
        let mut installed = Installed::of(&director.tables);
        let usage = installed.sweep(&director.tables, director.now().unwrap());
        if usage.flows == u64::from(ESTABLISHED) {
            return (director, homes);
        }
    }
}

fn client(i: u32) -> Sent {
    Sent {
        client: Ipv4Addr::from_bits(SENT.client.to_bits() + i % 256),
        client_port: 1024 + (i / 256) as u16,
        ..SENT
    }
}

/// Returns the last octet of the MAC that the frame goes to.
fn run(program: &Xdp, frame: &[u8]) -> u8 {
    let mut left = [0; 64];
    let result = program.test_run(TestRunOptions {
        data_in: Some(frame),
        data_out: Some(&mut left),
        ..TestRunOptions::default()
    });
    assert_eq!(result.unwrap().return_value, XDP_TX);
    left[5]
}

fn director() -> Director {
    let director = Director::load(None, Limits::default()).expect("run as root");
    let interface = Interface::new(INGRESS, MacAddr { octets: DIRECTOR });
    let element = Interface::element(INGRESS);
    director.tables.interfaces.write(element, interface);
    let member = |host| WantedMember {
        address: [10, 0, 0, host].into(),
        weight: 1,
        thresholds: Thresholds::default(),
        standing: Standing::Up,
        interface: INGRESS,
        vlan: VlanId::NONE,
        mac: Some(MacAddr {
            octets: [2, 0, 0, 0, 0, host],
        }),
    };
    let wanted = Wanted {
        name: "tcp/192.0.2.1:80".parse().unwrap(),
        also: Vec::new(),
        scheduler: Scheduler::Rr,
        flags: Vec::new(),
        policy: Policy::default(),
        members: vec![member(2), member(3)],
    };
    let now = director.now().unwrap();
    Installed::of(&director.tables)
        .bring(&director.tables, &wanted, now, &mut Vec::new())
        .unwrap();
    director
}
