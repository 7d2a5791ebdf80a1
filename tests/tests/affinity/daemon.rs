//! What the daemon counts, finds again, and leaves behind.

use lb_common::reason::Reason;
use lb_user::{
    install::{Flows, Installed, Wanted},
    scheduler::Scheduler,
};
use tests::frames::{ACK, FIN, RST, SYN};

use crate::site::{ESTABLISHED, Site, service};

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
