//! The ARP problem: several machines hold one address, and who answers first for it has it. Shown happening, then solved.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use tests::Mac;

use crate::{
    parts::attach,
    site::{SERVERS, Site, VIP},
};

/// How often the client asks for the VIP's MAC until a real server wins.
const TRIES: usize = 50;

pub(crate) fn without_companion(site: &mut Site) -> Result<()> {
    site.show
        .part("(b) Without the companion: the VIP on the real servers, as by hand");
    for server in SERVERS {
        site.types(server, "drover realserver detach")?;
        site.types(server, &format!("ip addr add {VIP}/32 dev lo"))?;
    }
    let arping = format!("arping -c 2 -I eth0 {VIP}");
    site.show.typed("client", &arping);
    // More answers than questions are a failure to it.
    let answers = site
        .lab
        .host("client")
        .run(&arping.split(' ').collect::<Vec<_>>())?
        .stdout;
    site.show.saw(&answers);
    let macs = answers
        .lines()
        .filter_map(|line| line.split(['[', ']']).nth(1));
    let macs = macs
        .map(str::parse::<Mac>)
        .collect::<Result<BTreeSet<_>>>()?;
    ensure!(
        macs.len() == 3,
        "{} machines answer for the VIP, not 3",
        macs.len()
    );
    site.show.found("three machines answer for one address");

    let captor = captured(site)?;
    let before = counters(site)?;
    let pages = site.browse(10)?;
    ensure!(
        pages.iter().all(|page| *page == captor),
        "the pages come not all from {captor}: {}",
        pages.join(" ")
    );
    let after = counters(site)?;
    ensure!(
        before == after,
        "the director's counters move: {before:?}, then {after:?}"
    );
    site.show.found(&format!(
        "{captor} takes all; the director's counters stand still"
    ));
    Ok(())
}

pub(crate) fn with_companion(site: &mut Site) -> Result<()> {
    site.show
        .part("(c) With the companion again: 20 times, the client forgets and asks anew");
    attach(site)?;
    let director = site.lab.host("director").mac();
    let client = site.lab.host("client").clone();
    let flush_and_browse =
        format!("ip neigh flush dev eth0; curl http://{VIP}/; ip neigh show {VIP}");
    site.show.typed(
        &client,
        &format!("for i in $(seq 20); do {flush_and_browse}; done"),
    );
    let mut pages = Vec::new();
    for round in 1..=20 {
        client.flush_arp()?;
        pages.push(
            client
                .sh(&format!("curl -sS --max-time 5 http://{VIP}/"))?
                .trim()
                .to_owned(),
        );
        let mac = client
            .neighbour(VIP)?
            .context("the client has no MAC for the VIP")?;
        ensure!(
            mac == director,
            "round {round}: the VIP is at {mac}, {}'s",
            site.host_of(mac)?
        );
    }
    site.show.saw(&format!(
        "{VIP} lladdr {director}, 20 times; {} …",
        pages[..6].join(" ")
    ));
    site.take_turns(&pages)?;
    site.show
        .found("always the director's MAC, and the servers take turns");
    Ok(())
}

/// Which real server has got the VIP, as the client sees it.
fn captured(site: &Site) -> Result<String> {
    let client = site.lab.host("client");
    site.show.typed(
        client,
        &format!("ip neigh flush dev eth0; ping -c 1 {VIP}; ip neigh show {VIP}"),
    );
    for attempt in 1..=TRIES {
        client.flush_arp()?;
        client
            .run(&["ping", "-c", "1", "-W", "1", &VIP.to_string()])?
            .success()?;
        let mac = client
            .neighbour(VIP)?
            .context("the client has no MAC for the VIP")?;
        let host = site.host_of(mac)?;
        if SERVERS.contains(&host.name()) {
            site.show.saw(&format!(
                "{VIP} lladdr {mac}: attempt {attempt}, {host} was the first to answer"
            ));
            return Ok(host.name().into());
        }
    }
    bail!("in {TRIES} attempts, no real server was the first to answer for the VIP")
}

/// All of them, of all real servers.
fn counters(site: &Site) -> Result<Vec<Vec<Option<u64>>>> {
    let keys = ["connections", "packets", "bytes"];
    Ok(site
        .reals()?
        .iter()
        .map(|real| keys.map(|key| real[key].as_u64()).to_vec())
        .collect())
}
