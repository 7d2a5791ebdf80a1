//! `drover top` and `drover stats`, in front of real traffic.

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use serde_json::Value;
use tests::{Process, wait};

use crate::{
    site::{SERVICE, SERVICE6, Site, URLS},
    terminal::{signal, terminal},
};

/// Clients that fetch pages until it is dropped.
fn traffic(site: &Site) -> Result<Process> {
    let line = format!("while :; do curl -gsS '{}' '{}'; done", URLS[0], URLS[1]);
    site.lab.host("client").spawn(&["sh", "-c", &line])
}

/// The words of the line that begins with a word.
fn row<'a>(screen: &'a str, name: &str) -> Vec<&'a str> {
    let lines = screen.lines().map(|line| line.split_whitespace().collect());
    let mut lines = lines.filter(|words: &Vec<&str>| words.first() == Some(&name));
    lines.next().unwrap_or_default()
}

/// Slots in percent, and states, as the listing has them of the first service.
fn listed(site: &Site) -> Result<Vec<[String; 3]>> {
    let list: Value = serde_json::from_str(&site.drover(&["list", "-o", "json"])?)?;
    let reals = list[0]["reals"].as_array().context("no reals")?;
    let slots = |real: &Value| real["slots"].as_f64().unwrap_or_default();
    let all: f64 = reals.iter().map(slots).sum();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let real = |real: &Value| {
        let share = format!("{:.1}%", slots(real) / all * 100.);
        [text(&real["address"]), share, text(&real["state"])]
    };
    Ok(reals.iter().map(real).collect())
}

/// Columns are: name, packets, bits, new, active, slots, state.
fn shows(screen: &str, listed: &[[String; 3]]) -> bool {
    listed.iter().all(|[address, share, state]| {
        let row = row(screen, address);
        let is_moving = row.get(1).is_some_and(|it| it.parse::<f64>().is_ok());
        is_moving
            && row.get(5) == Some(&share.as_str())
            && row
                .get(6)
                .is_some_and(|it| it.trim_end_matches(':') == state)
    })
}

#[test]
fn the_screen_shows_what_is_listed_and_does_what_is_typed() -> Result<()> {
    let mut site = Site::new("", "rr", 2)?;
    let _traffic = traffic(&site)?;
    let director = site.lab.host("director").clone();
    let mut terminal = terminal(&director, [24, 80], &["top", "-d", "0.5"])?;
    let is_moving = |screen: &str, name: &str| {
        let packets = row(screen, name)
            .get(1)
            .and_then(|it| it.parse::<f64>().ok());
        packets.is_some_and(|it| it > 0.)
    };
    terminal.wait("both services have packets", |it| {
        is_moving(it, SERVICE) && is_moving(it, SERVICE6) && it.contains("eth0 native")
    })?;
    let both = listed(&site)?;
    assert_eq!(both[0][1..], ["50.0%", "active"]);
    terminal.wait("it is as listed", |it| shows(it, &both))?;
    assert_eq!(row(&terminal.text(), SERVICE).last(), Some(&"2/2"));

    site.drover(&["real", "edit", SERVICE, "172.25.138.2", "-w", "0"])?;
    let both = listed(&site)?;
    assert_eq!(both[0][1..], ["0.0%", "quiesced"]);
    terminal.wait("it is as listed then", |it| shows(it, &both))?;

    terminal.type_("t")?;
    terminal.wait("members are hidden", |it| {
        row(it, "172.25.138.3").is_empty()
    })?;
    terminal.type_("\x1b[15~")?;
    terminal.wait("F5 shows them", |it| !row(it, "172.25.138.3").is_empty())?;
    terminal.type_("\\138.3")?;
    terminal.wait("the filter is shown", |it| it.contains("Filter: 138.3_"))?;
    terminal.wait("only what it finds is there", |it| {
        !row(it, "172.25.138.3").is_empty()
            && row(it, "172.25.138.2").is_empty()
            && row(it, SERVICE6).is_empty()
    })?;
    terminal.type_("\r\\\x1b")?;
    terminal.wait("Esc clears it", |it| !row(it, SERVICE6).is_empty())?;
    terminal.type_(">")?;
    terminal.wait("the next column sorts", |it| it.contains("BIT/S▼"))?;
    terminal.type_("?")?;
    terminal.wait("help is there", |it| it.contains("any key goes back"))?;
    terminal.type_(" ")?;
    terminal.wait("any key goes back", |it| !it.contains("any key goes back"))?;

    site.director.kill9();
    terminal.wait("the daemon is missed", |it| {
        it.contains("no answer from the daemon since")
    })?;
    site.director.start()?;
    terminal.wait("it is back", |it| {
        !it.contains("no answer") && is_moving(it, SERVICE)
    })?;
    assert!(terminal.is_taken());

    terminal.type_("\x1a")?;
    wait(
        "Ctrl-Z gives the terminal back",
        || Ok(!terminal.is_taken()),
    )?;
    signal(&director, Signal::CONT)?;
    wait("it is taken again", || Ok(terminal.is_taken()))?;
    terminal.wait("and drawn", |it| is_moving(it, SERVICE))?;
    terminal.type_("q")?;
    terminal.wait("it ends", |it| it.contains("ended 0\nicanon"))?;
    assert!(!terminal.is_taken());
    Ok(())
}

/// By SIGTERM, and in a terminal of three lines.
#[test]
fn a_signal_gives_the_terminal_back() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let director = site.lab.host("director").clone();
    for size in [[24, 80], [3, 20], [40, 120]] {
        let terminal = terminal(&director, size, &["top"])?;
        terminal.wait("it is there", |it| it.contains("PKT/S"))?;
        signal(&director, Signal::TERM)?;
        terminal.wait("the terminal is as it was", |it| it.contains("icanon"))?;
        assert!(!terminal.text().contains("-icanon") && !terminal.is_taken());
    }
    Ok(())
}

#[test]
fn counters_and_rates_are_those_of_the_listing() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let traffic = traffic(&site)?;
    let stats = |words: &[&str]| -> Result<Vec<Value>> {
        let text = site.drover(&[&["stats", "-o", "json"], words].concat())?;
        text.lines()
            .map(|it| Ok(serde_json::from_str(it)?))
            .collect()
    };
    let tables = stats(&["--rate", "--interval", "0.5", "--count", "3", SERVICE])?;
    assert_eq!(tables.len(), 3);
    for table in &tables {
        let services = table["services"].as_array().context("no services")?;
        assert_eq!(services.len(), 1);
        let rate = services[0]["rate"]["packets"].as_f64();
        assert!(rate.is_some_and(|it| it > 0.), "{table}");
    }
    let text = site.drover(&["top", "-b", "-n", "2", "-d", "0.5"])?;
    assert_eq!(text.matches("not forwarded").count(), 2, "{text}");
    let real = row(&text, "172.25.138.2");
    assert_eq!(real.len(), 7, "{text}");
    assert!(real[1].parse::<f64>()? > 0., "{text}");

    // Nothing moves from here on.
    drop(traffic);
    let list = || -> Result<Value> {
        Ok(serde_json::from_str(
            &site.drover(&["list", "-a", "-o", "json"])?,
        )?)
    };
    wait("all is quiet", || {
        let before = list()?;
        std::thread::sleep(std::time::Duration::from_millis(300));
        Ok(before == list()?)
    })?;
    let (list, table) = (list()?, &stats(&[])?[0]);
    for (service, listed) in [(0, &list[0]), (1, &list[1])] {
        let told = &table["services"][service];
        assert_eq!(told["service"], listed["service"]);
        assert_eq!(told["rate"], Value::Null);
        for key in ["connections", "packets", "bytes"] {
            let reals = [0, 1].map(|i| (&told["reals"][i][key], &listed["reals"][i][key]));
            assert!(reals.iter().all(|(told, listed)| told == listed), "{table}");
            let sum: Option<u64> = reals.iter().map(|(_, it)| it.as_u64()).sum();
            assert_eq!(told[key].as_u64(), sum, "{key}");
        }
    }
    Ok(())
}
