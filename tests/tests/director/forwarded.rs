//! What is for a service, and how it leaves.

use std::net::Ipv6Addr;

use tests::frames::{
    ACK, AUTHENTICATION, DESTINATION, HOP_BY_HOP, ROUTING, SYN, Sent, Sent6, TCP, UDP, forwarded,
    service_tagged, tagged, with_length,
};

use crate::{
    XDP_REDIRECT, XDP_TX, run,
    site::{
        ANY_PORT, BY_CLIENT, BY_DESTINATION, BY_LOAD, DIRECTOR, DIRECTOR_ELSEWHERE, HASHED,
        IN_VLAN, MEMBER_ELSEWHERE, RANGE, REAL, ROUTER_IP, SCTP_PORT, SENT, SENT6, SERVED, VLAN,
        director, member,
    },
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
