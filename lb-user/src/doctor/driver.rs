//! What XDP the drivers of the listed interfaces have, and how they spread frames over CPUs.

use super::{finding::Finding, link::is_native, seen::Seen, site::Site};
use crate::{
    dataplane::pins::Role,
    net::{ethtool::Driver, links::Link, netdev::Xdp},
};

/// Of a frame that lies in one page of 4 KiB, with XDP's headroom of 256 octets and the 320 that
/// `skb_shared_info` takes, less the Ethernet header.
const MTU_OF_ONE_BUFFER: u32 = 4096 - 256 - 320 - 14;

pub(super) fn check(site: &Site, seen: &Seen) -> Vec<Finding> {
    let mut findings = Vec::new();
    for link in seen.listed(site) {
        let Some(driver) = seen.drivers.get(&link.index) else {
            continue;
        };
        if let (Some(is_demanded), Some(xdp)) = (is_native(site), driver.xdp) {
            findings.extend(judge_xdp(link, driver, xdp, is_demanded));
            if site.role == Role::Director {
                findings.extend(other_end(link, xdp, seen));
            }
        }
        findings.extend(queues(link, driver, seen.cpus));
    }
    findings
}

fn judge_xdp(link: &Link, driver: &Driver, xdp: Xdp, is_demanded: bool) -> Vec<Finding> {
    let name = &link.name;
    if !xdp.has(Xdp::BASIC) {
        let what = "the driver has no native XDP";
        let finding = match is_demanded {
            true => Finding::error("xdp-driver", name, what)
                .why("Native XDP is demanded in the file, and will be refused."),
            false => Finding::note("xdp-driver", name, what)
                .why("Programs run in the stack, more slowly."),
        };
        // A veth has it only while its other end sends by no more queues than it receives by.
        return vec![match driver.queues {
            Some((count, most)) if link.kind == "veth" && count < most => {
                finding.fix(format!("ethtool -L {name} rx {most}"))
            }
            _ => finding,
        }];
    }
    let mut findings = vec![Finding::ok("xdp-driver", name, "the driver has native XDP")];
    let mtu = link.mtu;
    if mtu > MTU_OF_ONE_BUFFER && !xdp.has(Xdp::RX_SG) {
        let what =
            format!("has an MTU of {mtu}, and the driver's XDP takes no frames in several buffers");
        findings.push(
            Finding::warning("mtu", name, what)
                .why("Most such drivers refuse native XDP with an MTU that one page does not hold.")
                .fix(format!("ip link set {name} mtu 1500")),
        );
    } else {
        findings.push(Finding::ok("mtu", name, format!("{mtu} will do")));
    }
    findings
}

/// A veth sends back what its other end is ready for: with XDP, or with GRO (`veth_set_xdp_features`).
fn other_end(link: &Link, xdp: Xdp, seen: &Seen) -> Option<Finding> {
    if link.kind != "veth" || !xdp.has(Xdp::BASIC) || xdp.has(Xdp::NDO_XMIT) {
        return None;
    }
    let what = "the other end of this veth has neither XDP nor GRO";
    let finding = Finding::error("veth-peer", &link.name, what);
    let why = "Frames that XDP sends back are lost.";
    let other = link.other_end.filter(|(_, is_here)| *is_here);
    Some(match other.and_then(|(index, _)| seen.link(index)) {
        Some(other) => finding.why(why).fix(format!("ethtool -K {} gro on", other.name)),
        None => finding.why(format!(
            "{why} Switch GRO on at that end, which is in another network namespace, or set xdp to \"generic\"."
        )),
    })
}

fn queues(link: &Link, driver: &Driver, cpus: u32) -> Option<Finding> {
    let (count, most) = driver.queues?;
    let wanted = most.min(cpus);
    if count >= wanted {
        let what = format!("receives by {count} queues, for {cpus} CPUs");
        return Some(Finding::ok("queues", &link.name, what));
    }
    let what =
        format!("receives by {count} of the {most} queues that it can have, for {cpus} CPUs");
    let kind = if driver.are_combined {
        "combined"
    } else {
        "rx"
    };
    Some(
        Finding::note("queues", &link.name, what)
            .why("As many CPUs forward packets as there are queues.")
            .fix(format!("ethtool -L {} {kind} {wanted}", link.name)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataplane::director::Mode;
    use crate::doctor::{
        finding::Severity::{self, Error, Note, Ok, Warning},
        testing,
    };

    #[test]
    fn drivers_are_told_apart() {
        let basic = Some(Xdp(Xdp::BASIC | Xdp::REDIRECT));
        let frags = Some(Xdp(Xdp::BASIC | Xdp::RX_SG));
        let fine = &[("xdp-driver", Ok), ("mtu", Ok)][..];
        for (xdp, mode, mtu, want) in [
            (None, Mode::Auto, 9000, &[][..]),
            (Some(Xdp(0)), Mode::Auto, 1500, &[("xdp-driver", Note)]),
            (Some(Xdp(0)), Mode::Native, 1500, &[("xdp-driver", Error)]),
            (Some(Xdp(0)), Mode::Generic, 1500, &[]),
            (basic, Mode::Auto, 1500, fine),
            (basic, Mode::Auto, 3506, fine),
            (
                basic,
                Mode::Auto,
                9000,
                &[("xdp-driver", Ok), ("mtu", Warning)],
            ),
            (frags, Mode::Auto, 9000, fine),
        ] {
            let site = Site {
                xdp: mode,
                ..testing::site(Role::Director)
            };
            let mut seen = testing::seen(&[], &[]);
            seen.links[1].mtu = mtu;
            let driver = Driver {
                xdp,
                ..Driver::default()
            };
            seen.drivers.insert(2, driver);
            let found = check(&site, &seen).into_iter();
            let found: Vec<(&str, Severity)> = found.map(|it| (it.id, it.severity)).collect();
            assert_eq!(found, want, "{xdp:?} {mode:?} {mtu}");
        }
    }

    #[test]
    fn queues_are_as_many_as_cpus_or_as_there_can_be() {
        for (queues, cpus, are_combined, fix) in [
            ((2, 8), 2, true, None),
            ((1, 8), 4, true, Some("ethtool -L eth0 combined 4")),
            ((1, 2), 4, false, Some("ethtool -L eth0 rx 2")),
            ((1, 1), 4, true, None),
        ] {
            let driver = Driver {
                queues: Some(queues),
                are_combined,
                ..Driver::default()
            };
            let found = super::queues(&testing::link("eth0"), &driver, cpus).unwrap();
            assert_eq!(found.fix.as_deref(), fix, "{queues:?} {cpus}");
        }
    }
}
