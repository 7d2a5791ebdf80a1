use std::time::Duration;

use super::*;
use crate::cli::rates::{rates, tests::service};

const WEB: &str = "tcp/192.0.2.1:80";
const DNS: &str = "udp/192.0.2.1:53";

/// After a second: 10.0.0.1 of web has 30 packets, .2 has 20 and is down, .3 is new; of DNS .1 has 90.
fn found(column: Column, inverted: bool, filter: &str, with_reals: bool) -> Vec<String> {
    let before = [
        service(WEB, &[("10.0.0.1", 0), ("10.0.0.2", 0)]),
        service(DNS, &[("10.0.0.1", 0)]),
    ];
    let mut now = [
        service(
            WEB,
            &[("10.0.0.3", 999), ("10.0.0.2", 20), ("10.0.0.1", 30)],
        ),
        service(DNS, &[("10.0.0.1", 90)]),
    ];
    now[0].reals[1].state = State::Down;
    now[0].reals[1].slots = 0;
    let rates = rates(&before, &now, Duration::from_secs(1));
    let order = Order { column, inverted };
    let rows = rows(&now, &rates, order, (filter, with_reals));
    rows.iter()
        .map(|row| match row.address {
            None => row.name[..3].to_owned(),
            Some(_) => row.name[7..].to_owned(),
        })
        .collect()
}

#[test]
fn rows_are_in_the_order_of_a_column() {
    for (column, inverted, expected) in [
        (Column::Packets, false, ["udp", "1", "tcp", "1", "2", "3"]),
        (Column::Packets, true, ["tcp", "2", "1", "3", "udp", "1"]),
        (Column::Name, false, ["tcp", "1", "2", "3", "udp", "1"]),
        (Column::Name, true, ["udp", "1", "tcp", "3", "2", "1"]),
        (Column::State, false, ["tcp", "2", "1", "3", "udp", "1"]),
        (Column::Slots, false, ["tcp", "1", "3", "2", "udp", "1"]),
    ] {
        let found = found(column, inverted, "", true);
        assert_eq!(found, expected, "{column:?}, inverted: {inverted}");
    }
}

#[test]
fn a_filter_leaves_what_it_finds_and_its_service() {
    for (filter, with_reals, expected) in [
        ("TCP", true, &["tcp", "1", "2", "3"][..]),
        ("down", true, &["tcp", "2"]),
        ("0.0.1", true, &["udp", "1", "tcp", "1"]),
        ("0.0.3", false, &["tcp"]),
        ("nothing", true, &[]),
        ("", false, &["udp", "tcp"]),
    ] {
        let found = found(Column::Packets, false, filter, with_reals);
        assert_eq!(found, expected, "{filter}");
    }
}

#[test]
fn a_service_is_as_good_as_its_real_servers() {
    let mut report = service(WEB, &[("10.0.0.1", 0), ("10.0.0.2", 0)]);
    let row = |report: &ServiceReport| {
        let order = Order {
            column: Column::Name,
            inverted: false,
        };
        let mut rows = rows(
            std::slice::from_ref(report),
            &HashMap::new(),
            order,
            ("", true),
        );
        (rows.remove(0), rows)
    };
    let (all, reals) = row(&report);
    assert_eq!((all.state.as_str(), all.mood), ("2/2", Mood::Good));
    assert_eq!(reals[0].share, Some(50.));
    report.reals[0].state = State::Draining;
    let (some, _) = row(&report);
    assert_eq!((some.state.as_str(), some.mood), ("1/2", Mood::Restricted));
    report.has_quorum = false;
    report.reals[1].active = None;
    report.reals[0].reason = Some("a\x1b[2Jb".to_owned());
    let (lost, reals) = row(&report);
    assert_eq!((lost.mood, lost.active), (Mood::Bad, None));
    assert_eq!(lost.reason.as_deref(), Some("quorum lost"));
    assert_eq!(reals[0].reason.as_deref(), Some("a\u{fffd}[2Jb"));
}
