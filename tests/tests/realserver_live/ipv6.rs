//! The same for IPv6: on `lo` the kernel is silent by itself, on `eth0` it is not.

use std::{collections::BTreeSet, net::Ipv6Addr, thread::sleep, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tests::{
    Host, Lab,
    nd::{ADVERTISEMENT, Nd, ROUTER_SOLICITATION, SOLICITATION, link_layer_address},
};

use crate::lab::{counts, heard_while, macs, refused, trace, watching};

const CLIENT: Ipv6Addr = ip(9);
const SERVER: Ipv6Addr = ip(2);
const VIP: Ipv6Addr = ip(0x100);
const IPV4_VIP: &str = "10.1.0.100";

const TO_ALL: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// By hand, beside the one on `lo`: as on hosts that have their VIPs there since ever.
const BY_HAND: &str = "ip addr add 2001:db8::100/128 dev eth0 nodad";

#[test]
fn only_the_director_answers_for_the_vip() -> Result<()> {
    for hook in ["xdp", "tc"] {
        let lab = lab()?;
        let [client, server] = ["client", "server"].map(|name| lab.host(name));
        let director = macs(&[lab.host("director")]);
        server.sh(&format!("ip addr add {VIP}/128 dev lo nodad"))?;
        // The kernel's silence.
        assert_eq!(answers(&lab)?, director);
        server.sh(BY_HAND)?;
        // The problem: both answer.
        assert_eq!(answers(&lab)?, macs(&[lab.host("director"), server]));
        attach(server, &["--hook", hook])?;
        let before = counts(server)?.asked;
        assert_eq!(answers(&lab)?, director, "{hook}");
        assert!(counts(server)?.asked > before, "{hook}");
        // Its own addresses are answered for.
        let link_local = link_local(server)?;
        for address in [SERVER.to_string(), format!("{link_local}%eth0")] {
            client.flush_arp()?;
            client.sh(&format!("ping -6 -c 1 -W 2 {address}"))?;
        }
    }
    Ok(())
}

#[test]
fn what_the_server_says_for_the_vip_is_not_heard() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    attach(server, &[])?;
    let link_local = link_local(server)?;
    for is_on_eth0 in [false, true] {
        if is_on_eth0 {
            server.sh(BY_HAND)?;
        }
        for (what, sent) in [
            (
                "advertisement",
                say(server, ADVERTISEMENT, VIP, ALL_NODES, VIP),
            ),
            (
                "duplicate address detection",
                say(server, SOLICITATION, Ipv6Addr::UNSPECIFIED, ALL_NODES, VIP),
            ),
        ] {
            let before = counts(server)?;
            let heard = said_while(&lab, || server.transmit(&sent))?;
            assert_eq!(heard, "", "{what}");
            assert_eq!(counts(server)?.claimed, before.claimed + 1, "{what}");
        }
        for (what, sent, rip) in [
            (
                "solicitation",
                say(server, SOLICITATION, VIP, ALL_NODES, CLIENT),
                SERVER,
            ),
            (
                "router solicitation",
                say(server, ROUTER_SOLICITATION, VIP, ALL_ROUTERS, VIP),
                link_local,
            ),
        ] {
            let before = counts(server)?;
            let heard = said_while(&lab, || server.transmit(&sent))?;
            assert!(heard.contains(&format!(" {rip} > ")), "{what}: {heard}");
            assert!(heard.contains("[icmp6 sum ok]"), "{what}: {heard}");
            assert!(!heard.contains(&VIP.to_string()), "{what}: {heard}");
            assert_eq!(counts(server)?.mangled, before.mangled + 1, "{what}");
        }
    }
    Ok(())
}

#[test]
fn what_the_stack_asks_in_the_name_of_the_vip_poisons_nobody() -> Result<()> {
    let lab = lab()?;
    let [client, director, server] = ["client", "director", "server"].map(|name| lab.host(name));
    let ask = || {
        server.flush_arp()?;
        server.run(&[
            "ping",
            "-6",
            "-c",
            "1",
            "-W",
            "1",
            "-I",
            &VIP.to_string(),
            &CLIENT.to_string(),
        ])
    };
    server.sh(BY_HAND)?;
    client.flush_arp()?;
    ask()?;
    // The problem: who is asked remembers who asks.
    assert_eq!(neighbour(client)?, Some(server.mac().to_string()));
    attach(server, &[])?;
    client.flush_arp()?;
    let before = counts(server)?.mangled;
    let heard = said_while(&lab, ask)?;
    assert!(heard.contains(&format!(" {SERVER} > ")), "{heard}");
    assert!(heard.contains("[icmp6 sum ok]"), "{heard}");
    assert!(counts(server)?.mangled > before);
    // Its ping came with the VIP as source, and the answer went to the director.
    assert_eq!(neighbour(client)?, Some(director.mac().to_string()));
    let asked = server.sh(&format!("ip -6 neigh show to {CLIENT}"))?;
    assert!(asked.contains(&client.mac().to_string()), "{asked}");
    Ok(())
}

#[test]
fn the_vip_is_taken_for_nobodys_duplicate() -> Result<()> {
    let lab = lab()?;
    let [director, server] = ["director", "server"].map(|name| lab.host(name));
    server.sh("sysctl -qw net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.eth0.dad_transmits=2")?;
    let with_dad = format!("ip addr add {VIP}/128 dev eth0");
    let settled = || {
        sleep(Duration::from_millis(3500));
        server.sh(&format!(
            "ip -6 -o addr show dev eth0 to {VIP}; ip addr del {VIP}/128 dev eth0"
        ))
    };
    // The problem: the director has it, too.
    server.sh(&with_dad)?;
    assert!(settled()?.contains("dadfailed"));
    attach(server, &[])?;
    let before = counts(server)?.claimed;
    server.sh(&with_dad)?;
    // Meanwhile the director says so to all.
    let to_all = say(director, ADVERTISEMENT, VIP, ALL_NODES, VIP);
    sleep(Duration::from_millis(200));
    director.transmit(&to_all)?;
    let address = settled()?;
    ensure!(
        address.contains(&VIP.to_string())
            && !address.contains("dadfailed")
            && !address.contains("tentative"),
        "{address}"
    );
    assert_eq!(counts(server)?.claimed, before + 2);
    let neighbours = server.sh(&format!("ip -6 neigh show to {VIP}"))?;
    assert_eq!(neighbours, "");
    Ok(())
}

#[test]
fn it_is_served_on_and_clients_keep_to_the_director() -> Result<()> {
    let lab = lab()?;
    let [client, director, server] = ["client", "director", "server"].map(|name| lab.host(name));
    attach(server, &["--vip", IPV4_VIP])?;
    // As a director would deliver: the VIP at the server's MAC, known to this client alone.
    for vip in [VIP.to_string(), IPV4_VIP.into()] {
        let mac = server.mac();
        client.sh(&format!("ip neigh replace {vip} lladdr {mac} dev eth0"))?;
        let before = received(server)?;
        client.sh(&format!("ping -c 3 -i 0.2 -W 2 {vip}"))?;
        assert!(received(server)? >= before + 3, "{vip}");
        client.sh(&format!("ip neigh del {vip} dev eth0"))?;
    }
    for _ in 0..5 {
        client.flush_arp()?;
        client.sh(&format!("ping -c 1 -W 2 {VIP}"))?;
        assert_eq!(neighbour(client)?, Some(director.mac().to_string()));
    }
    Ok(())
}

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

/// As that of IPv4, with an IPv6 address each; the director has the VIP.
fn lab() -> Result<Lab> {
    let lab = crate::lab()?;
    for (name, address) in [("client", CLIENT), ("director", ip(1)), ("server", SERVER)] {
        lab.host(name)
            .sh(&format!("ip addr add {address}/64 dev eth0 nodad"))?;
    }
    lab.host("director")
        .sh(&format!("ip addr add {VIP}/128 dev eth0 nodad"))?;
    Ok(lab)
}

fn attach(server: &Host, more: &[&str]) -> Result<String> {
    let vip = VIP.to_string();
    let words = ["realserver", "attach", "--interface", "eth0", "--vip", &vip];
    server.drover(&[&words, more].concat())?.success()
}

/// Whoever answers the client's solicitations for the VIP.
fn answers(lab: &Lab) -> Result<BTreeSet<String>> {
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
fn said_while<T>(lab: &Lab, work: impl FnOnce() -> Result<T>) -> Result<String> {
    let server = lab.host("server").mac();
    let filter = format!("ether src {server} and icmp6 and ip6[40] >= 133 and ip6[40] <= 137");
    let heard = heard_while(lab, &["-v", &filter], work)?;
    let said = heard.lines().filter(|line| line.contains("ICMP6"));
    Ok(said.collect::<Vec<_>>().join("\n"))
}

/// The client's entry for the VIP.
fn neighbour(client: &Host) -> Result<Option<String>> {
    let entry = client.sh(&format!("ip -6 neigh show to {VIP} dev eth0"))?;
    let mut words = entry.split(' ').skip_while(|word| *word != "lladdr");
    Ok(words.nth(1).map(String::from))
}

/// Echo requests of both families.
fn received(server: &Host) -> Result<u64> {
    let counters = server
        .sh("nstat -asz IcmpInEchos Icmp6InEchos | awk 'NR > 1 { sum += $2 } END { print sum }'")?;
    counters.trim().parse().context(counters)
}

fn link_local(host: &Host) -> Result<Ipv6Addr> {
    let address = host.sh("ip -6 -o addr show dev eth0 scope link | awk '{print $4}'")?;
    let address = address.trim().trim_end_matches("/64");
    address.parse().with_context(|| address.to_owned())
}

/// A message as `host` sends it, with its link-layer address.
fn say(
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

const fn ip(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)
}
