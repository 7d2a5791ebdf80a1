//! Flows stay with their member through every change an operator makes; on the host, with the
//! tables in memory that no program has.

mod site;

use std::collections::{HashMap, HashSet};

use lb_common::reason::Reason;
use lb_user::{
    install::{Flows, Installed, Wanted},
    scheduler::{Flag, Scheduler},
};
use tests::frames::{ACK, FIN, RST, SYN};

use self::site::{ESTABLISHED, Site, service};

#[test]
fn rr_alternates_and_connections_stay() {
    let mut site = Site::new();
    site.bring(Scheduler::Rr, &[(2, 1), (3, 1)]);
    for port in 1..=100 {
        let expected = if port % 2 == 1 { 2 } else { 3 };
        assert_eq!(site.send(port, SYN), Ok(expected));
        assert_eq!(site.send(port, ACK), Ok(expected));
    }
}

#[test]
fn wrr_gives_shares_by_weight_and_none_to_weight_0() {
    let mut site = Site::new();
    site.bring(Scheduler::Wrr, &[(2, 3), (3, 1), (4, 0)]);
    let turns: Vec<u8> = (1..=8).map(|port| site.send(port, SYN).unwrap()).collect();
    assert_eq!(turns, [2, 2, 3, 2, 2, 2, 3, 2]);
}

#[test]
fn mh_gives_a_flow_the_same_member_again_and_needs_no_record() {
    let mut site = Site::new();
    site.bring(Scheduler::Mh, &[(2, 1), (3, 1), (4, 2)]);
    let mut shares: HashMap<u8, u32> = HashMap::new();
    for port in 1..=4000 {
        let member = site.send(port, SYN).unwrap();
        assert_eq!(site.send(port, ACK), Ok(member));
        *shares.entry(member).or_default() += 1;
    }
    assert_eq!(site.sweep(), 0, "records");
    // 1000, 1000, 2000; five standard deviations of a binomial are below 160.
    for (member, expected) in [(2, 1000), (3, 1000), (4, 2000)] {
        assert!(shares[&member].abs_diff(expected) < 160, "{shares:?}");
    }
}

#[test]
fn sh_goes_by_the_client_and_with_its_flag_by_its_port_too() {
    let mut site = Site::new();
    for (flags, spread) in [(&[][..], false), (&[Flag::ShPort], true)] {
        site.flags = flags.to_vec();
        site.bring(Scheduler::Sh, &[(2, 1), (3, 1), (4, 1)]);
        // The records of flows from before the change.
        site.pass(ESTABLISHED + 1);
        site.sweep();
        let mut homes = HashSet::new();
        for client in 1..=60 {
            let members: HashSet<u8> = (1..=20)
                .map(|port| site.send_from((client, port), SYN).unwrap())
                .collect();
            assert_eq!(members.len() > 1, spread, "client {client}: {members:?}");
            homes.extend(members);
        }
        assert_eq!(homes.len(), 3, "clients are spread");
        assert_eq!(site.sweep(), 0, "records");
    }
}

#[test]
fn sh_refuses_the_clients_of_whom_takes_none_and_with_its_flag_does_not() {
    for (flags, refuses) in [(&[][..], true), (&[Flag::ShFallback], false)] {
        let mut site = Site::new();
        site.flags = flags.to_vec();
        site.bring(Scheduler::Sh, &[(2, 1), (3, 1)]);
        let before: Vec<u8> = (1..=50)
            .map(|client| site.send_from((client, 1), SYN).unwrap())
            .collect();
        site.bring(Scheduler::Sh, &[(2, 0), (3, 1)]);
        for (client, was) in (1..=50).zip(before) {
            assert_eq!(site.send_from((client, 1), ACK), Ok(was), "stays");
            let expected = match was {
                2 if refuses => Err(Reason::Refused),
                _ => Ok(3),
            };
            assert_eq!(site.send_from((client, 2), SYN), expected);
        }
    }
}

#[test]
fn dh_sends_all_of_a_service_to_one() {
    let mut site = Site::new();
    site.bring(Scheduler::Dh, &[(2, 1), (3, 9)]);
    let homes: HashSet<u8> = (1..=100)
        .map(|client| site.send_from((client, 1), SYN).unwrap())
        .collect();
    assert_eq!(homes.len(), 1);
}

/// While the slots say nothing of flows from before, every flow has a record; then none has.
#[test]
fn a_service_that_is_hashed_otherwise_is_tracked_for_a_while() {
    let mut site = Site::new();
    site.bring(Scheduler::Mh, &[(2, 1), (3, 1)]);
    site.bring(Scheduler::Sh, &[(2, 1), (3, 1)]);
    site.send(1, SYN).unwrap();
    assert_eq!(site.sweep(), 1);
    site.pass(ESTABLISHED + 1);
    for _ in 0..2 {
        assert_eq!(site.sweep(), 0);
    }
    let home = site.send(2, SYN).unwrap();
    assert_eq!(site.send(2, ACK), Ok(home));
    assert_eq!(site.sweep(), 0, "records");
}

/// Overhead by weight evens out to within a batch's last turn: `ip_vs_wlc.c`.
#[test]
fn wlc_evens_out_what_it_finds() {
    let mut site = Site::new();
    site.bring(Scheduler::Wlc, &[(2, 1), (3, 3)]);
    let mut port = 0;
    let mut connect = |site: &mut Site, number| {
        for _ in 0..number {
            port += 1;
            site.send(port, SYN).unwrap();
            site.send(port, ACK).unwrap();
        }
        site.sweep();
    };
    let active = |site: &Site| [2, 3, 4].map(|host| site.try_flows(host).active);
    for _ in 0..8 {
        connect(&mut site, 100);
    }
    assert_eq!(active(&site), [200, 600, 0]);
    // The newcomer has all until it has its share, and then its share.
    site.bring(Scheduler::Wlc, &[(2, 1), (3, 3), (4, 1)]);
    connect(&mut site, 100);
    assert_eq!(active(&site), [200, 600, 100]);
    for _ in 0..6 {
        connect(&mut site, 100);
    }
    assert_eq!(active(&site), [300, 900, 300]);
    site.bring(Scheduler::Wlc, &[(2, 0), (3, 3), (4, 1)]);
    connect(&mut site, 100);
    assert_eq!(active(&site), [300, 975, 325]);
}

#[test]
fn ovf_fills_one_after_another_and_then_refuses() {
    let mut site = Site::new();
    site.bring(Scheduler::Ovf, &[(2, 10), (3, 20)]);
    let sent: Vec<_> = (1..=33)
        .map(|port| {
            site.sweep();
            site.send(port, SYN)
        })
        .collect();
    // A server is full when it has more than its weight.
    assert_eq!(sent[..21], [Ok(3); 21]);
    assert_eq!(sent[21..32], [Ok(2); 11]);
    assert_eq!(sent[32], Err(Reason::Refused));
}

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
fn flows_are_counted_as_ipvs_counts_them() {
    let mut site = Site::new();
    site.bring(Scheduler::Rr, &[(2, 1)]);
    for (port, flags) in [
        (1, &[SYN][..]),
        (2, &[SYN, ACK]),
        (3, &[SYN, ACK, FIN | ACK]),
        (4, &[SYN, RST]),
    ] {
        for &flags in flags {
            site.send(port, flags).unwrap();
        }
    }
    site.sweep();
    assert_eq!(
        site.flows(2),
        Flows {
            active: 2,
            inactive: 2,
            ..Flows::default()
        }
    );
    site.pass(11);
    site.sweep();
    assert_eq!(
        site.flows(2),
        Flows {
            active: 2,
            inactive: 1,
            ..Flows::default()
        },
        "CLOSE: 10 s"
    );
    site.pass(50);
    site.sweep();
    assert_eq!(
        site.flows(2),
        Flows {
            active: 1,
            inactive: 1,
            ..Flows::default()
        },
        "SYN_RECV: 60 s"
    );
    site.pass(60);
    site.sweep();
    assert_eq!(
        site.flows(2),
        Flows {
            active: 1,
            inactive: 0,
            ..Flows::default()
        },
        "FIN_WAIT: 120 s"
    );
    site.pass(780);
    site.sweep();
    assert_eq!(site.flows(2), Flows::default(), "ESTABLISHED: 900 s");
}

/// A sweep takes a while, in which packets come; by their clock it began in the past.
#[test]
fn a_sweep_that_is_behind_clears_no_record() {
    let mut site = Site::new();
    site.bring(Scheduler::Rr, &[(2, 1), (3, 1)]);
    for port in 1..=10 {
        site.send(port, SYN).unwrap();
        site.send(port, ACK).unwrap();
    }
    site.now -= 1;
    assert_eq!(site.sweep(), 10);
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

#[test]
fn another_daemon_finds_everything_in_the_tables() {
    let mut site = Site::new();
    site.bring(Scheduler::Mh, &[(2, 1), (3, 1), (4, 1)]);
    let homes: Vec<(u16, u8)> = (1..=300)
        .map(|port| (port, site.send(port, SYN).unwrap()))
        .collect();
    site.bring(Scheduler::Mh, &[(2, 1), (3, 1)]);
    site.installed = Installed::of(&site.tables);
    assert_eq!(site.members(), [2, 3, 4], "4 still has flows");
    site.bring(Scheduler::Mh, &[(2, 1), (3, 1)]);
    for (port, home) in homes {
        assert_eq!(site.send(port, ACK), Ok(home), "port {port}");
    }
    site.pass(ESTABLISHED + 1);
    site.sweep();
    site.sweep();
    assert_eq!(site.members(), [2, 3]);
}

#[test]
fn nothing_is_left_of_a_service_that_is_removed() {
    let mut site = Site::new();
    for round in 0..50 {
        for scheduler in [Scheduler::Mh, Scheduler::Rr] {
            site.bring(scheduler, &[(2, 1), (3, 1), (4, 1)]);
            site.send(round + 1, SYN).unwrap();
        }
        site.installed.remove(&site.tables, service(), site.now);
        assert_eq!(site.send(round + 1, ACK), Err(Reason::NoService));
        assert!(site.installed.is_to_be_swept());
        site.pass(3);
        assert_eq!(site.sweep(), 0, "records of members that are gone");
    }
    // As many again as fit would not, had any been lost.
    site.bring(Scheduler::Mh, &[(2, 1), (3, 1), (4, 1)]);
    assert_eq!(site.members(), [2, 3, 4]);
}

#[test]
fn limits_are_named_and_what_was_stays() {
    let mut site = Site::new();
    site.bring(Scheduler::Rr, &[(2, 1), (3, 1)]);
    let many: Vec<(u8, u32)> = (2..40).map(|host| (host, 1)).collect();
    let error = site.try_bring(Scheduler::Rr, &many).unwrap_err();
    assert!(error.contains("`members_max` is 15"), "{error}");
    assert_eq!([site.send(1, SYN), site.send(2, SYN)], [Ok(2), Ok(3)]);
    for (port, expected) in [(81, true), (82, true), (83, false)] {
        let name = format!("tcp/192.0.2.1:{port}").parse().unwrap();
        let wanted = Wanted {
            name,
            also: Vec::new(),
            scheduler: Scheduler::Mh,
            flags: Vec::new(),
            policy: site.policy,
            members: Vec::new(),
        };
        let now = site.now;
        let brought = site
            .installed
            .bring(&site.tables, &wanted, now, &mut Vec::new());
        assert_eq!(brought.is_ok(), expected, "{port}: {brought:?}");
        if let Err(error) = brought {
            assert!(error.to_string().contains("`services_max` is 3"), "{error}");
        }
    }
}
