//! Checks of real servers, by the way that clients' packets go, and what becomes of connections.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tests::Nginx;

use crate::site::{REALS, SERVICE, SERVICE6, Site, URLS, wait};

const CHECK: &str =
    "[service.check]\nkind = \"http\"\npath = \"/alive\"\ninterval = 0.2\ntimeout = 0.5\n";

/// As [`Site::new`], with a check of both services.
fn site(scheduler: &str, options: &str) -> Result<Site> {
    let site = Site::new("", scheduler, 3)?;
    for (name, _) in REALS {
        alive(&site, name, true)?;
    }
    let config = site.lab.host("director").director_config();
    let text = fs::read_to_string(&config)?;
    let scheduler = format!("scheduler = \"{scheduler}\"\n");
    fs::write(
        &config,
        text.replace(&scheduler, &format!("{scheduler}{options}{CHECK}")),
    )?;
    site.drover(&["reload"])?;
    for service in [SERVICE, SERVICE6] {
        site.wait_for(service, |all| {
            all.iter()
                .all(|real| real["state"] == "active" && real["check"]["is_good"] == true)
        })?;
    }
    Ok(site)
}

/// Has a real server say that it is well, or that it is not.
fn alive(site: &Site, server: &str, is_so: bool) -> Result<()> {
    let file = site.lab.host(server).dir().join("nginx-80/alive");
    match is_so {
        true => fs::write(file, "yes\n")?,
        false => fs::remove_file(file)?,
    }
    Ok(())
}

fn pages(site: &Site, url: &str) -> Result<Vec<String>> {
    let mut pages: Vec<String> = (0..6).map(|_| site.page(url)).collect::<Result<_>>()?;
    pages.sort();
    pages.dedup();
    Ok(pages)
}

#[test]
fn one_that_fails_gets_no_connections_until_it_is_well() -> Result<()> {
    let mut site = site("rr", "")?;
    let all = ["server2\n", "server3\n", "server4\n"];
    for (why, fail) in [
        ("its web server has ended", 0),
        ("its VIP is missing", 1),
        ("it says so", 2),
    ] {
        let server = site.lab.host("server2").clone();
        match fail {
            0 => drop(site.servers.remove(0)),
            1 => drop(server.sh("ip addr del 172.25.138.100/32 dev lo")?),
            _ => alive(&site, "server2", false)?,
        }
        let reason = match fail {
            0 => "connection refused",
            1 => "no answer within 0.5 s",
            _ => "status 404, not 200-399",
        };
        let took = site.wait_for(SERVICE, |reals| {
            let said = reals[0]["reason"].as_str().unwrap_or_default();
            reals[0]["state"] == "down" && said.contains(reason)
        })?;
        println!("{why}: down after {took:?}");
        assert_eq!(pages(&site, URLS[0])?, all[1..], "{why}");
        // The VIP of IPv4 is missing, and that alone.
        let of_ipv6 = if fail == 1 { "active" } else { "down" };
        site.wait_for(SERVICE6, |reals| reals[0]["state"] == of_ipv6)?;

        // What is known is known to the next daemon, from its first packet on.
        match fail {
            0 => site.director.kill9(),
            _ => drop(site.director.stop()?),
        }
        site.director.start()?;
        let list: Value = serde_json::from_str(&site.drover(&["list", "-o", "json"])?)?;
        assert_eq!(list[0]["reals"][0]["state"], "down", "{why}");
        assert_eq!(list[0]["reals"][1]["state"], "active", "{why}");
        assert_eq!(pages(&site, URLS[0])?, all[1..], "{why}");

        match fail {
            0 => site.servers.insert(0, server.nginx("server2\n")?),
            1 => drop(server.sh("ip addr add 172.25.138.100/32 dev lo")?),
            _ => alive(&site, "server2", true)?,
        }
        for (service, url) in [SERVICE, SERVICE6].into_iter().zip(URLS) {
            site.wait_for(service, |reals| reals[0]["state"] == "active")?;
            assert_eq!(pages(&site, url)?, all, "{why}");
        }
    }
    let log = site.director.log();
    let down = format!("{SERVICE} 172.25.138.2: active -> down: connection refused");
    assert_eq!(log.matches(&down).count(), 1, "told once: {log}");
    // Without its check it is what it was before.
    alive(&site, "server2", false)?;
    site.wait_for(SERVICE, |reals| reals[0]["state"] == "down")?;
    let config = site.lab.host("director").director_config();
    let text = fs::read_to_string(&config)?;
    fs::write(&config, text.replace(CHECK, ""))?;
    site.drover(&["reload"])?;
    site.wait_for(SERVICE, |reals| reals[0]["state"] == "active")?;
    let routes = site.lab.host("director").sh("ip route; ip -6 route")?;
    assert!(!routes.contains("240."), "{routes}");
    Ok(())
}

#[test]
fn one_that_comes_in_has_nothing_until_it_is_checked() -> Result<()> {
    let site = site("mh", "")?;
    site.drover(&["real", "remove", SERVICE, "172.25.138.4"])?;
    alive(&site, "server4", false)?;
    site.drover(&["real", "add", SERVICE, "172.25.138.4"])?;
    site.wait_for(SERVICE, |reals| {
        let reason = reals[2]["reason"].as_str().unwrap_or_default();
        reals[2]["state"] == "down" && reason.contains("status 404")
    })?;
    let none = ["server2\n", "server3\n"];
    assert!(
        pages(&site, URLS[0])?
            .iter()
            .all(|page| none.contains(&page.as_str()))
    );
    alive(&site, "server4", true)?;
    site.wait_for(SERVICE, |reals| reals[2]["state"] == "active")?;
    Ok(())
}

/// `inhibit_on_failure`, and without it: a download through the time in which its server is not well.
#[test]
fn connections_of_one_that_fails_end_or_stay() -> Result<()> {
    for inhibits in [true, false] {
        let options = match inhibits {
            true => "inhibit_on_failure = true\n",
            false => "",
        };
        let site = site("rr", options)?;
        let client = site.lab.host("client");
        let words = [
            "curl",
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{size_download}\n",
            "http://172.25.138.100/slow",
        ];
        let mut download = client.spawn(&words)?;
        let words = ["--state", "established", "--service", SERVICE, "-o", "json"];
        let words = [&["flows"][..], &words].concat();
        let flows = || -> Result<Value> { Ok(serde_json::from_str(&site.drover(&words)?)?) };
        wait("the download has a connection", || {
            Ok(flows()?["flows"].as_array().is_some_and(|it| it.len() == 1))
        })?;
        let flows = flows()?;
        let real = flows["flows"][0]["real"]
            .as_str()
            .context("a real server")?;
        let place = real.as_bytes()["172.25.138.".len()] - b'2';
        alive(&site, REALS[usize::from(place)].0, false)?;
        site.wait_for(SERVICE, |reals| {
            reals[usize::from(place)]["state"] == "down"
        })?;
        let ended = download.wait(Duration::from_secs(20))?;
        let log = download.log();
        match inhibits {
            true => assert!(
                ended.success() && log.contains(&Nginx::SLOW.to_string()),
                "{log}"
            ),
            false => assert!(log.contains("Connection reset by peer"), "{log}"),
        }
    }
    Ok(())
}
