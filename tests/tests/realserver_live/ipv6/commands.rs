//! Its commands, and what `watch` tells.

use std::{net::Ipv6Addr, thread::sleep, time::Duration};

use anyhow::{Result, ensure};
use tests::nd::{ADVERTISEMENT, ROUTER_SOLICITATION, SOLICITATION};

use super::lab::{
    ALL_NODES, ALL_ROUTERS, BY_HAND, CLIENT, IPV4_VIP, SERVER, VIP, answers, attach, lab,
    link_local, say,
};
use crate::lab::{macs, refused, trace, watching};

#[test]
fn both_families_come_and_go_together() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    let before = trace(server)?;
    attach(server, &["--vip", IPV4_VIP])?;
    let lo = server.sh(&format!("ip -6 -o addr show dev lo to {VIP}"))?;
    ensure!(
        lo.contains(&format!("{VIP}/128")) && lo.contains("nodad"),
        "{lo}"
    );
    let status = server
        .drover(&["realserver", "status", "-o", "json"])?
        .success()?;
    let status: serde_json::Value = serde_json::from_str(&status)?;
    assert_eq!(status["ok"], true);
    for (index, vip, rip) in [
        (0, IPV4_VIP.into(), "10.1.0.2".into()),
        (1, VIP.to_string(), SERVER.to_string()),
    ] {
        let row = &status["vips"][index];
        assert_eq!((&row["vip"], &row["rip"]), (&vip.into(), &rip.into()));
        assert_eq!(row["on_lo"], true);
    }
    // One alone goes, and comes again.
    for vips in [
        &[IPV4_VIP][..],
        &["2001:db8::100"],
        &[IPV4_VIP, "2001:db8::100"],
    ] {
        let mut words = vec!["realserver", "attach", "--interface", "eth0"];
        words.extend(vips.iter().flat_map(|vip| ["--vip", vip]));
        server.drover(&words)?.success()?;
        let lo = server.sh("ip -o addr show dev lo scope global")?;
        for vip in [IPV4_VIP, "2001:db8::100"] {
            assert_eq!(lo.contains(vip), vips.contains(&vip), "{vips:?}: {lo}");
        }
        server.drover(&["realserver", "status"])?.success()?;
    }
    server.drover(&["realserver", "detach"])?.success()?;
    assert_eq!(trace(server)?, before);
    // What was there stays.
    server.sh(&format!("ip addr add {VIP}/128 dev lo"))?;
    attach(server, &[])?;
    attach(server, &[])?;
    server.drover(&["realserver", "detach"])?.success()?;
    server.sh(&format!("ip addr del {VIP}/128 dev lo"))?;
    Ok(())
}

#[test]
fn attached_by_a_version_without_ipv6_it_learns_it() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    let words = [
        "realserver",
        "attach",
        "--interface",
        "eth0",
        "--vip",
        IPV4_VIP,
    ];
    server.drover(&words)?.success()?;
    let pins = server.pins().display();
    server.sh(&format!("rm {pins}/realserver/net-*/eth0/*6"))?;
    let status = ["realserver", "status"];
    server.drover(&status)?.success()?;
    let watch = server.drover(&["realserver", "watch"])?;
    refused(
        &watch,
        "drover: eth0: attached by a version that tells nothing, or of IPv4 alone",
    )?;
    attach(server, &["--vip", IPV4_VIP])?;
    server.drover(&status)?.success()?;
    server.sh(BY_HAND)?;
    assert_eq!(answers(&lab)?, macs(&[lab.host("director")]));
    // It is still known who put the VIP on lo.
    let detached = server.drover(&["realserver", "detach"])?.success()?;
    assert!(
        detached.contains(&format!("{IPV4_VIP}: taken off lo")),
        "{detached}"
    );
    Ok(())
}

#[test]
fn watched_it_tells_of_each_frame() -> Result<()> {
    let lab = lab()?;
    let [client, server] = ["client", "server"].map(|name| lab.host(name));
    attach(server, &[])?;
    let link_local = link_local(server)?;
    let watcher = watching(server)?;
    let asked = say(client, SOLICITATION, CLIENT, ALL_NODES, VIP);
    client.transmit(&asked)?;
    for (kind, source, destination, target) in [
        (ADVERTISEMENT, VIP, ALL_NODES, VIP),
        (SOLICITATION, VIP, ALL_NODES, CLIENT),
        (ROUTER_SOLICITATION, VIP, ALL_ROUTERS, VIP),
    ] {
        server.transmit(&say(server, kind, source, destination, target))?;
    }
    sleep(Duration::from_millis(300));
    let log = watcher.log();
    let (client, all) = (client.mac(), "33:33:00:00:00:01");
    for line in [
        format!(
            " eth0 in, dropped: {CLIENT} ({client}) asked for VIP {VIP}, which the director answers for\n"
        ),
        format!(
            " eth0 out, dropped: told {ALL_NODES} ({all}) of VIP {VIP}, which is the director's\n"
        ),
        format!(" eth0 out, mangled: asked {CLIENT} ({all}) as VIP {VIP}, now as RIP {SERVER}\n"),
        format!(
            " eth0 out, mangled: asked {ALL_ROUTERS} ({all}) as VIP {VIP}, now as RIP {link_local}\n"
        ),
    ] {
        assert_eq!(log.matches(&line).count(), 1, "{line}{log}");
    }
    Ok(())
}

#[test]
fn bad_commands_are_refused_in_one_line() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    server.sh("ip link add eth1 type veth peer name peer1 && ip addr add 10.9.0.1/24 dev eth1")?;
    let before = trace(server)?;
    let attach = |interface: &str, vip: Ipv6Addr| {
        server.drover(&[
            "realserver",
            "attach",
            "--interface",
            interface,
            "--vip",
            &vip.to_string(),
        ])
    };
    refused(
        &attach("eth0", SERVER)?,
        "drover: 2001:db8::2 is an address of eth0 (2001:db8::2/64), by which this host is reached",
    )?;
    refused(
        &attach("eth1", VIP)?,
        "drover: eth1 has no IPv6 address of its own, as which to ask for others",
    )?;
    assert_eq!(trace(server)?, before);
    server.sh(&format!("ip addr add {VIP}/64 dev lo"))?;
    refused(
        &attach("eth0", VIP)?,
        "drover: lo has 2001:db8::100/64, which takes the whole subnet for this host; take it off",
    )?;
    server.sh(&format!(
        "ip addr del {VIP}/64 dev lo; sysctl -qw net.ipv6.conf.lo.disable_ipv6=1"
    ))?;
    let off = trace(server)?;
    refused(
        &attach("eth0", VIP)?,
        "drover: cannot add the address 2001:db8::100/128: IPv6 is switched off there",
    )?;
    assert_eq!(trace(server)?, off);
    Ok(())
}
