//! Real servers' MACs: one each, and each another.

use std::{collections::BTreeMap, net::IpAddr};

use lb_common::wire::MacAddr;

use super::{
    finding::Finding,
    heard::{ASKED_MAX, Heard},
    seen::Seen,
    site::Site,
};

pub(super) fn check(site: &Site, seen: &Seen, heard: &Heard) -> Vec<Finding> {
    if let Some(error) = &heard.error {
        return vec![Finding::note(
            "neighbours",
            "the LAN",
            format!("could not be asked: {error}"),
        )];
    }
    let asked = site.reals.iter().filter(|rip| heard.asked.contains(rip));
    let mut findings: Vec<Finding> = asked.map(|rip| judge(*rip, seen, heard)).collect();
    findings.extend(shared(site, seen, heard));
    if heard.asked.len() >= ASKED_MAX {
        let what = format!("was asked for the first {ASKED_MAX} addresses alone");
        findings.push(Finding::note("neighbours", "the LAN", what));
    }
    findings
}

fn judge(rip: IpAddr, seen: &Seen, heard: &Heard) -> Finding {
    let asks = match rip {
        IpAddr::V4(_) => "ARP",
        IpAddr::V6(_) => "Neighbor Discovery",
    };
    let mut macs: Vec<MacAddr> = heard
        .of(rip, seen)
        .into_iter()
        .map(|(_, mac)| mac)
        .collect();
    macs.sort();
    macs.dedup();
    match macs.as_slice() {
        [] if heard.permanent.contains(&rip) => {
            Finding::ok("rip-mac", rip, "has a MAC that was set by hand")
        }
        [] => Finding::warning("rip-mac", rip, format!("nobody answers {asks} for it"))
            .why("The real server is down, or the RIP is wrong; it gets no new connections."),
        [mac] => Finding::ok("rip-mac", rip, format!("is at {mac}")),
        macs => {
            let macs: Vec<String> = macs.iter().map(ToString::to_string).collect();
            Finding::error("rip-twice", rip, format!("is at {}", macs.join(" and at ")))
                .why("Two hosts have the address: connections go now to this one, now to that one.")
        }
    }
}

/// Addresses of one version at one MAC: a host with several, or a proxy that answers for others.
fn shared(site: &Site, seen: &Seen, heard: &Heard) -> Vec<Finding> {
    let mut at: BTreeMap<(bool, MacAddr), Vec<String>> = BTreeMap::new();
    for &rip in &site.reals {
        let mut macs: Vec<MacAddr> = heard
            .of(rip, seen)
            .into_iter()
            .map(|(_, mac)| mac)
            .collect();
        macs.dedup();
        for mac in macs {
            at.entry((rip.is_ipv4(), mac))
                .or_default()
                .push(rip.to_string());
        }
    }
    let shared = at.into_iter().filter(|(_, rips)| rips.len() > 1);
    let told = shared.map(|((_, mac), rips)| {
        Finding::note("rip-shared", mac, format!("has {}", rips.join(", ")))
            .why("One host with several addresses, or one that answers for others (proxy_arp): it takes all their connections.")
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dataplane::pins::Role,
        doctor::testing::{self, ip, mac},
    };

    #[test]
    fn a_real_server_has_one_mac_that_is_its_own() {
        let (two, three) = ("10.0.0.2", "10.0.0.3");
        for (claims, permanent, want) in [
            (
                &[(two, 2), (three, 3)][..],
                &[][..],
                &["rip-mac ok", "rip-mac ok"][..],
            ),
            (&[(two, 2)], &[], &["rip-mac ok", "rip-mac warning"]),
            (&[(two, 2)], &[three], &["rip-mac ok", "rip-mac ok"]),
            (
                &[(two, 2), (two, 9), (three, 3)],
                &[],
                &["rip-twice error", "rip-mac ok"],
            ),
            (
                &[(two, 2), (three, 2)],
                &[],
                &["rip-mac ok", "rip-mac ok", "rip-shared note"],
            ),
            // What this host says itself.
            (
                &[(two, 2), (three, 3), (two, 5)],
                &[],
                &["rip-mac ok", "rip-mac ok"],
            ),
        ] {
            let reals = [ip(two), ip(three)];
            let site = Site {
                reals: reals.into(),
                ..testing::site(Role::Director)
            };
            let heard = Heard {
                claims: claims
                    .iter()
                    .map(|(rip, by)| (ip(rip), 2, mac(*by)))
                    .collect(),
                permanent: permanent.iter().map(|rip| ip(rip)).collect(),
                asked: reals.into(),
                error: None,
            };
            let found = check(&site, &testing::seen(&[], &[]), &heard).into_iter();
            let found: Vec<String> = found
                .map(|it| format!("{} {}", it.id, it.severity.name()))
                .collect();
            assert_eq!(found, want, "{claims:?} {permanent:?}");
        }
    }
}
