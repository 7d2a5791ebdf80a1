//! Our programs, loaded as the daemon loads them, with services in each state that is measured.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr},
};

use anyhow::{Context as _, Result};
use aya::{Ebpf, programs::Program};
use lb_common::{
    tables::{FLOW_SETS_DEFAULT, Interface},
    wire::{MacAddr, VlanId},
};
use lb_user::{
    dataplane::{
        director::{Director, Limits},
        realserver,
    },
    install::{Installed, Policy, Standing, Thresholds, Wanted, WantedMember},
    scheduler::Scheduler,
};

pub(crate) const MAC: [u8; 6] = [2, 0, 0, 0, 0, 5];
pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Hash services: one whose slots are clean, and one of which all members were replaced.
pub(crate) const CLEAN: u16 = 80;
pub(crate) const MOVING: u16 = 81;
/// A service by turns, and one of datagrams.
pub(crate) const TRACKED: u16 = 82;
pub(crate) const DATAGRAMS: u16 = 53;
/// A hash service whose members are in a VLAN.
pub(crate) const TAGGED: u16 = 83;
pub(crate) const VLAN: u16 = 100;
/// A hash service by IPv6.
pub(crate) const VIP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
/// Nobody's.
pub(crate) const FOREIGN: u16 = 99;

/// The kernel runs programs as if frames had come in by the loopback interface.
pub(crate) const LOOPBACK: u32 = 1;

/// The members' MACs: of those that serve, then of those that take their place in `MOVING`.
pub(crate) fn macs() -> [[u8; 6]; 20] {
    std::array::from_fn(|i| [2, 0, 0, 0, 0xbb, i as u8])
}

/// Loads a director with room for the records of `flows`, which come in by an interface.
pub(crate) fn load(flows: u32, ingress: u32) -> Result<Director> {
    let limits = Limits {
        flow_sets: FLOW_SETS_DEFAULT.max(flows as usize),
        ..Limits::default()
    };
    let director = Director::load(None, limits)?;
    let interface = Interface::new(ingress, MacAddr { octets: MAC });
    let element = Interface::element(ingress);
    director.tables.interfaces.write(element, interface);
    let mut installed = Installed::of(&director.tables);
    let (serving, newcomers) = (0..10, 10..20);
    for (protocol, port, scheduler, members) in [
        ("tcp", CLEAN, Scheduler::Mh, serving.clone()),
        ("tcp", TRACKED, Scheduler::Rr, serving.clone()),
        ("udp", DATAGRAMS, Scheduler::Rr, serving.clone()),
        ("tcp", MOVING, Scheduler::Mh, serving),
        ("tcp", MOVING, Scheduler::Mh, newcomers),
    ] {
        let wanted = Wanted {
            name: format!("{protocol}/{VIP}:{port}").parse()?,
            also: Vec::new(),
            scheduler,
            flags: Vec::new(),
            policy: Policy::default(),
            members: members.map(|i| member(i, ingress)).collect(),
        };
        installed.bring(&director.tables, &wanted, director.now()?, &mut Vec::new())?;
    }
    let of_v6 = |i: usize| WantedMember {
        address: (VIP6.to_bits() + 1 + i as u128).to_be_bytes().into(),
        ..member(i, ingress)
    };
    let in_vlan = |i| WantedMember {
        vlan: VlanId::new(VLAN),
        ..member(i, ingress)
    };
    for (name, members) in [
        (
            format!("tcp/[{VIP6}]:{CLEAN}"),
            (0..10).map(of_v6).collect(),
        ),
        (
            format!("tcp/{VIP}:{TAGGED}"),
            (0..10).map(in_vlan).collect(),
        ),
    ] {
        let wanted = Wanted {
            name: name.parse()?,
            also: Vec::new(),
            scheduler: Scheduler::Mh,
            flags: Vec::new(),
            policy: Policy::default(),
            members,
        };
        installed.bring(&director.tables, &wanted, director.now()?, &mut Vec::new())?;
    }
    Ok(director)
}

fn member(i: usize, interface: u32) -> WantedMember {
    WantedMember {
        address: [10, 0, 0, i as u8 + 1].into(),
        weight: 1,
        thresholds: Thresholds::default(),
        standing: Standing::Up,
        interface,
        vlan: VlanId::NONE,
        mac: Some(MacAddr { octets: macs()[i] }),
    }
}

/// Loads the real server's programs.
pub(crate) fn realserver() -> Result<Ebpf> {
    let mut ebpf = Ebpf::load(realserver::OBJECT).context("cannot load the real server")?;
    for (_, program) in ebpf.programs_mut() {
        if let Program::Xdp(program) = program {
            program.load()?;
        } else if let Program::SchedClassifier(program) = program {
            program.load()?;
        }
    }
    Ok(ebpf)
}

/// What the verifier went through for each program that is shipped.
pub(crate) fn verified_instructions() -> Result<BTreeMap<String, u32>> {
    let mut verified = BTreeMap::new();
    let mut note = |name: &str, count: Option<u32>| {
        // Kernels before 5.16 do not tell.
        verified.insert(name.to_owned(), count.unwrap_or(0));
    };
    let director = load(1, LOOPBACK)?;
    let info = director.program()?.info()?;
    note("director", info.verified_instruction_count());
    for (name, program) in realserver()?.programs() {
        note(name, program.info()?.verified_instruction_count());
    }
    Ok(verified)
}
