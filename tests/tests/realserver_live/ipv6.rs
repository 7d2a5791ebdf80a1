//! The same for IPv6: on `lo` the kernel is silent by itself, on `eth0` it is not.

mod commands;
mod lab;

use std::{net::Ipv6Addr, thread::sleep, time::Duration};

use anyhow::{Result, ensure};
use tests::nd::{ADVERTISEMENT, ROUTER_SOLICITATION, SOLICITATION};

use self::lab::{
    ALL_NODES, ALL_ROUTERS, BY_HAND, CLIENT, IPV4_VIP, SERVER, VIP, answers, attach, lab,
    link_local, neighbour, received, said_while, say,
};
use crate::lab::{counts, macs};

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
