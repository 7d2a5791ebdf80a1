//! VIPs and RIPs where they should be, and where they should not.

use std::net::IpAddr;

use super::{finding::Finding, seen::Seen, site::Site};
use crate::{dataplane::pins::Role, net::addresses::Address};

pub(super) fn check(site: &Site, seen: &Seen) -> Vec<Finding> {
    let vips = site.vips.iter();
    match site.role {
        Role::RealServer => vips
            .flat_map(|vip| on_real_server(*vip, site, seen))
            .collect(),
        Role::Director => {
            let reals = site
                .reals
                .iter()
                .filter_map(|rip| on_link(*rip, site, seen));
            let wide = vips.clone().filter_map(|vip| wide_on_lo(*vip, seen));
            let missing = vips.filter_map(|vip| missing_on_director(*vip, site, seen));
            reals.chain(wide).chain(missing).collect()
        }
    }
}

fn on_real_server(vip: IpAddr, site: &Site, seen: &Seen) -> Vec<Finding> {
    let mut findings: Vec<Finding> = wide_on_lo(vip, seen).into_iter().collect();
    for (link, address) in seen.holders(vip).filter(|(link, _)| !link.is_loopback) {
        let (net, name) = (address.net, &link.name);
        let what = format!("is on {name}, as {net}");
        let take_off = format!("ip addr del {net} dev {name}");
        findings.push(match is_alone(address) {
            // attach refuses it: it may be by which the host is reached.
            false => Finding::error("vip-on-interface", vip, what)
                .why("With its subnet it is an address of the host's own, and no VIP; the RIP is to be another.")
                .fix(take_off),
            true => Finding::note("vip-on-interface", vip, what)
                .why("On lo no other host is asked whether it has it, and nothing but the companion can tell of it.")
                .fix(take_off),
        });
    }
    let attached = site.companion.vips.iter().any(|it| it.vip == vip);
    if attached && !seen.holders(vip).any(|(link, _)| link.is_loopback) {
        findings.push(
            Finding::error("vip-missing", vip, "is not on lo")
                .why("Packets that the director sends are not this host's, so it does not take them.")
                .fix(site.command("realserver attach")),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok("vip", vip, "is where it should be"));
    }
    findings
}

fn wide_on_lo(vip: IpAddr, seen: &Seen) -> Option<Finding> {
    let mut on_lo = seen.holders(vip).filter(|(link, _)| link.is_loopback);
    let (_, wide) = on_lo.find(|(_, address)| !is_alone(address))?;
    let net = wide.net;
    Some(
        Finding::error("vip-wide", vip, format!("is on lo as {net}"))
            .why("The whole subnet is this host's own: it reaches nobody there.")
            .fix(format!("ip addr del {net} dev lo")),
    )
}

/// One that the daemon is to put in place is looked at with the daemon.
fn missing_on_director(vip: IpAddr, site: &Site, seen: &Seen) -> Option<Finding> {
    if seen.holds(vip) {
        return Some(Finding::ok("vip", vip, "is on this host"));
    }
    if site.owns_vips {
        return None;
    }
    Some(
        Finding::note("vip", vip, "is not on this host")
            .why("The file leaves that to something else (vip = \"external\"): right for a director that stands by."),
    )
}

fn on_link(rip: IpAddr, site: &Site, seen: &Seen) -> Option<Finding> {
    // Where nothing is listed, nothing is known.
    if site.interfaces.is_empty() {
        return None;
    }
    if seen.holds(rip) {
        return Some(
            Finding::error("rip", rip, "is this director's own address")
                .why("A director does not send packets to itself; the daemon refuses the file."),
        );
    }
    let listed = site.interfaces.join(", ");
    Some(match seen.port_of(site, rip) {
        Some(port) => Finding::ok("rip", rip, format!("is on the link of {}", port.name)),
        None => Finding::error(
            "rip",
            rip,
            format!("is in no subnet of {listed} that is up"),
        )
        .why("Direct routing reaches a real server by its MAC, on a common segment or VLAN."),
    })
}

fn is_alone(address: &Address) -> bool {
    address.net.prefix_len() == address.net.max_prefix_len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{
        finding::Severity::{self, Error, Note, Ok},
        testing::{self, ip},
    };

    #[test]
    fn a_real_server_has_its_vip_on_lo_alone() {
        let vip = "10.0.0.100";
        for (on_lo, on_eth0, want) in [
            (
                &["10.0.0.100/32"][..],
                &["10.0.0.2/24"][..],
                &[("vip", Ok)][..],
            ),
            (&["10.0.0.100/24"], &["10.0.0.2/24"], &[("vip-wide", Error)]),
            (&[], &["10.0.0.100/32"], &[("vip-on-interface", Note)]),
            (&[], &["10.0.0.100/24"], &[("vip-on-interface", Error)]),
        ] {
            let site = testing::site(Role::RealServer);
            let found = on_real_server(ip(vip), &site, &testing::seen(on_lo, on_eth0));
            let found: Vec<(&str, Severity)> =
                found.into_iter().map(|it| (it.id, it.severity)).collect();
            assert_eq!(found, want, "{on_lo:?} {on_eth0:?}");
        }
    }

    #[test]
    fn a_director_s_real_servers_are_on_its_links() {
        let seen = testing::seen(&["127.0.0.1/8"], &["10.0.0.5/24", "10.9.0.9/32"]);
        let site = testing::site(Role::Director);
        for (rip, severity) in [
            ("10.0.0.2", Ok),
            ("10.1.0.2", Error),
            ("10.0.0.5", Error),
            ("10.9.0.9", Error),
        ] {
            let found = on_link(ip(rip), &site, &seen).unwrap();
            assert_eq!(found.severity, severity, "{rip}");
        }
    }
}
