//! Whether a real server keeps quiet about its VIPs: by the companion, or as operators did before it.

use std::net::IpAddr;

use super::{finding::Finding, seen::Seen, site::Site, sysctl::variable};
use crate::{dataplane::pins::Role, net::links::Link};

const ID: &str = "companion";

pub(super) fn check(site: &Site, seen: &Seen) -> Vec<Finding> {
    let has_vips = !site.companion.vips.is_empty();
    match site.role {
        Role::Director => both_roles(site),
        Role::RealServer if site.vips.is_empty() && !has_vips => Vec::new(),
        Role::RealServer => {
            let ethernet = seen.links.iter().filter(|it| !it.is_loopback && it.is_up);
            let quiet = ethernet.filter(|it| !it.is_noarp && it.mac.is_some());
            quiet.filter_map(|link| judge(link, site, seen)).collect()
        }
    }
}

fn judge(link: &Link, site: &Site, seen: &Seen) -> Option<Finding> {
    let name = &link.name;
    let attach = site.command("realserver attach");
    let mut attached = site.companion.interfaces.iter();
    if let Some(attached) = attached.find(|it| it.interface == *name) {
        if attached.problems.is_empty() {
            return Some(Finding::ok(ID, name, "keeps quiet about the VIPs"));
        }
        return Some(
            Finding::error(ID, name, attached.problems.join("; "))
                .why(
                    "The host may be heard to have the VIP, and clients then pass the director by.",
                )
                .fix(attach),
        );
    }
    let is_listed = site.interfaces.contains(name);
    let told = answers(link, site, seen);
    if told.is_empty() {
        return is_listed.then(|| match site.vips.iter().any(|vip| seen.holds(*vip)) {
            true => Finding::note(
                ID,
                name,
                "is not attached; this host is quiet by its variables",
            )
            .why("arp_ignore and arp_announce do for ARP what the companion does.")
            .fix(attach),
            false => Finding::note(ID, name, "is not attached, and the VIP is not here")
                .why("attach does both, in the right order.")
                .fix(attach),
        });
    }
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    let what = format!(
        "is not attached, and this host says to have {}",
        told.join(", ")
    );
    let why = "Clients that hear it pass the director by: all of them come here.";
    if is_listed {
        return Some(Finding::error(ID, name, what).why(why).fix(attach));
    }
    let name = variable(name);
    let variables =
        format!("net.ipv4.conf.{name}.arp_ignore=1 net.ipv4.conf.{name}.arp_announce=2");
    Some(
        Finding::warning(
            "unlisted",
            &link.name,
            format!(
                "is not listed, and this host says to have {} there",
                told.join(", ")
            ),
        )
        .why("Should the director's LAN, or its clients, be there, too, they pass the director by.")
        .fix(format!("sysctl -w {variables}")),
    )
}

/// The VIPs that this host answers for, or asks in the name of, on an interface without the companion. Of
/// IPv6 it does for addresses of that interface alone.
fn answers(link: &Link, site: &Site, seen: &Seen) -> Vec<IpAddr> {
    let ignores = seen.variable(&link.name, "arp_ignore") > 0;
    let announces_own = seen.variable(&link.name, "arp_announce") == 2;
    let answers = |vip: &&IpAddr| {
        let mut on = seen.holders(**vip).map(|(on, _)| on.index);
        match on.clone().any(|index| index == link.index) {
            true => true,
            false => vip.is_ipv4() && on.next().is_some() && !(ignores && announces_own),
        }
    };
    site.vips.iter().filter(answers).copied().collect()
}

fn both_roles(site: &Site) -> Vec<Finding> {
    let quiet = site
        .companion
        .vips
        .iter()
        .filter(|it| site.vips.contains(&it.vip));
    let told = quiet.map(|it| {
        let what = format!("the companion keeps {} quiet about it", it.interface);
        Finding::error("both-roles", it.vip, what)
            .why("It drops the requests that this director has to answer; a host has one role for a VIP.")
            .fix(site.command("realserver detach"))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{
        finding::Severity::{self, Error, Note, Warning},
        testing,
    };

    #[test]
    fn who_answers_for_the_vip_is_told() {
        let (vip, vip6) = ("10.0.0.100/32", "2001:db8::100/128");
        for (on_lo, on_eth0, ignore, announce, listed, want) in [
            (&[][..], &[][..], 0, 0, true, &[(ID, Note)][..]),
            (&[vip], &[], 0, 0, true, &[(ID, Error)]),
            (&[vip], &[], 1, 0, true, &[(ID, Error)]),
            (&[vip], &[], 1, 1, true, &[(ID, Error)]),
            (&[vip], &[], 1, 2, true, &[(ID, Note)]),
            (&[], &[vip], 1, 2, true, &[(ID, Error)]),
            (&[vip6], &[], 0, 0, true, &[(ID, Note)]),
            (&[], &[vip6], 1, 2, true, &[(ID, Error)]),
            (&[vip], &[], 0, 0, false, &[("unlisted", Warning)]),
            (&[vip], &[], 1, 2, false, &[]),
        ] {
            let mut site = testing::site(Role::RealServer);
            if !listed {
                site.interfaces = vec!["eth1".into()];
            }
            let mut seen = testing::seen(on_lo, on_eth0);
            let variables = [("arp_ignore", ignore), ("arp_announce", announce)].into_iter();
            seen.variables = variables
                .map(|(name, value)| (format!("ipv4/conf/all/{name}"), value))
                .collect();
            let found = check(&site, &seen).into_iter();
            let found: Vec<(&str, Severity)> = found.map(|it| (it.id, it.severity)).collect();
            assert_eq!(
                found, want,
                "{on_lo:?} {on_eth0:?} {ignore} {announce} {listed}"
            );
        }
    }
}
