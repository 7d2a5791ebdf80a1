//! What a service does with flows but for spreading them: whom it sends back, counts, ends, or
//! keeps together; on the host, with the tables in memory that no program has.

mod site;

use lb_common::{reason::Reason, tables::State};
use lb_user::{
    install::{Persistence, Policy, Thresholds},
    scheduler::Scheduler,
};
use tests::frames::{ACK, FIN, SYN, UDP};

use self::site::{Client, Site};

const RR: Scheduler = Scheduler::Rr;
const BOTH: [(u8, u32); 2] = [(2, 1), (3, 1)];
/// Seconds that a client is sent back for.
const PERSISTENCE: u32 = 300;

#[test]
fn a_client_comes_back_to_its_member_from_every_port() {
    let site = persistent(32);
    let connections = [
        ((1, 1), 2),
        ((2, 1), 3),
        ((1, 2), 2),
        ((1, 3), 2),
        ((2, 2), 3),
        ((3, 1), 2),
        ((2, 3), 3),
    ];
    for (client, member) in connections {
        assert_eq!(site.send_from(client, SYN), Ok(member), "{client:?}");
        assert_eq!(site.send_from(client, ACK), Ok(member), "{client:?}");
    }
}

/// Of an address as much as the prefix says is one client.
#[test]
fn the_clients_of_a_subnet_are_one() {
    for (prefix, second) in [(32, 3), (25, 3), (24, 2)] {
        let site = persistent(prefix);
        assert_eq!(site.send_from((1, 1), SYN), Ok(2));
        assert_eq!(site.send_from((1, 1), ACK), Ok(2));
        assert_eq!(site.send_from((200, 1), SYN), Ok(second), "/{prefix}");
    }
}

/// The time runs from the last packet of any of the client's flows.
#[test]
fn a_client_that_stays_away_is_forgotten() {
    for (away, comes_back) in [(PERSISTENCE - 1, true), (PERSISTENCE + 1, false)] {
        let mut site = persistent(32);
        assert_eq!(site.send_from((1, 1), SYN), Ok(2));
        assert_eq!(site.send_from((1, 1), ACK), Ok(2));
        for _ in 0..3 {
            site.pass(PERSISTENCE - 1);
            site.sweep();
            assert_eq!(site.send_from((1, 1), ACK), Ok(2));
        }
        site.pass(away);
        site.sweep();
        assert_eq!(site.flows(2).persistent, u64::from(comes_back));
        // The turn after the first one's is 3's.
        let expected = if comes_back { 2 } else { 3 };
        assert_eq!(site.send_from((1, 2), SYN), Ok(expected), "{away} s");
    }
}

/// Of the address what counts, no port, and the VIP and port it first came to.
#[test]
fn it_is_known_which_clients_come_back() {
    for (prefix, octets) in [(32, [7, 9]), (25, [0, 0]), (24, [0, 0])] {
        let site = persistent(prefix);
        for client in [(7, 1), (7, 2), (9, 1)] {
            assert_eq!(site.known(State::Template).len(), 0, "only first packets");
            assert!(site.send_from(client, SYN).is_ok());
        }
        for client in [(9, 1), (7, 2), (7, 1)] {
            assert!(site.send_from(client, ACK).is_ok());
        }
        let mut known = site.known(State::Template);
        known.sort_unstable_by_key(|flow| flow.client.octets());
        let mut expected = octets.map(|octet| site.flow((octet, 0))).to_vec();
        expected.dedup();
        assert_eq!(known, expected, "/{prefix}");
        assert_eq!(site.known(State::Established).len(), 3);
    }
}

/// A datagram does not tell that it is not the first; that its flow has a record does.
#[test]
fn a_client_of_datagrams_comes_back_for_as_long() {
    let mut site = udp();
    site.policy.persistence = Some(Persistence {
        seconds: 600,
        prefix: 32,
    });
    site.bring(Scheduler::Rr, &[(2, 1), (3, 1)]);
    let send = |site: &Site, client| site.send_frame(&site.from(client).udp());
    assert_eq!(send(&site, (1, 1)), Ok(2));
    site.pass(1);
    assert_eq!(send(&site, (1, 1)), Ok(2));
    // Longer than a first packet is remembered, and than a flow of datagrams.
    site.pass(599);
    site.sweep();
    assert_eq!(send(&site, (2, 1)), Ok(3), "another's turn");
    assert_eq!(send(&site, (1, 2)), Ok(2));
    assert_eq!(send(&site, (1, 3)), Ok(2));
    assert_eq!(send(&site, (3, 1)), Ok(2), "no turn was taken");
}

#[test]
fn clients_come_back_to_a_quiescent_member_unless_that_expires_them() {
    for (expire_quiescent, expected) in [(false, 2), (true, 3)] {
        let mut site = persistent(32);
        site.policy.expire_quiescent = expire_quiescent;
        site.bring(RR, &BOTH);
        assert_eq!(site.send_from((1, 1), SYN), Ok(2));
        assert_eq!(site.send_from((1, 1), ACK), Ok(2));
        site.bring(RR, &[(2, 0), (3, 1)]);
        assert_eq!(site.send_from((1, 2), SYN), Ok(expected));
        assert_eq!(site.send_from((1, 1), ACK), Ok(2), "the flow goes on");
        assert_eq!(site.send_from((9, 1), SYN), Ok(3), "who is new");
    }
}

#[test]
fn the_clients_of_a_removed_member_go_elsewhere() {
    let mut site = persistent(32);
    assert_eq!(site.send_from((1, 1), SYN), Ok(2));
    assert_eq!(site.send_from((1, 1), ACK), Ok(2));
    site.bring(RR, &[(3, 1)]);
    assert_eq!(site.send_from((1, 2), SYN), Ok(3));
    assert_eq!(site.send_from((1, 2), ACK), Ok(3));
    assert_eq!(site.send_from((1, 1), ACK), Ok(2), "the flow goes on");
}

#[test]
fn a_flood_of_syns_has_no_client_forgotten() {
    // 4096 records: the flood goes over each a dozen times.
    let mut site = Site::with_flow_sets(1 << 10);
    site.policy.persistence = Some(Persistence {
        seconds: PERSISTENCE,
        prefix: 32,
    });
    site.bring(RR, &BOTH);
    let homes: Vec<(u8, u8)> = (1..=50)
        .map(|client| {
            site.send_from((client, 1), SYN).unwrap();
            (client, site.send_from((client, 1), ACK).unwrap())
        })
        .collect();
    for port in 0..60_000 {
        let client = 100 + (port % 100) as u8;
        site.send_from((client, port), SYN).unwrap();
    }
    for (client, home) in homes {
        assert_eq!(site.send_from((client, 2), SYN), Ok(home), "{client}");
    }
}

#[test]
fn of_one_packet_services_each_datagram_has_its_own_turn() {
    let mut site = udp();
    for (one_packet, expected, records) in [(false, [2, 2, 2, 2], 1), (true, [3, 2, 3, 2], 0)] {
        site.policy.one_packet = one_packet;
        site.bring(RR, &BOTH);
        let datagram = site.from((1, 1)).udp();
        let went = [(); 4].map(|()| site.send_frame(&datagram).unwrap());
        assert_eq!(went, expected);
        assert_eq!(site.sweep(), records);
        // What there was is over.
        site.pass(301);
        site.sweep();
    }
}

/// `ip_vs_dest_update_overload`, `ip_vs_unbind_dest`: three quarters, where no lower one is given.
#[test]
fn a_member_at_its_upper_threshold_takes_no_new_flows_until_it_is_below_the_lower() {
    for (lower, again_at) in [(0, 5), (3, 2)] {
        let mut site = Site::new();
        site.thresholds = vec![(2, Thresholds { upper: 8, lower })];
        site.bring(RR, &BOTH);
        let mut own = Vec::new();
        for port in 1..=100 {
            let member = connect(&site, port);
            site.sweep();
            if member == 2 {
                own.push(port);
            }
        }
        assert_eq!(own.len(), 8, "flows when it was full");
        let mut next = 1000;
        while let Some(port) = own.pop() {
            // Closed, but counted until the client could no more send its last segment again.
            site.send(port, FIN | ACK).unwrap();
            site.pass(121);
            for &port in &own {
                site.send(port, ACK).unwrap();
            }
            site.sweep();
            let turns: Vec<u8> = (next..next + 2).map(|port| connect(&site, port)).collect();
            next += 2;
            if turns.contains(&2) {
                break;
            }
        }
        assert_eq!(own.len(), again_at, "flows when it took new ones again");
    }
}

#[test]
fn every_member_at_its_threshold_is_nobody_to_send_to() {
    let mut site = Site::new();
    let thresholds = Thresholds { upper: 1, lower: 0 };
    site.thresholds = vec![(2, thresholds), (3, thresholds)];
    site.bring(RR, &BOTH);
    for (port, expected) in [(1, Ok(2)), (2, Ok(3)), (3, Err(Reason::Refused))] {
        assert_eq!(site.send(port, SYN), expected);
        site.sweep();
    }
    assert_eq!(site.send(1, ACK), Ok(2), "its own go on");
}

/// `expire_nodest_conn`, and without it.
#[test]
fn a_flow_ends_with_its_member() {
    for (expire_nodest, segment) in [(false, Ok(2)), (true, Err(Reason::Expelled))] {
        let mut site = Site::new();
        site.policy.expire_nodest = expire_nodest;
        site.bring(RR, &BOTH);
        assert_eq!(connect(&site, 1), 2);
        site.bring(RR, &[(3, 1)]);
        for flags in [ACK, FIN | ACK] {
            assert_eq!(site.send(1, flags), segment);
        }
        assert_eq!(site.send(1, SYN), Ok(3), "the next from its port");
        assert_eq!(site.send(1, ACK), Ok(3));
    }
}

/// So that it does not matter in which of two tables the record is of the connection before.
#[test]
fn while_tables_are_copied_the_next_connection_is_where_the_last_was() {
    for (frozen, next) in [(0, 3), (1, 2)] {
        let mut site = Site::new();
        site.bring(RR, &BOTH);
        assert_eq!(connect(&site, 1), 2);
        site.send(1, FIN | ACK).unwrap();
        site.tables.settings().frozen.store(frozen);
        assert_eq!(connect(&site, 1), next);
        site.pass(100);
        assert_eq!(site.send(1, ACK), Ok(next));
        // It is established, and lasts as long as those do.
        site.pass(800);
        site.sweep();
        assert_eq!(site.flows(next).active, 1);
        site.pass(1000);
        assert_eq!(
            site.send(1, SYN),
            Ok(if frozen == 0 { 2 } else { 3 }),
            "long over"
        );
    }
}

/// Of IPVS with keepalived, a server that fails is removed, or inhibited: of weight 0.
#[test]
fn the_flows_of_a_member_that_is_down_are_over() {
    for scheduler in [RR, Scheduler::Mh, Scheduler::Sh, Scheduler::Dh] {
        let mut site = Site::new();
        site.bring(scheduler, &BOTH);
        let port = 1;
        let its = connect(&site, port);
        site.down = vec![its];
        site.bring(scheduler, &BOTH);
        let other = 5 - its;
        let segment = match scheduler.is_hashed() {
            // Without a record: its new real server refuses it.
            true => Ok(other),
            false => Err(Reason::Expelled),
        };
        assert_eq!(site.send(port, ACK), segment, "{scheduler}");
        for port in [port, port + 1, port + 2] {
            assert_eq!(connect(&site, port), other, "{scheduler}");
        }
        site.down.clear();
        site.bring(scheduler, &BOTH);
        assert_eq!(site.send(port, ACK), Ok(other), "{scheduler}: stays");
        let is_back = |port| connect(&site, port) == its;
        assert!((1000..1100).any(is_back), "{scheduler}: it is back");
    }
}

/// A datagram may always begin a flow, and a client that came back comes to another.
#[test]
fn clients_of_a_member_that_is_down_go_to_another() {
    let mut site = udp();
    site.bring(RR, &BOTH);
    let datagram = site.from((1, 1)).udp();
    assert_eq!(site.send_frame(&datagram), Ok(2));
    site.down = vec![2];
    site.bring(RR, &BOTH);
    assert_eq!([(); 2].map(|()| site.send_frame(&datagram)), [Ok(3); 2]);

    let mut site = persistent(32);
    assert_eq!(site.send_from((1, 1), SYN), Ok(2));
    assert_eq!(site.send_from((1, 1), ACK), Ok(2));
    site.down = vec![2];
    site.bring(RR, &BOTH);
    assert_eq!(site.send_from((1, 2), SYN), Ok(3));
    assert_eq!(site.send_from((1, 2), ACK), Ok(3));
    site.down.clear();
    site.bring(RR, &BOTH);
    assert_eq!(site.send_from((1, 3), SYN), Ok(3), "and stays there");
}

#[test]
fn everybody_down_is_nobody_to_send_to() {
    let mut site = Site::new();
    site.bring(Scheduler::Mh, &BOTH);
    site.down = vec![2, 3];
    site.bring(Scheduler::Mh, &BOTH);
    assert_eq!(site.send(1, SYN), Err(Reason::Refused));
    assert_eq!(site.send(1, ACK), Err(Reason::Refused));
    site.down.clear();
    site.bring(Scheduler::Mh, &BOTH);
    connect(&site, 1);
}

#[test]
fn one_port_comes_before_a_range_and_a_range_before_any() {
    let names = ["*", "80-89", "84-85", "84"];
    let mut site = Site::with_limits(lb_user::dataplane::director::Limits {
        services: 8,
        members: 16,
        slots: 1 << 13,
        flow_sets: 1 << 10,
        lists_flows: false,
    });
    // In whatever order they came.
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        for i in order {
            site.name = format!("tcp/192.0.2.1:{}", names[i]).parse().unwrap();
            site.bring(Scheduler::Mh, &[(10 + i as u8, 1)]);
        }
        let at = |site: &Site, port| {
            let mut sent = site.from((1, 1));
            sent.port = port;
            site.send_frame(&sent.tcp(SYN))
        };
        for (port, service) in [
            (1, 0),
            (79, 0),
            (80, 1),
            (83, 1),
            (84, 3),
            (85, 2),
            (86, 1),
            (89, 1),
            (90, 0),
            (u16::MAX, 0),
        ] {
            assert_eq!(at(&site, port), Ok(10 + service), "port {port}");
        }
        // Without the one port, its range has it, and so on.
        for (gone, next) in [
            (3, Ok(12)),
            (2, Ok(11)),
            (1, Ok(10)),
            (0, Err(Reason::NoService)),
        ] {
            let name = format!("tcp/192.0.2.1:{}", names[gone]).parse().unwrap();
            site.installed.remove(&site.tables, name, site.now);
            assert_eq!(at(&site, 84), next, "without {}", names[gone]);
        }
        site.pass(3);
        site.sweep();
    }
}

#[test]
fn fragments_follow_the_first_of_their_datagram() {
    let mut site = udp();
    site.bring(RR, &BOTH);
    for (port, id, member) in [(1, 7, 2), (2, 8, 3), (1, 9, 2), (2, 10, 3), (3, 11, 2)] {
        let went = [(0, true), (16, true), (32, false)].map(|part| fragment(&site, port, id, part));
        assert_eq!(went, [Ok(member); 3], "port {port}");
    }
    // Among one another's.
    let parts = [
        (1, 20, 0),
        (2, 21, 0),
        (1, 20, 16),
        (2, 21, 16),
        (1, 20, 32),
        (2, 21, 32),
    ];
    let went = parts.map(|(port, id, offset)| fragment(&site, port, id, (offset, true)));
    assert_eq!(went, [Ok(2), Ok(3), Ok(2), Ok(3), Ok(2), Ok(3)]);
}

#[test]
fn fragments_that_overtake_the_first_go_where_the_clients_last_went() {
    let mut site = udp();
    site.bring(RR, &BOTH);
    let reversed = [(32, false), (16, true), (0, true)];
    for (port, id, member) in [(1, 7, 2), (2, 8, 3)] {
        assert_eq!(fragment(&site, port, id, (0, true)), Ok(member));
        assert_eq!(fragment(&site, port, id, (16, false)), Ok(member));
        let went = reversed.map(|part| fragment(&site, port, id + 10, part));
        assert_eq!(went, [Ok(member); 3], "port {port}");
    }
}

/// Of a client never seen nothing tells where its flow will go: it goes where they went.
#[test]
fn a_flow_begins_where_fragments_went_that_overtook_its_first() {
    for client in 1..=20 {
        let mut site = udp();
        site.bring(RR, &BOTH);
        let part = |(offset, more)| {
            let frame = site.from((client, 1)).fragment(UDP, (7, offset, more));
            site.send_frame(&frame)
        };
        let member = part((32, false));
        assert_eq!([part((16, true)), part((0, true))], [member, member]);
        let datagram = site.from((client, 1)).udp();
        assert_eq!(site.send_frame(&datagram), member, "and stays");
    }
}

fn persistent(prefix: u8) -> Site {
    let mut site = Site::new();
    site.policy = Policy {
        persistence: Some(Persistence {
            seconds: PERSISTENCE,
            prefix,
        }),
        ..Policy::default()
    };
    site.bring(RR, &BOTH);
    site
}

fn udp() -> Site {
    let mut site = Site::new();
    site.name = "udp/192.0.2.1:53".parse().unwrap();
    site
}

fn connect(site: &Site, port: u16) -> u8 {
    let member = site.send(port, SYN).unwrap();
    assert_eq!(site.send(port, ACK), Ok(member));
    member
}

/// Sends a fragment of datagram `id` of client 1: its offset, and whether there are more.
fn fragment(site: &Site, port: u16, id: u16, (offset, more): (u16, bool)) -> Result<u8, Reason> {
    let client: Client = (1, port);
    let frame = site.from(client).fragment(UDP, (id, offset, more));
    site.send_frame(&frame)
}
