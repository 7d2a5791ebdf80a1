//! Flows stay with their member through every change an operator makes; on the host, with the
//! tables in memory that no program has.

mod daemon;
mod schedulers;
#[path = "../site/mod.rs"]
mod site;

use lb_common::reason::Reason;
use lb_user::{install::Flows, scheduler::Scheduler};
use tests::frames::{ACK, FIN, RST, SYN};

use self::site::{ESTABLISHED, Site};

/// Each change in turn, with connections that began before and after every one of them.
#[test]
fn connections_stay_through_every_change() {
    let changes: [(Scheduler, &[(u8, u32)]); 20] = [
        (Scheduler::Mh, &[(2, 1), (3, 1)]),
        (Scheduler::Mh, &[(2, 1), (3, 1), (4, 1)]),
        (Scheduler::Mh, &[(2, 5), (3, 1), (4, 1)]),
        (Scheduler::Mh, &[(2, 0), (3, 1), (4, 1)]),
        (Scheduler::Rr, &[(2, 1), (3, 1), (4, 1)]),
        (Scheduler::Rr, &[(3, 1), (4, 1)]),
        (Scheduler::Wrr, &[(3, 0), (4, 2), (5, 1)]),
        (Scheduler::Mh, &[(4, 1), (5, 1)]),
        (Scheduler::Mh, &[(5, 1)]),
        (Scheduler::Mh, &[(2, 1), (5, 0)]),
        (Scheduler::Rr, &[(2, 1)]),
        (Scheduler::Mh, &[(2, 1), (3, 1), (4, 1), (5, 1)]),
        (Scheduler::Sh, &[(2, 1), (3, 1), (4, 1), (5, 1)]),
        (Scheduler::Sh, &[(3, 1), (4, 1)]),
        (Scheduler::Mh, &[(3, 1), (4, 1)]),
        (Scheduler::Dh, &[(4, 1), (5, 1)]),
        (Scheduler::Wlc, &[(2, 1), (5, 1)]),
        (Scheduler::Sh, &[(2, 1), (3, 1)]),
        (Scheduler::Lblcr, &[(2, 1), (3, 1)]),
        (Scheduler::Mh, &[(2, 1), (3, 1), (4, 1), (5, 1)]),
    ];
    // Of 2000 flows five are in one of 65 536 sets once in 17 000 runs; of 6000, once in 70.
    const PORTS: usize = 100;
    // Seconds between changes: windows that run into one another, and windows that end.
    for gap in [1, 60, ESTABLISHED / 2, ESTABLISHED + 30] {
        let mut site = Site::new();
        let mut homes = Vec::new();
        for (step, (scheduler, members)) in changes.into_iter().enumerate() {
            site.bring(scheduler, members);
            for port in 0..PORTS {
                let port = (step * PORTS + port + 1) as u16;
                let home = site.send(port, SYN).unwrap();
                assert_eq!(site.send(port, ACK), Ok(home));
                homes.push((port, home));
            }
            // Clients that send at least every quarter of an hour, as TCP keeps established.
            let mut left = gap;
            while left > 0 {
                let nap = left.min(300);
                site.pass(nap);
                left -= nap;
                // Every other client says nothing until the end, if that is within the timeout.
                let idle = gap * changes.len() as u32 <= ESTABLISHED;
                for &(port, home) in &homes {
                    if idle && port % 2 == 1 && (step + 1 < changes.len() || left > 0) {
                        continue;
                    }
                    let what = format!("port {port}, change {step} to {scheduler}, gap {gap}");
                    assert_eq!(site.send(port, ACK), Ok(home), "{what}");
                }
                site.sweep();
            }
        }
    }
}

#[test]
fn a_removed_member_stays_for_its_connections_and_no_longer() {
    let mut site = Site::new();
    site.bring(Scheduler::Rr, &[(2, 1), (3, 1)]);
    assert_eq!(site.send(1, SYN), Ok(2));
    assert_eq!(site.send(1, ACK), Ok(2));
    site.bring(Scheduler::Rr, &[(3, 1)]);
    site.sweep();
    assert_eq!(site.members(), [2, 3]);
    assert_eq!(site.send(1, ACK), Ok(2));
    assert_eq!(site.send(2, SYN), Ok(3), "new ones go elsewhere");
    assert_eq!(site.send(1, FIN), Ok(2));
    site.pass(121);
    site.sweep();
    assert_eq!(site.members(), [3]);
}

#[test]
fn a_member_that_comes_back_while_it_drains_is_itself_again() {
    let mut site = Site::new();
    site.bring(Scheduler::Rr, &[(2, 1), (3, 1)]);
    site.send(1, SYN).unwrap();
    site.bring(Scheduler::Rr, &[(3, 1)]);
    site.bring(Scheduler::Rr, &[(2, 1), (3, 1)]);
    site.sweep();
    assert_eq!(site.members(), [2, 3]);
    assert_eq!(
        site.flows(2),
        Flows {
            active: 1,
            inactive: 0,
            ..Flows::default()
        }
    );
}

#[test]
fn an_unresolved_member_takes_no_new_flows_and_keeps_its_own() {
    let mut site = Site::new();
    site.bring(Scheduler::Rr, &[(2, 1), (3, 1)]);
    assert_eq!(site.send(1, SYN), Ok(2));
    site.unresolved = vec![2];
    site.bring(Scheduler::Rr, &[(2, 1), (3, 1)]);
    assert_eq!(site.send(1, ACK), Ok(2), "at the MAC it had");
    assert_eq!([site.send(2, SYN), site.send(3, SYN)], [Ok(3), Ok(3)]);
    site.unresolved = vec![2, 3];
    site.bring(Scheduler::Rr, &[(2, 1), (3, 1)]);
    assert_eq!(site.send(4, SYN), Err(Reason::Refused));
}

#[test]
fn connections_of_a_hash_service_stay_when_nobody_takes_new_ones() {
    let mut site = Site::new();
    site.bring(Scheduler::Mh, &[(2, 1)]);
    assert_eq!(site.send(1, SYN), Ok(2));
    site.bring(Scheduler::Mh, &[(2, 0)]);
    assert_eq!(site.send(1, ACK), Ok(2));
    assert_eq!(site.send(2, SYN), Err(Reason::Refused));
}

#[test]
fn a_client_that_sends_its_syn_again_gets_the_same_member() {
    let mut site = Site::new();
    site.bring(Scheduler::Rr, &[(2, 1), (3, 1)]);
    assert_eq!([site.send(1, SYN), site.send(1, SYN)], [Ok(2), Ok(2)]);
    for end in [FIN | ACK, RST] {
        site.send(1, end).unwrap();
        let next = site.send(1, SYN).unwrap();
        assert_eq!(
            site.send(1, ACK),
            Ok(next),
            "the next from its port is a new one"
        );
    }
}

#[test]
fn a_flood_of_syns_costs_no_established_connection() {
    // 4096 flows: the flood goes over each record a dozen times.
    let mut site = Site::with_flow_sets(1 << 10);
    site.bring(Scheduler::Rr, &[(2, 1), (3, 1)]);
    let homes: Vec<(u16, u8)> = (1..=200)
        .map(|port| {
            site.send(port, SYN).unwrap();
            (port, site.send(port, ACK).unwrap())
        })
        .collect();
    for port in 1000..60_000 {
        site.send(port, SYN).unwrap();
    }
    for (port, home) in homes {
        assert_eq!(site.send(port, ACK), Ok(home), "port {port}");
    }
}
