//! What real servers' states make of new connections: a quorum, a sorry server, slow starts, drains.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::site::{SERVICE, Site, URLS, wait};

const SORRY: &str = "172.25.138.4";

#[test]
fn the_sorry_server_takes_new_connections_while_the_quorum_is_lost() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let edit = [
        "service",
        "edit",
        SERVICE,
        "--quorum",
        "2",
        "--sorry-server",
        SORRY,
    ];
    site.drover(&edit)?;
    site.wait_for(SERVICE, |reals| reals[2]["state"] == "standby")?;
    let pages = |count| {
        (0..count)
            .map(|_| site.page(URLS[0]))
            .collect::<Result<Vec<_>>>()
    };
    assert!(!pages(4)?.contains(&"server4\n".to_owned()));
    let download = site.lab.host("client").spawn(&[
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{size_download}",
        "http://172.25.138.100/slow",
    ]);
    let mut download = download?;
    wait("the download has a connection", || {
        Ok(site
            .drover(&["flows", "--state", "established"])?
            .lines()
            .count()
            > 1)
    })?;
    let weigh = |weight| site.drover(&["real", "edit", SERVICE, "172.25.138.3", "-w", weight]);
    weigh("0")?;
    site.wait_for(SERVICE, |reals| {
        let states = [0, 1, 2].map(|i| reals[i]["state"].as_str().unwrap_or_default());
        states == ["standby", "quiesced", "active"]
    })?;
    assert_eq!(pages(4)?, ["server4\n"; 4]);
    let list = site.drover(&["list"])?;
    assert!(
        list.contains(": sorry server, as the quorum of 2 is lost\n"),
        "{list}"
    );
    let log = site.director.log();
    assert!(
        log.contains("tcp/172.25.138.100:80: the quorum of 2 is lost"),
        "{log}"
    );
    weigh("1")?;
    site.wait_for(SERVICE, |reals| {
        reals[2]["state"] == "standby" && reals[0]["state"] == "active"
    })?;
    assert!(!pages(4)?.contains(&"server4\n".to_owned()));
    let done = download.wait(Duration::from_secs(20))?;
    assert!(
        done.success(),
        "it has run through it all: {}",
        download.log()
    );
    site.drover(&["service", "edit", SERVICE, "--sorry-server", "none"])?;
    site.wait_for(SERVICE, |reals| reals.len() == 2)?;
    Ok(())
}

#[test]
fn one_that_comes_in_slowly_has_little_at_first() -> Result<()> {
    let site = Site::new("", "wrr", 2)?;
    let director = site.lab.host("director");
    site.drover(&["service", "edit", SERVICE, "--slow-start", "8"])?;
    // Until then real servers are those that the service came with.
    sleep(Duration::from_secs(10));
    let socket = director.dir().join("director.sock").display().to_string();
    let listen = [
        "curl",
        "-sSN",
        "--unix-socket",
        &socket,
        "http://drover/v1/events",
    ];
    let mut listener = director.spawn(&listen)?;
    sleep(Duration::from_millis(300));
    site.drover(&["real", "add", SERVICE, SORRY])?;
    site.wait_for(SERVICE, |reals| reals[2]["state"] == "warming")?;
    // By one process: a slow machine is not to take as long as the slow start.
    let curl = [
        &["curl", "-sS", "-H", "Connection: close"][..],
        &[URLS[0]; 34],
    ]
    .concat();
    let share = || -> Result<usize> {
        let pages = site.lab.host("client").run(&curl)?.success()?;
        assert_eq!(pages.lines().count(), 34);
        Ok(pages.lines().filter(|page| *page == "server4").count())
    };
    let early = share()?;
    assert!(early <= 6, "{early} of 34, not yet a third");
    site.wait_for(SERVICE, |reals| reals[2]["state"] == "active")?;
    let late = share()?;
    assert!((11..=12).contains(&late), "{late} of 34");

    wait("it is told, too", || {
        Ok(listener.log().contains("\"to\":\"active\""))
    })?;
    listener.kill9();
    let told = listener.log();
    let told = told.lines().filter_map(|line| line.strip_prefix("data: "));
    let told: Vec<Value> = told.map(serde_json::from_str).collect::<Result<_, _>>()?;
    let config = told.iter().find(|it| it["event"] == "config");
    let how = format!("real add {SERVICE} {SORRY}");
    assert_eq!(config.map(|it| &it["how"]), Some(&how.into()), "{told:?}");
    let states = told.iter().filter(|it| it["event"] == "state");
    let states: Vec<_> = states
        .map(|it| (&it["real"], &it["from"], &it["to"]))
        .collect();
    let from = [("unresolved", "warming"), ("warming", "active")];
    let expected = from.map(|(from, to)| (Value::from(SORRY), Value::from(from), Value::from(to)));
    let expected: Vec<_> = expected
        .iter()
        .map(|(real, from, to)| (real, from, to))
        .collect();
    assert_eq!(states, expected, "each once");
    Ok(())
}

#[test]
fn a_removed_one_drains_for_as_long_as_is_said() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    site.drover(&["service", "edit", SERVICE, "--drain", "3"])?;
    // Each says something when its time is over, and hears a page or that it is cut.
    let say = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; exec cat <&3";
    let connect = format!("exec 3<>/dev/tcp/172.25.138.100/80; sleep 6; {say}");
    let client = site.lab.host("client");
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(client.spawn(&["bash", "-c", &connect])?);
    }
    wait("both are there", || {
        Ok(site
            .drover(&["flows", "--state", "established"])?
            .lines()
            .count()
            == 3)
    })?;
    site.drover(&["real", "remove", SERVICE, "172.25.138.2"])?;
    let listed = || -> Result<Value> {
        let list: Value = serde_json::from_str(&site.drover(&["list", "-a", "-o", "json"])?)?;
        let reals = list[0]["reals"]
            .as_array()
            .context("no real servers")?
            .clone();
        let gone = reals.into_iter().find(|it| it["address"] == "172.25.138.2");
        Ok(gone.unwrap_or_default())
    };
    let reason = listed()?["reason"].as_str().unwrap_or_default().to_owned();
    ensure!(
        reason.starts_with("removed; 1 connections left, ") && reason.ends_with(" s at most"),
        "{reason}"
    );
    let since = Instant::now();
    wait("its time is over", || {
        Ok(listed()?["reason"]
            .as_str()
            .is_some_and(|it| it.contains("refused by now")))
    })?;
    let took = since.elapsed();
    assert!(
        (Duration::from_secs(2)..Duration::from_secs(5)).contains(&took),
        "{took:?}"
    );
    for held in &mut held {
        held.wait(Duration::from_secs(10))?;
    }
    let heard = held[0].log();
    let pages = heard.matches("server3").count();
    let cut = heard.matches("Connection reset by peer").count();
    assert_eq!((pages, cut), (1, 1), "{heard}");
    let status: Value = serde_json::from_str(&site.drover(&["status", "-o", "json"])?)?;
    assert_ne!(status["reasons"]["expelled"]["packets"], 0);
    Ok(())
}
