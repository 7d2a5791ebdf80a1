//! The companion on a LAN: what hosts hear of a VIP, and what is left afterwards. Needs root.

mod commands;
mod ipv6;
mod lab;
mod watch;

use anyhow::Result;

use self::lab::{CLIENT, SERVER, VIP, answers, attach, counts, lab, macs, said_while};

#[test]
fn only_the_director_answers_for_the_vip() -> Result<()> {
    for hook in ["xdp", "tc"] {
        let lab = lab()?;
        let [client, server] = ["client", "server"].map(|name| lab.host(name));
        server.sh(&format!("ip addr add {VIP}/32 dev lo"))?;
        // The problem: both answer.
        assert_eq!(answers(&lab)?, macs(&[lab.host("director"), server]));
        attach(server, &["--hook", hook])?;
        assert_eq!(answers(&lab)?, macs(&[lab.host("director")]), "{hook}");
        assert!(counts(server)?.asked >= 3, "{hook}");
        // Its own address is answered for, and requests that are sent to it alone are, too.
        client.sh(&format!("arping -c 3 -w 3 -I eth0 {SERVER}"))?;
    }
    Ok(())
}

#[test]
fn what_the_server_says_for_the_vip_is_not_heard() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    attach(server, &[])?;
    for (what, sent, want) in [
        (
            "announcement by request",
            format!("arping -U -c 2 -w 2 -I eth0 -s {VIP} {VIP}"),
            None,
        ),
        (
            "announcement by reply",
            format!("arping -A -c 2 -w 2 -I eth0 -s {VIP} {VIP}"),
            None,
        ),
        ("probe", format!("arping -D -c 2 -w 2 -I eth0 {VIP}"), None),
        (
            "request of the stack",
            format!("ping -c 1 -W 1 -I {VIP} {CLIENT}"),
            Some(SERVER),
        ),
        (
            "request of a packet socket",
            format!("arping -c 1 -w 1 -I eth0 -s {VIP} {CLIENT}"),
            Some(SERVER),
        ),
    ] {
        let before = counts(server)?;
        lab.host("client").flush_arp()?;
        server.flush_arp()?;
        let heard = said_while(&lab, || server.run(&["sh", "-c", &sent]))?;
        let after = counts(server)?;
        assert!(!heard.contains(VIP), "{what}: {heard}");
        match want {
            Some(rip) => {
                assert!(heard.contains(&format!("tell {rip}")), "{what}: {heard}");
                assert!(after.mangled > before.mangled, "{what}: {after:?}");
            }
            None => assert!(after.claimed > before.claimed, "{what}: {after:?}"),
        }
    }
    Ok(())
}

#[test]
fn web_is_served_on_the_vip_and_clients_keep_to_the_director() -> Result<()> {
    let lab = lab()?;
    let [client, director, server] = ["client", "director", "server"].map(|name| lab.host(name));
    let _web = server.nginx("server\n")?;
    attach(server, &[])?;
    // As a director would deliver: the VIP at the server's MAC, known to this client alone.
    client.sh(&format!(
        "ip neigh replace {VIP} lladdr {} dev eth0",
        server.mac()
    ))?;
    let page = client.sh(&format!("curl -sS --max-time 3 http://{VIP}/"))?;
    assert_eq!(page, "server\n");
    client.sh(&format!("ip neigh del {VIP} dev eth0"))?;
    for _ in 0..10 {
        client.flush_arp()?;
        client
            .run(&["ping", "-c", "1", "-W", "1", VIP])?
            .success()?;
        assert_eq!(client.neighbour(VIP.parse()?)?, Some(director.mac()));
    }
    Ok(())
}
