//! What is not forwarded, and why.

use lb_common::reason::Reason;
use tests::frames::{ACK, DESTINATION, FRAGMENT, ICMP, ICMPV6, SYN, Sent, Sent6, TCP, tagged};

use crate::{
    XDP_DROP, XDP_PASS, run,
    site::{ABSENT, DROPPED, NO_SUCH_INTERFACE, REAL, REFUSED, ROUTER_IP, SENT, SENT6, director},
};

/// Of a packet that is for a service beyond doubt.
const DROPPED_FOR: [Reason; 3] = [Reason::NoMember, Reason::NoNeighbour, Reason::TtlExpired];

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
            ("a real server's reply to a check", {
                let reply = Sent {
                    client: SENT.vip,
                    client_port: SENT.port,
                    vip: [203, 0, 113, 5].into(),
                    port: 40000,
                    ..SENT
                };
                reply.tcp(SYN | ACK)
            }),
            ("the same by IPv6", {
                let reply = Sent6 {
                    client: SENT6.vip,
                    client_port: SENT6.port,
                    vip: SENT6.client,
                    port: 40000,
                    ..SENT6
                };
                reply.tcp(SYN | ACK)
            }),
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
