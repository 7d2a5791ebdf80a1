//! Who else answers for a VIP.

use std::net::IpAddr;

use lb_common::wire::MacAddr;

use super::{finding::Finding, heard::Heard, seen::Seen, site::Site};

const ID: &str = "vip-leak";

pub(super) fn check(site: &Site, seen: &Seen, heard: &Heard) -> Vec<Finding> {
    let asked = site.vips.iter().filter(|vip| heard.asked.contains(vip));
    asked
        .flat_map(|vip| judge(*vip, site, seen, heard))
        .collect()
}

fn judge(vip: IpAddr, site: &Site, seen: &Seen, heard: &Heard) -> Vec<Finding> {
    let others = heard.of(vip, seen);
    if others.is_empty() {
        return vec![Finding::ok(ID, vip, "nobody else answers for it")];
    }
    let told = others.into_iter().map(|(index, mac)| {
        let interface = seen.link(index).map_or("?", |link| link.name.as_str());
        let what = format!("is also at {mac} on {interface}");
        let past = "Clients that hear it pass the director by.";
        let reals = reals_at(mac, site, seen, heard);
        if let Some(first) = reals.first() {
            let names: Vec<String> = reals.iter().map(ToString::to_string).collect();
            let what = format!("{what}: real server {}", names.join(", "));
            return Finding::error(ID, vip, what)
                .why(format!("{past} Its companion is off; flush the neighbours of clients and router afterwards."))
                .fix("drover realserver attach")
                .on(first);
        }
        if mac.is_virtual_router() && !site.owns_vips {
            return Finding::note(ID, vip, format!("{what}: a virtual router's MAC (VRRP)"))
                .why("Another director has it.");
        }
        let what = format!("{what}: a stranger, of no real server's MAC");
        match seen.holds(vip) {
            true => Finding::error(ID, vip, what)
                .why(format!("{past} Look for the MAC in the switch's table.")),
            false => Finding::note(ID, vip, what)
                .why("This host does not have the VIP: is it a director that is to be relieved, or another?"),
        }
    });
    told.collect()
}

/// The real servers whose MAC it is.
fn reals_at(mac: MacAddr, site: &Site, seen: &Seen, heard: &Heard) -> Vec<IpAddr> {
    let is_at = |rip: &&IpAddr| heard.of(**rip, seen).iter().any(|(_, it)| *it == mac);
    site.reals.iter().filter(is_at).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dataplane::pins::Role,
        doctor::{
            finding::Severity::{Error, Note, Ok},
            testing::{self, ip, mac},
        },
    };

    #[test]
    fn who_answers_is_named() {
        let (vip, rip) = (ip("10.0.0.100"), ip("10.0.0.2"));
        for (on_eth0, by, severity, on) in [
            (&["10.0.0.100/32"][..], None, Ok, None),
            (&["10.0.0.100/32"], Some(5), Ok, None),
            (&["10.0.0.100/32"], Some(2), Error, Some("10.0.0.2")),
            (&[], Some(2), Error, Some("10.0.0.2")),
            (&["10.0.0.100/32"], Some(9), Error, None),
            (&[], Some(9), Note, None),
        ] {
            let site = Site {
                reals: [rip].into(),
                ..testing::site(Role::Director)
            };
            let claims = by.map(|by| (vip, 2, mac(by))).into_iter();
            let heard = Heard {
                claims: claims.chain([(rip, 2, mac(2))]).collect(),
                asked: [vip].into(),
                ..Heard::default()
            };
            let found = check(&site, &testing::seen(&[], on_eth0), &heard);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].severity, severity, "{on_eth0:?} {by:?}");
            assert_eq!(found[0].fix_on.as_deref(), on, "{on_eth0:?} {by:?}");
        }
    }
}
