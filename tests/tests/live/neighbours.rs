//! What the LAN knows of a VIP, of either version.

use std::fs;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::site::{REALS, SERVICE, Site, URLS, VIP, VIP6, wait};

/// The VIP was another machine's: who knew it there is told, without asking.
#[test]
fn a_vip_that_comes_is_announced() -> Result<()> {
    let site = Site::new("", "mh", 2)?;
    let (client, director) = (site.lab.host("client"), site.lab.host("director"));
    site.drover_both(&["service", "remove", SERVICE])?;
    for vip in [VIP, VIP6] {
        client.sh(&format!(
            "ip neigh replace {vip} lladdr 02:00:00:00:00:77 nud stale dev eth0"
        ))?;
    }
    site.drover_both(&["service", "add", SERVICE])?;
    let mac = director.mac().to_string();
    for vip in [VIP, VIP6] {
        let known = || client.sh(&format!("ip neigh show to {vip} dev eth0"));
        wait("the client knows the director", || {
            Ok(known()?.contains(&mac))
        })?;
    }
    Ok(())
}

/// By Maglev a client's connections are spread, and each stays where it is.
#[test]
fn both_versions_are_spread_by_hash_and_asked_of_the_director() -> Result<()> {
    let site = Site::new("", "mh", 2)?;
    let (client, director) = (site.lab.host("client"), site.lab.host("director"));
    for (url, vip) in URLS.into_iter().zip([VIP, VIP6]) {
        client.flush_arp()?;
        // All from one server once in a million times.
        let pages: Vec<String> = (0..20).map(|_| site.page(url)).collect::<Result<_>>()?;
        let first = pages.iter().filter(|page| **page == pages[0]).count();
        assert!(first < pages.len(), "{url}: {pages:?}");
        let known = client.sh(&format!("ip neigh show to {vip} dev eth0"))?;
        assert!(known.contains(&director.mac().to_string()), "{known}");
    }
    Ok(())
}

/// A daemon that is stopped for a while, on a LAN where much happens: the kernel tells it that something was lost, not what.
#[test]
fn what_the_kernel_could_not_tell_is_looked_up() -> Result<()> {
    let mut site = Site::new("", "rr", 1)?;
    let (director, server) = (site.lab.host("director").clone(), REALS[0]);
    let mac = "02:00:00:00:02:77";
    site.director.process().signal(Signal::STOP);
    let batch = director.dir().join("batch");
    let many = (0..4000).map(|i| {
        format!(
            "neigh replace 172.25.138.200 lladdr 02:00:00:00:{:02x}:{:02x} dev eth0\n",
            i >> 8,
            i & 255
        )
    });
    fs::write(&batch, many.collect::<String>())?;
    director.sh(&format!("ip -batch {}", batch.display()))?;
    site.lab
        .host(server.0)
        .sh(&format!("ip link set eth0 address {mac}"))?;
    director.sh(&format!(
        "ip neigh replace {} lladdr {mac} nud reachable dev eth0",
        server.1
    ))?;
    site.director.process().signal(Signal::CONT);
    site.wait_for(SERVICE, |all| all.iter().all(|real| real["mac"] == mac))?;
    let log = site.director.log();
    ensure!(log.contains("all is looked at again"), "{log}");
    assert_eq!(site.page(URLS[0])?.trim(), server.0);
    Ok(())
}
