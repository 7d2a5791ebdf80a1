//! The director program, run in the kernel on one frame at a time, beside the same decision made
//! on the host with the same tables.

use std::net::{Ipv4Addr, Ipv6Addr};

use aya::{TestRunOptions, programs::TestRun as _};
use lb_common::{
    director::{Forward, forward},
    reason::{Fate, Reason},
    tables::Interface,
    wire::{MacAddr, VlanId},
};
use lb_user::{
    dataplane::director::{At, Buffer, Director, Limits},
    install::{Installed, Policy, Thresholds, Wanted, WantedMember},
    scheduler::Scheduler,
};
use tests::frames::{
    ACK, AUTHENTICATION, DESTINATION, FRAGMENT, HOP_BY_HOP, ICMP, ICMPV6, ROUTING, SYN, Sent,
    Sent6, TCP, UDP, forwarded, service_tagged, tagged, with_length,
};

const XDP_DROP: u32 = 1;
const XDP_PASS: u32 = 2;
const XDP_TX: u32 = 3;
const XDP_REDIRECT: u32 = 4;

/// The kernel runs a program as if the frame had come in by the loopback interface.
const INGRESS: u32 = 1;
const ELSEWHERE: u32 = 77;

const DIRECTOR: [u8; 6] = [2, 0, 0, 0, 0, 5];
const DIRECTOR_ELSEWHERE: [u8; 6] = [2, 0, 0, 0, 1, 5];
const REAL: [u8; 6] = [2, 0, 0, 0, 0, 2];
const ROUTER: [u8; 6] = [2, 0, 0, 0, 0, 1];

const ROUTER_IP: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

const SERVED: u16 = 80;
const HASHED: u16 = 81;
const REFUSED: u16 = 82;
const DROPPED: u16 = 83;
const MEMBER_ELSEWHERE: u16 = 84;
const NO_SUCH_INTERFACE: u16 = 85;
const BY_CLIENT: u16 = 86;
const BY_DESTINATION: u16 = 87;
const BY_LOAD: u16 = 88;
const IN_VLAN: u16 = 89;
const VLAN: u16 = 100;
const SCTP_PORT: u16 = 5060;
const RANGE: (u16, u16) = (8000, 8099);
const ANY_PORT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 3);
const ABSENT: u16 = 99;

/// Of a packet that is for a service beyond doubt.
const DROPPED_FOR: [Reason; 3] = [Reason::NoMember, Reason::NoNeighbour, Reason::TtlExpired];

const SENT: Sent = Sent {
    to: DIRECTOR,
    from: ROUTER,
    client: Ipv4Addr::new(198, 51, 100, 7),
    client_port: 40000,
    vip: Ipv4Addr::new(192, 0, 2, 1),
    port: SERVED,
    ttl: 64,
};

const SENT6: Sent6 = Sent6 {
    to: DIRECTOR,
    from: ROUTER,
    client: Ipv6Addr::new(0x2001, 0xdb8, 7, 0, 0, 0, 0, 7),
    client_port: 40000,
    vip: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
    port: SERVED,
    hops: 64,
};
const ROUTER_IP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 99, 0, 0, 0, 0, 1);

#[test]
fn frames_for_a_service_go_to_its_member_with_nothing_else_changed() {
    let other_sides = [
        ("SYN", SENT.tcp(SYN)),
        (
            "first seen in the middle",
            Sent {
                client_port: 40001,
                ..SENT
            }
            .tcp(ACK),
        ),
        ("UDP", Sent { port: 53, ..SENT }.udp()),
        ("options", SENT.tcp_with_options(SYN, 1)),
        ("most options", SENT.tcp_with_options(SYN, 10)),
        ("a priority tag", tagged(SENT.tcp(SYN), 0x2000)),
        (
            "SCTP",
            Sent {
                port: SCTP_PORT,
                ..SENT
            }
            .sctp(1),
        ),
        ("padded by more than Ethernet does", {
            let mut frame = SENT.tcp(SYN);
            frame.extend([0xa5; 40]);
            frame
        }),
        ("a length that lies", with_length(SENT.tcp(SYN), 0xff28)),
        (
            "a port of a range",
            Sent {
                port: RANGE.0 + 7,
                ..SENT
            }
            .tcp(SYN),
        ),
        (
            "the last port of a range",
            Sent {
                port: RANGE.1,
                ..SENT
            }
            .tcp(SYN),
        ),
        (
            "any port",
            Sent {
                vip: ANY_PORT,
                port: 9999,
                ..SENT
            }
            .udp(),
        ),
        ("IPv6", SENT6.tcp(SYN)),
        ("IPv6, in the middle", SENT6.tcp(ACK)),
        (
            "IPv6, by hash",
            Sent6 {
                port: HASHED,
                ..SENT6
            }
            .tcp(SYN),
        ),
        ("IPv6, UDP", Sent6 { port: 53, ..SENT6 }.udp()),
        (
            "IPv6, a last hop but one",
            Sent6 { hops: 2, ..SENT6 }.tcp(SYN),
        ),
        (
            "IPv6, every kind of extension header",
            SENT6.tcp_behind(
                SYN,
                &[
                    (HOP_BY_HOP, 8),
                    (DESTINATION, 24),
                    (ROUTING, 40),
                    (AUTHENTICATION, 24),
                ],
            ),
        ),
        (
            "IPv6, the longest extension header",
            SENT6.tcp_behind(SYN, &[(DESTINATION, 2048)]),
        ),
        (
            "IPv6, an atomic fragment",
            SENT6.fragment(TCP, (7, 0, false)),
        ),
        (
            "by hash",
            Sent {
                port: HASHED,
                ..SENT
            }
            .tcp(SYN),
        ),
        (
            "by the client's address",
            Sent {
                port: BY_CLIENT,
                ..SENT
            }
            .tcp(SYN),
        ),
        (
            "by the destination",
            Sent {
                port: BY_DESTINATION,
                ..SENT
            }
            .tcp(SYN),
        ),
        (
            "by load",
            Sent {
                port: BY_LOAD,
                ..SENT
            }
            .tcp(SYN),
        ),
        ("to live once more", Sent { ttl: 2, ..SENT }.tcp(SYN)),
        ("long to live", Sent { ttl: 255, ..SENT }.tcp(SYN)),
        (
            "to a virtual router",
            Sent {
                to: [0, 0, 0x5e, 0, 1, 9],
                ..SENT
            }
            .tcp(SYN),
        ),
    ];
    let director = director();
    for (what, frame) in other_sides {
        let expected = forwarded(frame.clone(), DIRECTOR, REAL);
        assert_eq!(run(&director, &frame), (XDP_TX, expected), "{what}");
    }
}

/// Path MTU discovery: a router between the real server and the client answers to the VIP.
#[test]
fn an_icmp_error_goes_to_the_member_whose_packet_it_quotes() {
    for port in [SERVED, HASHED] {
        let director = director();
        let sent = Sent { port, ..SENT };
        run(&director, &sent.tcp(SYN));
        for kind in [3, 4, 11, 12] {
            for frame in [
                sent.icmp_error(kind, ROUTER_IP),
                tagged(sent.icmp_error(kind, ROUTER_IP), 0),
            ] {
                let expected = forwarded(frame.clone(), DIRECTOR, REAL);
                assert_eq!(
                    run(&director, &frame),
                    (XDP_TX, expected),
                    "type {kind}, port {port}"
                );
            }
        }
        let counted = director.counters(member(&director, port)).unwrap();
        assert_eq!((counted.packets, counted.flows), (9, 1), "no new flows");
    }
}

#[test]
fn an_icmpv6_error_goes_to_the_member_whose_packet_it_quotes() {
    for port in [SERVED, HASHED] {
        let director = director();
        let sent = Sent6 { port, ..SENT6 };
        run(&director, &sent.tcp(SYN));
        // Destination unreachable, packet too big, time exceeded, parameter problem.
        for kind in 1..=4 {
            let frame = sent.icmp_error(kind, ROUTER_IP6);
            let expected = forwarded(frame.clone(), DIRECTOR, REAL);
            let found = run(&director, &frame);
            assert_eq!(found, (XDP_TX, expected), "type {kind}, port {port}");
        }
    }
}

/// The frame leaves in the VLAN that its member is in, whatever it came in by.
#[test]
fn a_frame_is_put_into_the_vlan_of_its_member() {
    let inside = Sent {
        port: IN_VLAN,
        ..SENT
    };
    let of = |sent: Sent| sent.tcp(SYN);
    let director = director();
    for (what, frame, left) in [
        ("into it", of(inside), tagged(of(inside), VLAN)),
        (
            "from another",
            tagged(of(inside), 5),
            tagged(of(inside), VLAN),
        ),
        ("stays", tagged(of(inside), VLAN), tagged(of(inside), VLAN)),
        (
            "its priority stays",
            tagged(of(inside), 0xe005),
            tagged(of(inside), 0xe000 | VLAN),
        ),
        (
            "priority alone",
            tagged(of(inside), 0x6000),
            tagged(of(inside), 0x6000 | VLAN),
        ),
        (
            "the inner one of two",
            service_tagged(tagged(of(inside), 5), 9),
            service_tagged(tagged(of(inside), VLAN), 9),
        ),
        ("out of one", tagged(of(SENT), 5), of(SENT)),
        (
            "two stay",
            service_tagged(tagged(of(SENT), 5), 9),
            service_tagged(tagged(of(SENT), 5), 9),
        ),
    ] {
        let expected = forwarded(left, DIRECTOR, REAL);
        assert_eq!(run(&director, &frame), (XDP_TX, expected), "{what}");
    }
}

#[test]
fn fragments_of_a_datagram_are_forwarded_in_any_order() {
    let sent = Sent { port: 53, ..SENT };
    let of_7 = |offset, more| sent.fragment(UDP, (7, offset, more));
    let director = director();
    for (what, frame) in [
        ("one that overtakes the first", of_7(24, true)),
        ("the first", of_7(0, true)),
        ("another", of_7(48, true)),
        ("the last", of_7(72, false)),
        ("another datagram's", sent.fragment(UDP, (8, 24, false))),
        ("TCP's first", SENT.fragment(TCP, (9, 0, true))),
        ("TCP's last", SENT.fragment(TCP, (9, 24, false))),
    ] {
        let expected = forwarded(frame.clone(), DIRECTOR, REAL);
        assert_eq!(run(&director, &frame), (XDP_TX, expected), "{what}");
    }
    for frame in [
        SENT6.fragment(TCP, (1 << 20, 24, true)),
        SENT6.fragment(TCP, (1 << 20, 0, true)),
        SENT6.fragment(TCP, (1 << 20, 48, false)),
    ] {
        let expected = forwarded(frame.clone(), DIRECTOR, REAL);
        assert_eq!(run(&director, &frame), (XDP_TX, expected));
    }
}

#[test]
fn a_member_on_another_interface_is_sent_to_from_there() {
    let director = director();
    let frame = Sent {
        port: MEMBER_ELSEWHERE,
        ..SENT
    }
    .tcp(SYN);
    let expected = forwarded(frame.clone(), DIRECTOR_ELSEWHERE, REAL);
    assert_eq!(run(&director, &frame), (XDP_REDIRECT, expected));
}

#[test]
fn every_reason_is_earned_counted_and_leaves_the_frame_alone() {
    for reason in Reason::ALL {
        for (what, frame) in frames_for(reason) {
            let director = director();
            let before = director.reasons().unwrap();
            let action = if DROPPED_FOR.contains(&reason) {
                XDP_DROP
            } else {
                XDP_PASS
            };
            let left = run(&director, &frame);
            assert_eq!(left, (action, frame), "{reason:?}: {what}");
            let after = director.reasons().unwrap();
            for other in Reason::ALL {
                let counted = after[other as usize] - before[other as usize];
                let expected = u64::from(other == reason);
                assert_eq!(counted, expected, "{other:?} for {reason:?}: {what}");
            }
        }
    }
}

#[test]
fn a_frame_cut_anywhere_is_truncated_or_forwarded_whole() {
    let director = director();
    let frame = tagged(SENT.tcp_with_options(SYN, 2), 0);
    let headers = 18 + 28 + 14;
    // The kernel runs a program on no fewer than 14 octets.
    for len in 14..frame.len() {
        let (action, left) = run(&director, &frame[..len]);
        if len < headers {
            assert_eq!(
                (action, &left[..]),
                (XDP_PASS, &frame[..len]),
                "{len} octets"
            );
        } else {
            assert_eq!(action, XDP_TX, "{len} octets");
        }
    }
}

#[test]
fn members_are_counted_packets_octets_and_new_flows() {
    let director = director();
    let frames = [SENT.tcp(SYN), SENT.tcp(ACK), SENT.tcp(ACK)];
    // Up to the end of the IP packet: what Ethernet pads with is nobody's.
    let octets = 3 * (14 + 20 + 20);
    for frame in &frames {
        run(&director, frame);
    }
    let counted = director.counters(member(&director, SERVED)).unwrap();
    assert_eq!(
        (counted.packets, counted.bytes, counted.flows),
        (3, octets, 1)
    );
}

#[test]
fn the_verifier_has_room_to_spare() {
    let director = director();
    let info = director.program().unwrap().info().unwrap();
    let verified = info.verified_instruction_count().unwrap();
    println!(
        "director: {verified} instructions verified, {} octets of code",
        info.size_jitted()
    );
    // Of a million that the kernel allows; what is above this grew by accident.
    assert!(verified < 20_000, "{verified}");
}

/// Runs the program in the kernel, and the decision on the host, which must be the same.
fn run(director: &Director, frame: &[u8]) -> (u32, Vec<u8>) {
    let mut left = vec![0xa5; frame.len() + 4];
    let result = director
        .program()
        .unwrap()
        .test_run(TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut left),
            ..TestRunOptions::default()
        })
        .unwrap();
    let mut buffer = Buffer::from(frame);
    let tables = At::new(&director.tables, director.now().unwrap());
    let forwarded = forward(&mut buffer, INGRESS, &tables);
    let mut on_host = buffer.frame().to_vec();
    let action = match forwarded {
        Ok(Forward::Return) => XDP_TX,
        Ok(Forward::Through(_)) => XDP_REDIRECT,
        Err(reason) => {
            on_host = frame.to_vec();
            match reason.fate() {
                Fate::Pass => XDP_PASS,
                Fate::Drop => XDP_DROP,
            }
        }
    };
    assert_eq!(
        action, result.return_value,
        "the host and the kernel decide alike"
    );
    left.truncate(result.data_size_out as usize);
    assert_eq!(on_host, left, "the host and the kernel write alike");
    (result.return_value, left)
}

fn frames_for(reason: Reason) -> Vec<(&'static str, Vec<u8>)> {
    let with = |change: fn(&mut Vec<u8>)| {
        let mut frame = SENT.tcp(SYN);
        change(&mut frame);
        frame
    };
    match reason {
        Reason::Truncated => vec![
            ("no IPv4 header", with(|frame| frame.truncate(33))),
            ("no ports", with(|frame| frame.truncate(37))),
            ("no flags", with(|frame| frame.truncate(47))),
            ("IPv6, no header", SENT6.tcp(SYN)[..53].to_vec()),
            ("IPv6, no flags", SENT6.tcp(SYN)[..67].to_vec()),
            (
                "IPv6, an extension header past the end",
                SENT6.tcp_behind(SYN, &[(DESTINATION, 64)])[..90].to_vec(),
            ),
            (
                "a first fragment without flags",
                SENT.fragment(TCP, (1, 0, true))[..46].to_vec(),
            ),
            ("options past the end", with(|frame| frame[14] = 0x4f)),
            ("a tag and no more", tagged(SENT.tcp(SYN), 1)[..16].to_vec()),
            (
                "no ICMP header",
                SENT.icmp_error(3, ROUTER_IP)[..41].to_vec(),
            ),
            (
                "no quoted header",
                SENT.icmp_error(3, ROUTER_IP)[..61].to_vec(),
            ),
            (
                "no quoted ports",
                SENT.icmp_error(3, ROUTER_IP)[..65].to_vec(),
            ),
        ],
        Reason::NotIp => vec![
            ("ARP", with(|frame| frame[13] = 0x06)),
            (
                "a length, as LLC has",
                with(|frame| frame[12..14].copy_from_slice(&[0, 46])),
            ),
            ("three tags", tagged(tagged(tagged(SENT.tcp(SYN), 1), 2), 3)),
        ],
        Reason::BadHeader => vec![
            ("version 6", with(|frame| frame[14] = 0x65)),
            (
                "IPv6, version 4",
                with(|frame| frame[12..14].copy_from_slice(&[0x86, 0xdd])),
            ),
            ("IPv6, version 4, and all headers", {
                let mut frame = SENT6.tcp(SYN);
                frame[14] = 0x45;
                frame
            }),
            ("four words", with(|frame| frame[14] = 0x44)),
            ("quoted, four words", with_icmp(|quoted| quoted[0] = 0x44)),
        ],
        Reason::OtherProtocol => vec![
            (
                "echo",
                SENT.ipv4(ICMP, &[], &[8, 0, 0xf7, 0xff, 0, 0, 0, 0]),
            ),
            (
                "an error about a ping",
                with_icmp(|quoted| quoted[9] = ICMP),
            ),
            (
                "an error about another host's packet",
                with_icmp(|quoted| quoted[12] = 10),
            ),
            (
                "an error about a later fragment",
                with_icmp(|quoted| quoted[7] = 1),
            ),
            ("ESP", SENT.ipv4(50, &[], &[0; 12])),
            (
                "a later fragment of a ping",
                SENT.fragment(ICMP, (1, 8, false)),
            ),
            (
                "IPv6, echo",
                SENT6.ipv6(ICMPV6, &[], &[128, 0, 0, 0, 0, 1, 0, 1]),
            ),
            (
                "a Neighbor Solicitation",
                SENT6.ipv6(
                    ICMPV6,
                    &[],
                    &[&[135, 0, 0, 0, 0, 0, 0, 0][..], &[0; 16]].concat(),
                ),
            ),
            (
                "IPv6, a later fragment of what is behind a header",
                // It looks like such a header itself.
                SENT6.ipv6(
                    FRAGMENT,
                    &[],
                    &[&[DESTINATION, 0, 0, 8, 0, 0, 0, 1, TCP][..], &[0; 27]].concat(),
                ),
            ),
            ("IPv6, no next header", SENT6.ipv6(59, &[], &[0; 8])),
            (
                "IPv6, more extension headers than are looked behind",
                SENT6.tcp_behind(SYN, &[(DESTINATION, 8); 5]),
            ),
        ],
        Reason::NoService => vec![
            (
                "another port",
                Sent {
                    port: ABSENT,
                    ..SENT
                }
                .tcp(SYN),
            ),
            (
                "another address",
                Sent {
                    vip: [192, 0, 2, 2].into(),
                    ..SENT
                }
                .tcp(SYN),
            ),
            ("another protocol", SENT.udp()),
            (
                "with options",
                Sent {
                    port: ABSENT,
                    ..SENT
                }
                .tcp_with_options(SYN, 2),
            ),
        ],
        Reason::OtherHost => vec![
            ("flooded", Sent { to: REAL, ..SENT }.tcp(SYN)),
            (
                "broadcast",
                Sent {
                    to: [0xff; 6],
                    ..SENT
                }
                .tcp(SYN),
            ),
        ],
        Reason::Refused => vec![(
            "no member",
            Sent {
                port: REFUSED,
                ..SENT
            }
            .tcp(SYN),
        )],
        Reason::NoMember => vec![(
            "no member",
            Sent {
                port: DROPPED,
                ..SENT
            }
            .tcp(SYN),
        )],
        Reason::NoNeighbour => vec![(
            "a member on an interface that is not there",
            Sent {
                port: NO_SUCH_INTERFACE,
                ..SENT
            }
            .tcp(SYN),
        )],
        Reason::NoFlow => vec![("of a flow nobody has seen", with_icmp(|_| {}))],
        Reason::Expelled => Vec::new(), // See `a_flow_ends_with_its_member`.
        Reason::TtlExpired => vec![
            ("on its last hop", Sent { ttl: 1, ..SENT }.tcp(SYN)),
            ("past it", Sent { ttl: 0, ..SENT }.tcp(SYN)),
        ],
    }
}

/// An ICMP error whose quoted header is changed.
fn with_icmp(change: fn(&mut [u8])) -> Vec<u8> {
    let mut frame = SENT.icmp_error(3, ROUTER_IP);
    change(&mut frame[14 + 20 + 8..]);
    frame
}

/// A loaded director with a service for each thing that can be wrong with one.
fn director() -> Director {
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

fn wanted() -> Vec<Wanted> {
    let resolved = WantedMember {
        address: [10, 0, 0, 2].into(),
        weight: 1,
        thresholds: Thresholds::default(),
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

fn member(director: &Director, port: u16) -> u32 {
    let installed = Installed::of(&director.tables);
    let name = format!("tcp/192.0.2.1:{port}").parse().unwrap();
    let (_, id) = installed.members(name).next().unwrap();
    id
}
