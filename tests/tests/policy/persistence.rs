//! Clients that come back to their member.

use lb_common::tables::State;
use lb_user::install::{Persistence, Policy};
use tests::frames::{ACK, SYN};

use crate::{BOTH, RR, site::Site, udp};

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
    site.bring(RR, &BOTH);
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

pub(crate) fn persistent(prefix: u8) -> Site {
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
