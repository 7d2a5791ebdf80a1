//! Members that are full, gone, or down, and the flows they have.

use lb_common::reason::Reason;
use lb_user::{install::Thresholds, scheduler::Scheduler};
use tests::frames::{ACK, FIN, SYN};

use crate::{BOTH, RR, connect, persistence::persistent, site::Site, udp};

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
