//! The LAN with an IPv6 address each, and what is said there.

use std::{collections::BTreeSet, net::Ipv6Addr};

use anyhow::{Context as _, Result};
use tests::{
    Host, Lab,
    nd::{ADVERTISEMENT, Nd, ROUTER_SOLICITATION, link_layer_address},
};

use crate::lab::heard_while;

pub(super) const CLIENT: Ipv6Addr = ip(9);
pub(super) const SERVER: Ipv6Addr = ip(2);
pub(super) const VIP: Ipv6Addr = ip(0x100);
pub(super) const IPV4_VIP: &str = "10.1.0.100";

pub(super) const TO_ALL: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];
pub(super) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
pub(super) const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// By hand, beside the one on `lo`: as on hosts that have their VIPs there since ever.
pub(super) const BY_HAND: &str = "ip addr add 2001:db8::100/128 dev eth0 nodad";

/// As that of IPv4, with an IPv6 address each; the director has the VIP.
pub(super) fn lab() -> Result<Lab> {
    let lab = crate::lab()?;
    for (name, address) in [("client", CLIENT), ("director", ip(1)), ("server", SERVER)] {
        lab.host(name)
            .sh(&format!("ip addr add {address}/64 dev eth0 nodad"))?;
    }
    lab.host("director")
        .sh(&format!("ip addr add {VIP}/128 dev eth0 nodad"))?;
    Ok(lab)
}

pub(super) fn attach(server: &Host, more: &[&str]) -> Result<String> {
    let vip = VIP.to_string();
    let words = ["realserver", "attach", "--interface", "eth0", "--vip", &vip];
    server.drover(&[&words, more].concat())?.success()
}

/// Whoever answers the client's solicitations for the VIP.
pub(super) fn answers(lab: &Lab) -> Result<BTreeSet<String>> {
    let client = lab.host("client");
    let heard = heard_while(lab, &["icmp6 and ip6[40] == 136"], || {
        for _ in 0..3 {
            client.flush_arp()?;
            client.sh(&format!("ping -6 -c 1 -W 1 {VIP} || true"))?;
        }
        Ok(())
    })?;
    let about_vip = format!("tgt is {VIP}");
    let answers = heard.lines().filter(|line| line.contains(&about_vip));
    Ok(answers
        .filter_map(|line| Some(line.split(' ').next()?.to_owned()))
        .collect())
}

/// All Neighbor Discovery of the server's that the client hears while `work` is done.
pub(super) fn said_while<T>(lab: &Lab, work: impl FnOnce() -> Result<T>) -> Result<String> {
    let server = lab.host("server").mac();
    let filter = format!("ether src {server} and icmp6 and ip6[40] >= 133 and ip6[40] <= 137");
    let heard = heard_while(lab, &["-v", &filter], work)?;
    let said = heard.lines().filter(|line| line.contains("ICMP6"));
    Ok(said.collect::<Vec<_>>().join("\n"))
}

/// The client's entry for the VIP.
pub(super) fn neighbour(client: &Host) -> Result<Option<String>> {
    let entry = client.sh(&format!("ip -6 neigh show to {VIP} dev eth0"))?;
    let mut words = entry.split(' ').skip_while(|word| *word != "lladdr");
    Ok(words.nth(1).map(String::from))
}

/// Echo requests of both families.
pub(super) fn received(server: &Host) -> Result<u64> {
    let counters = server
        .sh("nstat -asz IcmpInEchos Icmp6InEchos | awk 'NR > 1 { sum += $2 } END { print sum }'")?;
    counters.trim().parse().context(counters)
}

pub(super) fn link_local(host: &Host) -> Result<Ipv6Addr> {
    let address = host.sh("ip -6 -o addr show dev eth0 scope link | awk '{print $4}'")?;
    let address = address.trim().trim_end_matches("/64");
    address.parse().with_context(|| address.to_owned())
}

/// A message as `host` sends it, with its link-layer address.
pub(super) fn say(
    host: &Host,
    kind: u8,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    target: Ipv6Addr,
) -> Vec<u8> {
    let is_advertisement = kind == ADVERTISEMENT;
    let address = link_layer_address(1 + u8::from(is_advertisement), host.mac().0);
    let nd = Nd {
        to: TO_ALL,
        from: host.mac().0,
        tags: &[],
        kind,
        // Override.
        flags: [if is_advertisement { 0x20 } else { 0 }, 0, 0, 0],
        source,
        destination,
        target: (kind != ROUTER_SOLICITATION).then_some(target),
        // One from nobody may have no address with it (RFC 4861 section 4.3).
        options: if source.is_unspecified() {
            &[]
        } else {
            &address
        },
    };
    nd.frame()
}

pub(super) const fn ip(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)
}
