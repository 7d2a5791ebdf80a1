//! Which member a new flow is given.

use std::collections::{HashMap, HashSet};

use lb_common::reason::Reason;
use lb_user::scheduler::{Flag, Scheduler};
use tests::frames::{ACK, SYN};

use crate::site::{ESTABLISHED, Site};

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
