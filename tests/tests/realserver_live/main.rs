//! The companion on a LAN: what hosts hear of a VIP, and what is left afterwards. Needs root.

mod ipv6;

use std::{collections::BTreeSet, fs, net::Ipv4Addr, thread::sleep, time::Duration};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use tests::{Host, Lab, Output, Process};

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 9);
const DIRECTOR: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);
const VIP: &str = "10.1.0.100";
const OTHER_VIP: &str = "192.0.2.7";

const ATTACH: [&str; 6] = ["realserver", "attach", "--interface", "eth0", "--vip", VIP];

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

#[test]
fn attached_again_it_changes_in_place() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    attach(server, &[])?;
    // What is counted stays: the maps do.
    answers(&lab)?;
    let before = counts(server)?;
    let stormed = said_while(&lab, || {
        for hook in ["tc", "xdp", "auto"] {
            attach(server, &["--vip", OTHER_VIP, "--hook", hook])?;
            answers(&lab)?;
        }
        attach(server, &[])
    })?;
    assert!(!stormed.contains(VIP), "{stormed}");
    assert!(counts(server)?.asked > before.asked);
    assert_eq!(on_lo(server)?, [VIP]);
    Ok(())
}

#[test]
fn detached_it_leaves_no_trace() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    let before = trace(server)?;
    for hook in ["xdp", "tc"] {
        attach(server, &["--vip", OTHER_VIP, "--hook", hook])?;
        assert_ne!(trace(server)?, before);
        assert_eq!(on_lo(server)?, [VIP, OTHER_VIP]);
        let mut watcher = watching(server)?;
        server.drover(&["realserver", "detach"])?.success()?;
        assert_eq!(trace(server)?, before, "{hook}");
        let ended = watcher.wait(Duration::from_secs(3))?;
        assert_eq!(ended.code(), Some(1));
        let log = watcher.log();
        assert!(
            log.ends_with("\ndrover: nothing is attached any more\n"),
            "{log}"
        );
    }
    let again = server.drover(&["realserver", "detach"])?.success()?;
    assert_eq!(again, "nothing is attached\n");
    Ok(())
}

#[test]
fn a_vip_that_was_on_lo_stays_there() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    server.sh(&format!("ip addr add {VIP}/32 dev lo"))?;
    attach(server, &[])?;
    attach(server, &[])?;
    server.drover(&["realserver", "detach"])?.success()?;
    assert_eq!(on_lo(server)?, [VIP]);
    Ok(())
}

#[test]
fn an_interface_that_cannot_be_attached_leaves_all_as_it_was() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    server.sh("ip link add eth1 type veth peer name peer1 && ip link set eth1 up")?;
    let before = trace(server)?;
    let both = server.drover(&[&ATTACH[..], &["--interface", "eth1"]].concat())?;
    refused(&both, "drover: eth1 has no IPv4 address of its own")?;
    assert_eq!(trace(server)?, before);
    Ok(())
}

#[test]
fn status_names_what_is_wrong() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    let status = || server.drover(&["realserver", "status"]);
    refused(&status()?, "drover: nothing is attached")?;
    attach(server, &[])?;
    status()?.success()?;
    for (harm, problem) in [
        (
            format!("ip addr del {VIP}/32 dev lo"),
            format!("drover: {VIP}: not on lo; attach again"),
        ),
        (
            "ip addr add 10.2.0.2/24 dev eth0".into(),
            "drover: eth0: its addresses have changed; attach again".into(),
        ),
        (
            format!(
                "rm {}/realserver/net-*/eth0/egress",
                server.pins().display()
            ),
            "drover: eth0: the egress program is missing; attach again".into(),
        ),
        (
            format!(
                "rm {}/realserver/net-*/eth0/ingress",
                server.pins().display()
            ),
            "drover: eth0: the ingress program is missing; attach again".into(),
        ),
    ] {
        server.sh(&harm)?;
        refused(&status()?, &problem)?;
        attach(server, &[])?;
        status()?.success().context(harm)?;
    }
    Ok(())
}

#[test]
fn watched_it_tells_of_each_frame() -> Result<()> {
    let lab = lab()?;
    let [client, server] = ["client", "server"].map(|name| lab.host(name));
    let watch = ["realserver", "watch"];
    refused(&server.drover(&watch)?, "drover: nothing is attached")?;
    attach(server, &[])?;
    // Nobody watches: none of these may be told of later.
    answers(&lab)?;
    let (asker, all) = (client.mac(), "ff:ff:ff:ff:ff:ff");
    let asked =
        format!(" eth0 in, dropped: {CLIENT} ({asker}) asked for VIP {VIP}, which the director");
    let claimed = format!(" eth0 out, dropped: told {VIP} ({all}) of VIP {VIP}, which is the");
    let mangled = format!(" eth0 out, mangled: asked {CLIENT} ({all}) as VIP {VIP}, now as RIP");
    for killed in [true, false] {
        let mut watcher = watching(server)?;
        let before = watcher.log().len();
        answers(&lab)?;
        server.sh(&format!("arping -U -c 2 -w 2 -I eth0 -s {VIP} {VIP}"))?;
        server.sh(&format!(
            "arping -c 1 -w 1 -I eth0 -s {VIP} {CLIENT} || true"
        ))?;
        // The programs change, and it goes on.
        for hook in ["tc", "xdp"] {
            attach(server, &["--hook", hook])?;
            answers(&lab)?;
        }
        let again = server.drover(&watch)?;
        refused(&again, "drover: eth0: another `drover realserver watch`")?;
        sleep(Duration::from_millis(300));
        let log = watcher.log()[before..].to_owned();
        let count = |what: &str| log.lines().filter(|line| line.contains(what)).count();
        assert_eq!(count(&asked), 9, "{log}");
        assert_eq!(count(&claimed), 2, "{log}");
        assert!(count(&mangled) >= 1, "{log}");
        assert!(log.contains(&format!("now as RIP {SERVER}\n")), "{log}");
        if killed {
            watcher.kill9();
            answers(&lab)?;
        } else {
            watcher.signal(Signal::INT);
            ensure!(watcher.wait(Duration::from_secs(2))?.success(), "ctrl-C");
        }
    }
    Ok(())
}

#[test]
fn of_a_flood_it_tells_in_part_and_its_reader_may_go() -> Result<()> {
    let lab = lab()?;
    let [client, server] = ["client", "server"].map(|name| lab.host(name));
    attach(server, &[])?;
    let watcher = watching(server)?;
    let before = counts(server)?.asked;
    let flood = format!("for _ in $(seq 300); do arping -q -c 1 -w 1 -I eth0 {VIP} & done; wait");
    client.sh(&flood)?;
    let asked = counts(server)?.asked - before;
    sleep(Duration::from_millis(1200));
    let log = watcher.log();
    let told = log
        .lines()
        .filter(|line| line.contains(" asked for "))
        .count() as u64;
    let more = log
        .lines()
        .filter_map(|line| line.strip_suffix(" more; 100 a second are shown"))
        .map(|line| Ok(line.rsplit(' ').next().unwrap_or_default().parse::<u64>()?))
        .sum::<Result<u64>>()?;
    // What comes between reading and resetting the count is in neither.
    ensure!(asked >= 300 && more > 0, "{asked} asked, {more} more");
    ensure!(
        (asked - 10..=asked).contains(&(told + more)),
        "{told} and {more} of {asked}"
    );
    drop(watcher);

    let words = server.drover_words(&["realserver", "watch"]);
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let line = format!("{} | head -n 1; exit ${{PIPESTATUS[0]}}", words.join(" "));
    let mut piped = server.spawn(&["bash", "-c", &line])?;
    while !piped.log().contains("watching eth0\n") {
        ensure!(piped.is_running(), "{}", piped.log());
        sleep(Duration::from_millis(20));
    }
    answers(&lab)?;
    ensure!(
        piped.wait(Duration::from_secs(2))?.success(),
        "{}",
        piped.log()
    );
    assert_eq!(piped.log().lines().count(), 2, "{}", piped.log());
    Ok(())
}

#[test]
fn bad_commands_are_refused_in_one_line() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    let attach = ["realserver", "attach", "--interface"];
    for (rest, want) in [
        (
            &["eht0", "--vip", VIP][..],
            "drover: there is no interface eht0; did you mean `eth0`?",
        ),
        (
            &["lo", "--vip", VIP],
            "drover: lo is where the VIPs are put",
        ),
        (
            &["eth0", "--vip", "10.1.0.2"],
            "drover: 10.1.0.2 is an address of eth0 (10.1.0.2/24)",
        ),
        (
            &["eth0", "--vip", "10.1.0"],
            "drover: `10.1.0` is no IP address",
        ),
        (
            &["eth0", "--vip", "0.0.0.0"],
            "drover: 0.0.0.0 is no host's address",
        ),
        (
            &["eth0", "--vip", VIP, "--vip", VIP],
            "drover: VIP 10.1.0.100 is named twice",
        ),
    ] {
        refused(&server.drover(&[&attach[..], rest].concat())?, want)?;
    }
    let elsewhere = format!("{} --pins /tmp", tests::drover_binary().display());
    let elsewhere = format!("{elsewhere} {}", ATTACH.join(" "));
    refused(
        &server.run(&["sh", "-c", &elsewhere])?,
        "drover: the pins directory /tmp is not on a bpffs",
    )?;
    assert_eq!(on_lo(server)?, [""; 0]);
    Ok(())
}

fn lab() -> Result<Lab> {
    let hosts = [
        ("client", CLIENT),
        ("director", DIRECTOR),
        ("server", SERVER),
    ];
    let lab = Lab::new(&hosts)?;
    lab.host("director")
        .sh(&format!("ip addr add {VIP}/32 dev eth0"))?;
    Ok(lab)
}

fn attach(server: &Host, more: &[&str]) -> Result<String> {
    server.drover(&[&ATTACH, more].concat())?.success()
}

/// A watcher that has begun.
fn watching(server: &Host) -> Result<Process> {
    let words = server.drover_words(&["realserver", "watch"]);
    let before = fs::metadata(server.dir().join("drover.log")).map_or(0, |log| log.len() as usize);
    let mut watcher = server.spawn(&words)?;
    while !watcher.log()[before..].contains("watching eth0\n") {
        ensure!(watcher.is_running(), "{}", watcher.log());
        sleep(Duration::from_millis(20));
    }
    Ok(watcher)
}

/// Whoever answers the client's requests for the VIP.
fn answers(lab: &Lab) -> Result<BTreeSet<String>> {
    let command = format!("arping -b -c 3 -w 3 -I eth0 {VIP} || true");
    let said = lab.host("client").sh(&command)?.to_lowercase();
    let macs = said.split(['[', ']']).skip(1).step_by(2);
    Ok(macs.map(String::from).collect())
}

fn macs(hosts: &[&Host]) -> BTreeSet<String> {
    hosts.iter().map(|host| host.mac().to_string()).collect()
}

/// All ARP of the server's that the client hears while `work` is done.
fn said_while<T>(lab: &Lab, work: impl FnOnce() -> Result<T>) -> Result<String> {
    let server = lab.host("server").mac().to_string();
    let heard = heard_while(lab, &["arp"], work)?;
    let said = heard.lines().filter(|line| line.starts_with(&server));
    Ok(said.collect::<Vec<_>>().join("\n"))
}

/// What tcpdump prints on the client while `work` is done.
fn heard_while<T>(lab: &Lab, words: &[&str], work: impl FnOnce() -> Result<T>) -> Result<String> {
    let client = lab.host("client");
    // Earlier captures are in the same log.
    let log = client.dir().join("tcpdump.log");
    let before = fs::metadata(log).map_or(0, |log| log.len() as usize);
    let mut capture = client.spawn(&[&["tcpdump", "-tlnnei", "eth0"], words].concat())?;
    while !capture.log()[before..].contains("listening on") {
        ensure!(capture.is_running(), "{}", capture.log());
        sleep(Duration::from_millis(20));
    }
    work()?;
    sleep(Duration::from_millis(300));
    capture.stop()?;
    Ok(capture.log()[before..].to_owned())
}

#[derive(Clone, Copy, Debug)]
struct Counts {
    asked: u64,
    claimed: u64,
    mangled: u64,
}

/// Of the first VIP.
fn counts(server: &Host) -> Result<Counts> {
    let status = server
        .drover(&["realserver", "status", "-o", "json"])?
        .success()?;
    let status: serde_json::Value = serde_json::from_str(&status)?;
    let count = |name: &str| status["vips"][0][name].as_u64().context(name.to_owned());
    Ok(Counts {
        asked: count("asked")?,
        claimed: count("claimed")?,
        mangled: count("mangled")?,
    })
}

fn on_lo(server: &Host) -> Result<Vec<String>> {
    let addresses = server.sh("ip -o -4 addr show dev lo scope global | awk '{print $4}'")?;
    Ok(addresses
        .lines()
        .map(|net| net.trim_end_matches("/32").into())
        .collect())
}

/// Whatever attaching makes: addresses, programs, qdiscs, pins.
fn trace(server: &Host) -> Result<String> {
    server.sh(&format!(
        "ip -o addr; ip -d link show eth0; tc qdisc show; bpftool net; find {}",
        server.pins().display()
    ))
}

fn refused(output: &Output, want: &str) -> Result<()> {
    ensure!(
        output.status.code() == Some(1),
        "exit {:?}, want {want}",
        output.status
    );
    ensure!(
        output.stderr.starts_with(want) && output.stderr.lines().count() == 1,
        "{:?}, want {want:?}",
        output.stderr
    );
    Ok(())
}
