//! What drivers do with frames before XDP sees them.

use super::{finding::Finding, seen::Seen, site::Site};
use crate::{dataplane::pins::Role, net::links::Link};

pub(super) fn check(site: &Site, seen: &Seen) -> Vec<Finding> {
    if site.role != Role::Director {
        return Vec::new();
    }
    let listed = seen.listed(site);
    listed.flat_map(|link| judge(link, seen)).collect()
}

fn judge(link: &Link, seen: &Seen) -> Vec<Finding> {
    let Some(driver) = seen
        .drivers
        .get(&link.index)
        .filter(|it| !it.offloads.is_empty())
    else {
        return Vec::new();
    };
    let name = &link.name;
    let is_on = |offload: &str| driver.offloads.contains(offload);
    let merged = "What it makes of several segments is larger than any link takes, and nobody may forward it: \
                  uploads are slow. Most drivers switch it off for native XDP.";
    let mut findings = Vec::new();
    if is_on("rx-lro") {
        findings.push(
            Finding::warning("lro", name, "the driver merges segments (LRO)")
                .why(merged)
                .fix(format!("ethtool -K {name} lro off")),
        );
    }
    if is_on("rx-gro-hw") {
        findings.push(
            Finding::warning(
                "gro-hw",
                name,
                "the device merges segments (GRO in hardware)",
            )
            .why(merged)
            .fix(format!("ethtool -K {name} rx-gro-hw off")),
        );
    }
    let mut vlans = seen.links.iter();
    let vlan = vlans.find(|it| it.vlan_of == Some(link.index));
    if let Some(vlan) = vlan.filter(|_| is_on("rx-vlan-hw-parse")) {
        let what = format!(
            "the device takes tags off, and {} is a VLAN of it",
            vlan.name
        );
        findings.push(
            Finding::error("rxvlan", name, what)
                .why("XDP sees frames of the VLAN without their tag, and sends them back without.")
                .fix(format!("ethtool -K {name} rxvlan off txvlan off")),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok("offloads", name, "leave frames as they came"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{doctor::testing, net::ethtool::Driver};

    #[test]
    fn offloads_that_change_frames_are_told() {
        for (on, has_vlan, want) in [
            (&["rx-gro"][..], false, &["offloads"][..]),
            (&[], false, &[]),
            (&["rx-lro"], false, &["lro"]),
            (&["rx-gro-hw", "rx-lro"], false, &["lro", "gro-hw"]),
            (&["rx-vlan-hw-parse"], false, &["offloads"]),
            (&["rx-vlan-hw-parse"], true, &["rxvlan"]),
            (&["tx-vlan-hw-insert"], true, &["offloads"]),
        ] {
            let mut seen = testing::seen(&[], &[]);
            let driver = Driver {
                offloads: on.iter().map(ToString::to_string).collect(),
                ..Driver::default()
            };
            seen.drivers.insert(2, driver);
            if has_vlan {
                seen.links.push(Link {
                    index: 3,
                    vlan_of: Some(2),
                    ..testing::link("eth0.5")
                });
            }
            let found = check(&testing::site(Role::Director), &seen);
            let found: Vec<&str> = found.iter().map(|it| it.id).collect();
            assert_eq!(found, want, "{on:?} {has_vlan}");
            assert!(check(&testing::site(Role::RealServer), &seen).is_empty());
        }
    }
}
