//! The director's interface goes, comes back, changes, or loses its program; the daemon goes on.

use std::fs;

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::Host;

use crate::{
    leaks::{events, told},
    site::{SERVICE, SERVICE6, Site, URLS, VIP, VIP6, wait},
};

/// The kernel takes addresses of IPv6 away with the link, and what manages the network puts the host's back.
const OWN6: &str = "ip addr replace 2001:db8::5/64 dev eth0 nodad";

#[test]
fn an_interface_that_flaps_is_announced_again() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let (client, director) = (site.lab.host("client"), site.lab.host("director"));
    director.sh("ip link set eth0 down")?;
    is_so(&site, "down")?;
    let reason = json!("eth0 is down");
    site.wait_for(SERVICE, |reals| reals[0]["reason"] == reason)?;
    // At once, too: what comes of it is the same.
    for line in [
        &format!("ip link set eth0 up; {OWN6}"),
        &format!("ip link set eth0 down; ip link set eth0 up; {OWN6}"),
    ] {
        believe_another(client)?;
        director.sh(line)?;
        serves(&site)?;
    }
    Ok(())
}

/// With all that hangs on it: the ways of the checks, too.
#[test]
fn an_interface_that_is_made_anew_is_taken_up() -> Result<()> {
    let mut site = Site::new("", "rr", 2)?;
    check(&site)?;
    let (client, director) = (
        site.lab.host("client").clone(),
        site.lab.host("director").clone(),
    );
    let mut events = events(&site)?;
    director.sh("ip link del eth0")?;
    is_so(&site, "missing")?;
    let reason = json!("no interface that is there has its subnet");
    for service in [SERVICE, SERVICE6] {
        site.wait_for(service, |reals| {
            let is_out = |it: &Value| it["state"] == "unresolved" && it["reason"] == reason;
            reals.iter().all(is_out)
        })?;
    }
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(site.director.process().is_running());
    believe_another(&client)?;
    site.lab.plug(&director)?;
    director.sh(OWN6)?;
    serves(&site)?;
    events.kill9();
    let told = told(&events)?
        .into_iter()
        .filter(|it| it["event"] == "interface");
    let steps: Vec<_> = told
        .map(|it| [it["from"].clone(), it["to"].clone()])
        .collect();
    let (first, last) = (&steps[0], &steps[steps.len() - 1]);
    assert_eq!(
        (&first[0], &last[1]),
        (&json!("native"), &json!("native")),
        "{steps:?}"
    );
    let log = site.director.log();
    assert_eq!(log.matches("-> missing").count(), 1, "{log}");
    assert!(!log.contains("ERROR"), "{log}");
    drop(site.servers.remove(0));
    for service in [SERVICE, SERVICE6] {
        site.wait_for(service, |reals| {
            reals[0]["state"] == "down" && reals[0]["reason"] == "connection refused"
        })?;
    }
    Ok(())
}

/// As what manages the network does when it starts again: the kernel takes the routes to probe addresses away with
/// the address that they have as a source, and by the time that the daemon looks all is as it was.
#[test]
fn checks_go_on_when_an_address_is_put_back_at_once() -> Result<()> {
    // With a VIP beside it, the address would be in another place among them.
    let mut site = Site::new("vip = \"external\"", "rr", 2)?;
    let director = site.lab.host("director").clone();
    check(&site)?;
    site.director.process().signal(Signal::STOP);
    director.sh("ip addr del 172.25.138.5/24 dev eth0; ip addr add 172.25.138.5/24 dev eth0")?;
    assert_eq!(ways(&director)?, 0);
    site.director.process().signal(Signal::CONT);
    wait("the checks have their ways", || Ok(ways(&director)? == 2))?;
    site.wait_for(SERVICE, |reals| {
        reals.iter().all(|it| it["check"]["is_good"] == true)
    })?;
    Ok(())
}

#[test]
fn a_program_that_is_taken_off_is_put_back() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let director = site.lab.host("director");
    let status: Value = serde_json::from_str(&site.drover(&["status", "-o", "json"])?)?;
    let pins = status["pins"].as_str().context("no pins")?;
    let detach = format!("bpftool link detach pinned {pins}/links/eth0");
    let mut events = events(&site)?;
    asked(&site)?;
    director.sh(&detach)?;
    wait("it is told", || {
        Ok(site.director.log().contains("native -> detached"))
    })?;
    is_so(&site, "native")?;
    serves(&site)?;

    // Another has the place, for as long as it is there.
    let pass = site.lab.dir().join("bpf/lan/director");
    let link = director.sh(&format!("bpftool -j link show pinned {}", pass.display()))?;
    let link: Value = serde_json::from_str(&link)?;
    let attach = format!(
        "{detach} && bpftool net attach xdp id {} dev eth0",
        link["prog_id"]
    );
    wait("another is faster than the daemon", || {
        Ok(director.sh(&attach).is_ok())
    })?;
    is_so(&site, "another program")?;
    director.sh("bpftool net detach xdp dev eth0")?;
    is_so(&site, "native")?;
    serves(&site)?;
    events.kill9();
    let told = told(&events)?
        .into_iter()
        .filter(|it| it["event"] == "interface");
    let told: Vec<_> = told.map(|it| it["to"].clone()).collect();
    assert!(
        told.starts_with(&[json!("detached"), json!("native")]),
        "{told:?}"
    );
    assert!(told.contains(&json!("another program")), "{told:?}");
    Ok(())
}

/// As of a bond that fails over.
#[test]
fn the_directors_own_mac_is_followed() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let director = site.lab.host("director");
    asked(&site)?;
    director.sh("ip link set eth0 address 02:00:00:00:00:66")?;
    for vip in [VIP, VIP6] {
        knows(site.lab.host("client"), vip, "02:00:00:00:00:66")?;
    }
    for url in URLS {
        site.page(url)?;
    }
    director.sh("ip link set eth0 mtu 1400")?;
    is_so(&site, "native")?;
    for url in URLS {
        site.page(url)?;
    }
    Ok(())
}

/// Has the service of IPv4 checked, and waits until all is well.
fn check(site: &Site) -> Result<()> {
    let config = site.lab.host("director").director_config();
    let check = "scheduler = \"rr\"\n[service.check]\nkind = \"tcp\"\ninterval = 0.2\n";
    let text = fs::read_to_string(&config)?;
    fs::write(&config, text.replace("scheduler = \"rr\"\n", check))?;
    site.drover(&["reload"])?;
    let is_good = |reals: &[Value]| reals.iter().all(|it| it["check"]["is_good"] == true);
    site.wait_for(SERVICE, is_good)?;
    Ok(())
}

/// Counts the routes to probe addresses of IPv4.
fn ways(director: &Host) -> Result<usize> {
    let routes = director.sh("ip -4 route show proto 208")?;
    Ok(routes.matches(" via ").count())
}

/// Waits until all is as it was at first: the program, the VIPs, who knows them, and pages.
fn serves(site: &Site) -> Result<()> {
    is_so(site, "native")?;
    for service in [SERVICE, SERVICE6] {
        site.wait_for(service, |reals| {
            reals.iter().all(|it| it["state"] == "active")
        })?;
    }
    let mac = site.lab.host("director").mac().to_string();
    for (vip, url) in [VIP, VIP6].into_iter().zip(URLS) {
        knows(site.lab.host("client"), vip, &mac)?;
        let pages: Vec<String> = (0..4).map(|_| site.page(url)).collect::<Result<_>>()?;
        assert_ne!(pages[0], pages[1], "{pages:?}");
    }
    Ok(())
}

/// Has the client ask for the VIPs: who does not know of one is not told.
fn asked(site: &Site) -> Result<()> {
    URLS.iter().try_for_each(|url| site.page(url).map(drop))
}

/// Waits until `drover status` says so of the interface.
fn is_so(site: &Site, xdp: &str) -> Result<()> {
    wait(xdp, || {
        let status: Value = serde_json::from_str(&site.drover(&["status", "-o", "json"])?)?;
        Ok(status["interfaces"][0]["xdp"] == xdp)
    })
}

/// Has a client send to another MAC, until it is told better.
fn believe_another(client: &Host) -> Result<()> {
    for vip in [VIP, VIP6] {
        client.sh(&format!(
            "ip neigh replace {vip} lladdr 02:00:00:00:00:77 nud stale dev eth0"
        ))?;
    }
    Ok(())
}

fn knows(client: &Host, vip: &str, mac: &str) -> Result<()> {
    wait("the client is told", || {
        Ok(client
            .sh(&format!("ip neigh show to {vip} dev eth0"))?
            .contains(mac))
    })
}
