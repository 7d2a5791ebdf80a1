//! The kernel's variables that decide whether packets for a VIP are taken.

use std::collections::BTreeSet;

use super::{finding::Finding, seen::Seen, site::Site};
use crate::{dataplane::pins::Role, net::links::Link};

pub(super) fn check(site: &Site, seen: &Seen) -> Vec<Finding> {
    let mut findings = ipv6(site, seen);
    if site.role == Role::RealServer {
        let listed = seen.listed(site);
        findings.extend(listed.map(|link| reverse_path(link, seen)));
    }
    findings
}

/// A strict filter (RFC 3704) takes a packet only if it would answer by the same interface.
fn reverse_path(link: &Link, seen: &Seen) -> Finding {
    let name = &link.name;
    let mode = seen.variable(name, "rp_filter");
    let way_out = seen.way_out.and_then(|index| seen.link(index));
    if mode != 1 || way_out.is_some_and(|out| out.index == link.index) {
        let what = "clients' packets pass the reverse path filter";
        return Finding::ok("rp-filter", name, what);
    }
    let what = match way_out {
        Some(out) => format!(
            "rp_filter is strict, and the way to clients is by {}",
            out.name
        ),
        None => "rp_filter is strict, and there is no way to clients that are not on a link".into(),
    };
    Finding::warning("rp-filter", name, what)
        .why("Clients' packets that come in by it are dropped, and nothing tells of it.")
        .fix(format!(
            "sysctl -w net.ipv4.conf.{}.rp_filter=2",
            variable(name)
        ))
}

fn ipv6(site: &Site, seen: &Seen) -> Vec<Finding> {
    if !site.vips.iter().any(|vip| vip.is_ipv6()) {
        return Vec::new();
    }
    // Where the VIPs are put.
    let mut names: BTreeSet<&str> = site.interfaces.iter().map(String::as_str).collect();
    if site.role == Role::RealServer {
        names.insert("lo");
    }
    let judge = |name: &str| {
        let is_off = seen
            .variables
            .get(&format!("ipv6/conf/{name}/disable_ipv6"))
            == Some(&1);
        match is_off {
            true => Finding::error("ipv6-off", name, "IPv6 is switched off")
                .why("VIPs of IPv6 cannot be there, nor their neighbours be found.")
                .fix(format!(
                    "sysctl -w net.ipv6.conf.{}.disable_ipv6=0",
                    variable(name)
                )),
            false => Finding::ok("ipv6-off", name, "IPv6 is not switched off"),
        }
    };
    let there = names.into_iter().filter(|name| seen.named(name).is_some());
    there.map(judge).collect()
}

/// As sysctl(8) writes an interface's name that has a dot.
pub(super) fn variable(interface: &str) -> String {
    interface.replace('.', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{finding::Severity, testing};

    #[test]
    fn a_strict_filter_matters_where_answers_go_another_way() {
        for (all, its, way_out, severity) in [
            (0, 0, None, Severity::Ok),
            (1, 0, Some(2), Severity::Ok),
            (1, 0, Some(3), Severity::Warning),
            (0, 1, Some(3), Severity::Warning),
            (0, 1, None, Severity::Warning),
            // The larger counts, and 2 is loose.
            (1, 2, Some(3), Severity::Ok),
            (2, 1, Some(3), Severity::Ok),
        ] {
            let mut seen = testing::seen(&[], &[]);
            seen.links.push(Link {
                index: 3,
                ..testing::link("eth1")
            });
            seen.way_out = way_out;
            let variables = [("all", all), ("eth0", its)].into_iter();
            seen.variables = variables
                .map(|(of, value)| (format!("ipv4/conf/{of}/rp_filter"), value))
                .collect();
            let found = reverse_path(&seen.links[1], &seen);
            assert_eq!(found.severity, severity, "{all} {its} {way_out:?}");
        }
    }

    #[test]
    fn a_name_with_a_dot_is_one_name() {
        assert_eq!(variable("eth0.100"), "eth0/100");
    }
}
