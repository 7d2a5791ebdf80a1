//! A real server: before it is set up, as it should be, and with each fault.

use std::fs;

use anyhow::Result;

use crate::patient::{
    Fault, Role::RealServer as ROLE, VIP, VIP6, attach, file, is_sound, lab, told,
};

fn fault<'a>(
    harm: impl Into<String>,
    (id, severity, subject): (&'a str, &'a str, &'a str),
    undo: Option<&'a str>,
) -> Fault<'a> {
    Fault {
        host: "server2",
        role: ROLE,
        harm: harm.into(),
        id,
        severity,
        subject,
        undo,
    }
}

#[test]
fn one_that_answers_for_the_vip_is_found() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server2");
    assert_eq!(told(server, ROLE)?, [""; 0], "before it is set up");
    let classic = format!("ip addr add {VIP}/32 dev lo");
    fault(classic, ("companion", "error", "eth0"), None).is_found_and_mended(&lab)?;
    assert_eq!(told(server, ROLE)?, [""; 0], "attached");
    let pins = server.pins().display();
    let lost = format!("rm {pins}/realserver/net-*/eth0/egress");
    fault(lost, ("companion", "error", "eth0"), None).is_found_and_mended(&lab)?;
    // As operators did before.
    server.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2")?;
    crate::patient::sh(server, ROLE, "drover realserver detach")?.success()?;
    server.sh(&format!("ip addr replace {VIP}/32 dev lo"))?;
    assert_eq!(told(server, ROLE)?, [""; 0], "by its variables");
    let half = "sysctl -qw net.ipv4.conf.all.arp_announce=0";
    fault(half, ("companion", "error", "eth0"), None).is_found_and_mended(&lab)
}

#[test]
fn addresses_that_are_wrong_are_found() -> Result<()> {
    let lab = lab()?;
    attach(&lab)?;
    fault(
        format!("ip addr del {VIP}/32 dev lo"),
        ("vip-missing", "error", VIP),
        None,
    )
    .is_found_and_mended(&lab)?;
    fault(
        format!("ip addr add {VIP}/24 dev lo"),
        ("vip-wide", "error", VIP),
        None,
    )
    .is_found_and_mended(&lab)?;
    let own = format!("ip addr add {VIP}/24 dev eth0");
    fault(own, ("vip-on-interface", "error", VIP), None).is_found_and_mended(&lab)?;
    let rule = format!(
        "nft add table ip old && nft 'add chain ip old in {{ type filter hook input priority 0; }}' && \
         nft add rule ip old in ip daddr {VIP} tcp dport 80 drop"
    );
    fault(rule, ("netfilter", "warning", VIP), None).is_found_and_mended(&lab)
}

#[test]
fn variables_and_queues_that_are_wrong_are_found() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server2");
    attach(&lab)?;
    is_sound(server, ROLE)?;
    if std::thread::available_parallelism()?.get() > 1 {
        // As a veth comes.
        fault("true", ("queues", "note", "eth0"), None).is_found_and_mended(&lab)?;
    }
    let second = "ip link add eth1 type veth peer name peer1 && ip link set eth1 up && ip link set peer1 arp off up";
    fault(second, ("unlisted", "warning", "eth1"), None).is_found_and_mended(&lab)?;
    let away = "ip addr add 10.5.0.2/24 dev eth1 && ip route add default via 10.5.0.1 && \
                sysctl -qw net.ipv4.conf.eth0.rp_filter=1";
    fault(away, ("rp-filter", "warning", "eth0"), None).is_found_and_mended(&lab)?;
    let both = format!("[realserver]\ninterfaces = [\"eth0\"]\nvips = [\"{VIP}\", \"{VIP6}\"]\n");
    fs::write(file(server, ROLE), both)?;
    for name in ["lo", "eth0"] {
        let off = format!("sysctl -qw net.ipv6.conf.{name}.disable_ipv6=1");
        fault(off, ("ipv6-off", "error", name), None).is_found_and_mended(&lab)?;
    }
    Ok(())
}
