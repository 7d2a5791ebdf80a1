//! What this kernel's verifier makes of each program. `cargo xtask vm` puts into a table what is printed.

use std::time::Instant;

use aya::{
    Ebpf,
    programs::{Program, ProgramInfo},
};
use lb_user::dataplane::{
    director::{Director, Limits},
    probe, realserver,
};

/// Instructions, of a million that the kernel allows; what is above them grew by accident.
const ROOM: [(&str, u32); 6] = [
    // 19 830 on Linux 6.18, 26 834 on 6.1.
    ("director", 30_000),
    ("probe_egress", 5_000),
    ("probe_ingress", 5_000),
    ("vip_egress", 40_000),
    ("vip_ingress", 40_000),
    ("vip_ingress_tc", 40_000),
];

#[test]
fn the_verifier_has_room_to_spare() {
    let mut loaded = vec![director()];
    loaded.extend(programs(realserver::OBJECT));
    loaded.extend(programs(probe::OBJECT));
    loaded.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, info, took) in &loaded {
        let (verified, octets) = (info.verified_instruction_count(), info.size_jitted());
        println!(
            "{name}: verified {} in {took} ms, {octets} octets",
            verified.unwrap()
        );
    }
    let names: Vec<&str> = loaded.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ROOM.map(|(name, _)| name));
    for ((name, info, _), (_, room)) in loaded.iter().zip(ROOM) {
        let verified = info.verified_instruction_count().unwrap();
        assert!(verified < room, "{name}: {verified}");
    }
}

/// With its maps, as they are loaded together.
fn director() -> (String, ProgramInfo, u128) {
    let start = Instant::now();
    let director = Director::load(None, Limits::default()).unwrap();
    let took = start.elapsed().as_millis();
    let info = director.program().unwrap().info().unwrap();
    ("director".to_owned(), info, took)
}

fn programs(object: &[u8]) -> Vec<(String, ProgramInfo, u128)> {
    let mut ebpf = Ebpf::load(object).unwrap();
    let programs = ebpf.programs_mut().map(|(name, program)| {
        let start = Instant::now();
        let info = if let Program::Xdp(program) = program {
            program.load().and_then(|()| program.info())
        } else if let Program::SchedClassifier(program) = program {
            program.load().and_then(|()| program.info())
        } else {
            panic!("{name} is of type {:?}", program.prog_type());
        };
        (name.to_owned(), info.unwrap(), start.elapsed().as_millis())
    });
    programs.collect()
}
