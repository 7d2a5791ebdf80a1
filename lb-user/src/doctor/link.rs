//! The listed interfaces: that they are there, up, and see the frames that they are listed for.

use netlink_packet_route::link::BondMode;

use super::{finding::Finding, seen::Seen, site::Site};
use crate::{
    config::{realserver::Hook, suggested},
    dataplane::{director::Mode, pins::Role},
    net::links::Link,
};

pub(super) fn check(site: &Site, seen: &Seen) -> Vec<Finding> {
    let names = site.interfaces.iter();
    names.flat_map(|name| judge(name, site, seen)).collect()
}

fn judge(name: &str, site: &Site, seen: &Seen) -> Vec<Finding> {
    let Some(link) = seen.named(name) else {
        let others = seen.links.iter().filter(|link| !link.is_loopback);
        let names: Vec<&str> = others.map(|link| link.name.as_str()).collect();
        let what = format!("is not there; {}", suggested(name, &names));
        return vec![
            Finding::error("interface", name, what)
                .why("It is listed, and nothing comes in by it."),
        ];
    };
    let mut findings = vec![is_up(link)];
    findings.extend(master(link, seen));
    findings.extend(bond(link, site));
    findings.extend(other_program(link, site));
    findings
}

fn is_up(link: &Link) -> Finding {
    let name = &link.name;
    if link.is_loopback || link.mac.is_none() {
        return Finding::error("interface", name, "is not Ethernet")
            .why("Direct routing rewrites MAC addresses; list the interface that faces the LAN.");
    }
    if !link.is_up {
        return Finding::error("interface", name, "is down")
            .why("Nothing comes in or goes out by it.")
            .fix(format!("ip link set {name} up"));
    }
    if !link.has_carrier {
        return Finding::error("interface", name, "has no carrier")
            .why("Nothing comes in or goes out by it; see the cable, or the switch.");
    }
    Finding::ok("interface", name, "is up")
}

/// Of a port, the host's addresses and its neighbours are its master's.
fn master(link: &Link, seen: &Seen) -> Option<Finding> {
    let master = seen.link(link.master?)?;
    let (id, kind) = match master.kind.as_str() {
        "bond" => ("bond-port", "bond"),
        "bridge" => ("bridge-port", "bridge"),
        _ => return None,
    };
    let what = format!("is a port of the {kind} {}", master.name);
    let why = format!(
        "The host's addresses and neighbours are those of {}: list it as interface, in place of {}.",
        master.name, link.name
    );
    Some(Finding::error(id, &link.name, what).why(why))
}

/// In which modes a bond takes native XDP: `bond_xdp_check` of drivers/net/bonding/bond_main.c.
fn bond(link: &Link, site: &Site) -> Option<Finding> {
    let mode = link.bond?;
    let takes_xdp = matches!(
        mode,
        BondMode::BalanceRr | BondMode::ActiveBackup | BondMode::BalanceXor | BondMode::Ieee8023Ad
    );
    let what = format!("is a bond in mode {mode}");
    if takes_xdp {
        return Some(Finding::ok("bond-mode", &link.name, what));
    }
    let why = "A bond takes native XDP in the modes balance-rr, active-backup, balance-xor and 802.3ad alone";
    Some(match is_native(site) {
        Some(true) => {
            Finding::error("bond-mode", &link.name, what).why(format!("{why}: it is refused."))
        }
        Some(false) => Finding::warning("bond-mode", &link.name, what).why(format!(
            "{why}: here the program runs in the stack, more slowly."
        )),
        None => Finding::ok("bond-mode", &link.name, what),
    })
}

/// Whether native XDP is demanded, or just tried; `None`: neither.
pub(super) fn is_native(site: &Site) -> Option<bool> {
    match (site.role, site.xdp, site.hook) {
        (Role::Director, Mode::Generic, _) | (Role::RealServer, _, Hook::Tc) => None,
        (Role::Director, Mode::Native, _) | (Role::RealServer, _, Hook::Xdp) => Some(true),
        (Role::Director, Mode::Auto, _) | (Role::RealServer, _, Hook::Auto) => Some(false),
    }
}

/// Before drover's own is there.
fn other_program(link: &Link, site: &Site) -> Option<Finding> {
    let xdp = link.xdp?;
    let companion = site.companion.interfaces.iter();
    let is_companions = companion
        .filter(|it| it.interface == link.name)
        .any(|it| it.ingress.as_deref() == Some("xdp"));
    if is_companions || site.attached.contains(&link.name) {
        return None;
    }
    let what = format!("has another XDP program, number {}", xdp.program);
    let fix = format!("ip link set dev {} xdp off", link.name);
    let finding = match (site.role, is_native(site)) {
        (Role::Director, _) => Finding::error("other-xdp", &link.name, what)
            .why("drover's cannot be attached beside it."),
        (Role::RealServer, Some(true)) => Finding::error("other-xdp", &link.name, what)
            .why("The companion's cannot be attached beside it, and hook is \"xdp\"."),
        (Role::RealServer, _) => Finding::note("other-xdp", &link.name, what)
            .why("It sees requests for the VIP first; the companion uses tc."),
    };
    Some(finding.fix(fix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{
        finding::Severity::{self, Error, Ok, Warning},
        testing::{self, link},
    };

    #[test]
    fn a_bond_in_a_mode_without_xdp_is_told() {
        for (mode, xdp, severity) in [
            (BondMode::BalanceRr, Mode::Auto, Ok),
            (BondMode::ActiveBackup, Mode::Native, Ok),
            (BondMode::Ieee8023Ad, Mode::Auto, Ok),
            (BondMode::BalanceXor, Mode::Auto, Ok),
            (BondMode::BalanceAlb, Mode::Auto, Warning),
            (BondMode::BalanceTlb, Mode::Native, Error),
            (BondMode::Broadcast, Mode::Generic, Ok),
        ] {
            let site = Site {
                xdp,
                ..testing::site(Role::Director)
            };
            let bond = Link {
                bond: Some(mode),
                ..link("eth0")
            };
            let found = super::bond(&bond, &site).map(|it| it.severity);
            assert_eq!(found, Some(severity), "{mode} {xdp:?}");
        }
    }

    #[test]
    fn an_interface_that_sees_no_frames_is_told() {
        let bond = Link {
            index: 7,
            kind: "bond".into(),
            ..link("bond0")
        };
        let port = Link {
            master: Some(7),
            ..link("eth0")
        };
        let down = Link {
            is_up: false,
            ..link("eth0")
        };
        let unplugged = Link {
            has_carrier: false,
            ..link("eth0")
        };
        let lo = Link {
            is_loopback: true,
            ..link("eth0")
        };
        for (links, want) in [
            (vec![link("eth0")], &[("interface", Ok)][..]),
            (vec![link("eth1")], &[("interface", Error)]),
            (vec![down], &[("interface", Error)]),
            (vec![unplugged], &[("interface", Error)]),
            (vec![lo], &[("interface", Error)]),
            (vec![port, bond], &[("interface", Ok), ("bond-port", Error)]),
        ] {
            let seen = Seen {
                links,
                ..Seen::default()
            };
            let found = check(&testing::site(Role::Director), &seen).into_iter();
            let found: Vec<(&str, Severity)> = found.map(|it| (it.id, it.severity)).collect();
            assert_eq!(found, want, "{:?}", seen.links);
        }
    }
}
