//! A client, a director and a real server on a LAN, and what is seen of them.

use std::{collections::BTreeSet, fs, net::Ipv4Addr, thread::sleep, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tests::{Host, Lab, Output, Process};

pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 9);
pub(crate) const DIRECTOR: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 1);
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);
pub(crate) const VIP: &str = "10.1.0.100";
pub(crate) const OTHER_VIP: &str = "192.0.2.7";

pub(crate) const ATTACH: [&str; 6] = ["realserver", "attach", "--interface", "eth0", "--vip", VIP];

pub(crate) fn lab() -> Result<Lab> {
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

pub(crate) fn attach(server: &Host, more: &[&str]) -> Result<String> {
    server.drover(&[&ATTACH, more].concat())?.success()
}

/// A watcher that has begun.
pub(crate) fn watching(server: &Host) -> Result<Process> {
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
pub(crate) fn answers(lab: &Lab) -> Result<BTreeSet<String>> {
    let command = format!("arping -b -c 3 -w 3 -I eth0 {VIP} || true");
    let said = lab.host("client").sh(&command)?.to_lowercase();
    let macs = said.split(['[', ']']).skip(1).step_by(2);
    Ok(macs.map(String::from).collect())
}

pub(crate) fn macs(hosts: &[&Host]) -> BTreeSet<String> {
    hosts.iter().map(|host| host.mac().to_string()).collect()
}

/// All ARP of the server's that the client hears while `work` is done.
pub(crate) fn said_while<T>(lab: &Lab, work: impl FnOnce() -> Result<T>) -> Result<String> {
    let server = lab.host("server").mac().to_string();
    let heard = heard_while(lab, &["arp"], work)?;
    let said = heard.lines().filter(|line| line.starts_with(&server));
    Ok(said.collect::<Vec<_>>().join("\n"))
}

/// What tcpdump prints on the client while `work` is done.
pub(crate) fn heard_while<T>(
    lab: &Lab,
    words: &[&str],
    work: impl FnOnce() -> Result<T>,
) -> Result<String> {
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
pub(crate) struct Counts {
    pub(crate) asked: u64,
    pub(crate) claimed: u64,
    pub(crate) mangled: u64,
}

/// Of the first VIP.
pub(crate) fn counts(server: &Host) -> Result<Counts> {
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

pub(crate) fn on_lo(server: &Host) -> Result<Vec<String>> {
    let addresses = server.sh("ip -o -4 addr show dev lo scope global | awk '{print $4}'")?;
    Ok(addresses
        .lines()
        .map(|net| net.trim_end_matches("/32").into())
        .collect())
}

/// Whatever attaching makes: addresses, programs, qdiscs, pins.
pub(crate) fn trace(server: &Host) -> Result<String> {
    server.sh(&format!(
        "ip -o addr; ip -d link show eth0; tc qdisc show; bpftool net; find {}",
        server.pins().display()
    ))
}

pub(crate) fn refused(output: &Output, want: &str) -> Result<()> {
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
