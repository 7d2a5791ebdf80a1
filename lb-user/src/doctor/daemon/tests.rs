use super::*;
use crate::{
    dataplane::pins::Role,
    doctor::{
        finding::Severity::{self, Error, Note, Ok, Warning},
        testing,
    },
    net::ethtool::Driver,
};

#[test]
fn interfaces_are_as_the_daemon_says() {
    for (xdp, features, mode, severity) in [
        ("native", Xdp::BASIC, Mode::Auto, Ok),
        ("generic", 0, Mode::Auto, Ok),
        ("generic", Xdp::BASIC, Mode::Generic, Ok),
        ("generic", Xdp::BASIC, Mode::Auto, Warning),
        ("detached", Xdp::BASIC, Mode::Auto, Error),
        ("another program", 0, Mode::Auto, Error),
        ("down", 0, Mode::Auto, Error),
        ("missing", 0, Mode::Auto, Error),
    ] {
        let site = Site {
            xdp: mode,
            ..testing::site(Role::Director)
        };
        let mut seen = testing::seen(&[], &[]);
        let driver = Driver {
            xdp: Some(Xdp(features)),
            ..Driver::default()
        };
        seen.drivers.insert(2, driver);
        let report = InterfaceReport {
            name: "eth0".into(),
            xdp: xdp.into(),
            mac: None,
            addresses: Vec::new(),
        };
        assert_eq!(
            interface(&report, &site, &seen).severity,
            severity,
            "{xdp} {mode:?}"
        );
    }
}

#[test]
fn tables_that_are_nearly_full_and_other_versions_are_told() {
    let mut status = status();
    let severities = |status: &Status| {
        let found = tables(status).into_iter();
        found.map(|it| it.severity).collect::<Vec<Severity>>()
    };
    assert_eq!(severities(&status), [Ok, Ok, Ok]);
    status.members.used = 899;
    status.flows.used = 900;
    assert_eq!(severities(&status), [Ok, Ok, Warning]);
    assert_eq!(version(&status).severity, Ok);
    status.version = "0.0.9".into();
    assert_eq!(version(&status).severity, Warning);
}

#[test]
fn a_daemon_that_is_silent_matters_once_something_is_attached() {
    let mut site = testing::site(Role::Director);
    assert_eq!(silent(&site, "no daemon").severity, Note);
    site.attached.push("eth0".into());
    assert_eq!(silent(&site, "no daemon").severity, Error);
}

#[test]
fn vips_that_the_daemon_is_to_put_there_are_missed() {
    let seen = testing::seen(&[], &["10.0.0.100/32"]);
    for (owns_vips, want) in [(true, &["2001:db8::100"][..]), (false, &[])] {
        let site = Site {
            owns_vips,
            ..testing::site(Role::Director)
        };
        let found = missing_vips(&site, &seen).into_iter();
        let subjects: Vec<String> = found.map(|it| it.subject).collect();
        assert_eq!(subjects, want);
    }
}

fn status() -> Status {
    let of = |most| Used { used: 1, most };
    Status {
        version: env!("CARGO_PKG_VERSION").into(),
        pid: 1,
        config: String::new(),
        pins: String::new(),
        vip: "own".into(),
        interfaces: Vec::new(),
        services: of(1000),
        members: of(1000),
        flows: of(1000),
        flow_octets: 16,
        memory: 0,
        unconfirmed: None,
        fwmarks: crate::config::fwmarks::Fwmarks::default(),
        leaks: Vec::new(),
        leaks_more: 0,
        reasons: std::collections::BTreeMap::new(),
    }
}
