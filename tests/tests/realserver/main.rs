//! The programs of a real server, run in the kernel on one frame at a time. Needs root.

mod arp;
mod ndp;
mod server;

use lb_common::verdict::may_concern;

use server::{Fate, Hook, Server};

const TAGS: [&[u8]; 4] = [
    &[],
    &[0x81, 0x00, 0xa5, 0xa5],
    &[0x88, 0xa8, 0xa5, 0xa5],
    &[0x88, 0xa8, 0xa5, 0xa5, 0x81, 0x00, 0xa5, 0xa5],
];

#[test]
fn whatever_else_comes_passes() {
    let mut server = Server::load();
    for tags in TAGS {
        for ether_type in [[0x08, 0x00], [0x86, 0xdd], [0x80, 0x35], [0x88, 0xcc]] {
            let mut frame = vec![0xa5; 12];
            frame.extend(tags);
            frame.extend(ether_type);
            frame.resize(200, 0xa5);
            server.passes(&frame);
        }
    }
}

#[test]
fn what_cannot_be_judged_is_known_from_its_head() {
    for (what, head, want) in [
        ("nothing", &[][..], false),
        ("ARP", &[0x08, 0x06], true),
        ("a tag", &[0x81, 0x00], true),
        ("a service tag", &[0x88, 0xa8], true),
        ("IPv4", &[0x08, 0x00], false),
        ("IPv6, the rest out of reach", &[0x86, 0xdd], true),
        ("ICMPv6", &ipv6(58), true),
        ("TCP", &ipv6(6), false),
        ("UDP", &ipv6(17), false),
        ("hop-by-hop options", &ipv6(0), false),
    ] {
        let frame = [&[0xa5; 12], head].concat();
        assert_eq!(may_concern(&frame[..]), want, "{what}");
    }
}

#[test]
fn the_object_has_no_maps_but_its_own() {
    let server = Server::load();
    let maps = server.ebpf.maps().map(|(name, _)| name);
    // The constants of the programs.
    let mut names: Vec<&str> = maps.filter(|name| !name.starts_with(".rodata")).collect();
    names.sort();
    let own = [
        "AYA_LOGS", "COUNTS", "RIPS", "RIPS6", "VIPS", "VIPS6", "WATCHED",
    ];
    assert_eq!(names, own);
}

/// An IPv6 header behind its EtherType, with that next header.
fn ipv6(next_header: u8) -> Vec<u8> {
    let mut head = vec![0x86, 0xdd, 0x6a, 0xa5, 0xa5, 0xa5, 0, 32, next_header];
    head.resize(2 + 40, 0xa5);
    head
}
