//! Real servers that say of themselves how much they can take.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tests::Host;

use crate::site::{SERVICE, Site, URLS};

const AGENT: &str =
    "[service.agent]\nport = 9000\ninterval = 0.1\ntimeout = 1\nsend = \"server2\\n\"\n";

/// What an agent says to those who ask it properly; nothing: it ends.
type Words = Arc<Mutex<Option<&'static str>>>;

fn agent(host: &Host) -> Result<Words> {
    let words = Words::default();
    *words.lock().expect("nobody panics with it") = Some("100%\n");
    let listener = host.enter(|| TcpListener::bind("0.0.0.0:9000"))??;
    let said = words.clone();
    thread::spawn(move || -> Result<()> {
        loop {
            let (mut stream, _) = listener.accept()?;
            let mut asked = [0; 8];
            stream.read_exact(&mut asked)?;
            assert_eq!(&asked, b"server2\n");
            let said = *said.lock().expect("nobody panics with it");
            stream.write_all(said.context("it ends")?.as_bytes())?;
        }
    });
    Ok(words)
}

#[test]
fn weight_and_state_are_what_it_says() -> Result<()> {
    let mut site = Site::new("", "wrr", 3)?;
    let words = agent(site.lab.host("server2"))?;
    let say = |line| *words.lock().expect("nobody panics with it") = Some(line);
    let config = site.lab.host("director").director_config();
    let text = fs::read_to_string(&config)?;
    let scheduler = "scheduler = \"wrr\"\n";
    fs::write(
        &config,
        text.replace(scheduler, &format!("{scheduler}{AGENT}")),
    )?;
    site.drover(&["reload"])?;
    let becomes = |site: &Site, state: &str, reason: Value| {
        site.wait_for(SERVICE, |reals| {
            reals[0]["state"] == state && reals[0]["reason"] == reason
        })
    };
    let curl = [
        &["curl", "-sS", "-H", "Connection: close"][..],
        &[URLS[0]; 25],
    ]
    .concat();
    let share = |site: &Site| -> Result<usize> {
        let pages = site.lab.host("client").run(&curl)?.success()?;
        Ok(pages.lines().filter(|page| *page == "server2").count())
    };

    say("up 50%\n");
    becomes(&site, "active", "its agent says 50%".into())?;
    assert_eq!(share(&site)?, 5, "of 25, the others' weight being 100");

    let slow = [
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "http://172.25.138.100/slow",
    ];
    let client = site.lab.host("client");
    let downloads: Result<Vec<_>> = (0..5).map(|_| client.spawn(&slow)).collect();
    site.wait_for(SERVICE, |reals| {
        let active = reals.iter().filter_map(|real| real["active"].as_u64());
        active.sum::<u64>() >= 5 && reals[0]["active"].as_u64() >= Some(1)
    })?;
    say("drain\n");
    becomes(&site, "quiesced", "its agent says drain".into())?;
    assert_eq!(share(&site)?, 0);
    for mut download in downloads? {
        let done = download.wait(Duration::from_secs(30))?;
        assert!(done.success(), "{}", download.log());
    }

    // Also in the next daemon's eyes, before it has asked.
    say("ready maint\n");
    becomes(&site, "down", "its agent says maint".into())?;
    // It is asked again and does not answer.
    say("\n");
    site.director.kill9();
    site.director.start()?;
    let list: Value = serde_json::from_str(&site.drover(&["list", "-o", "json"])?)?;
    assert_eq!(list[0]["reals"][0]["reason"], "its agent says maint");
    assert_eq!(share(&site)?, 0);

    say("ready 100%\n");
    becomes(&site, "active", Value::Null)?;
    assert_eq!(share(&site)? / 8, 1, "8 or 9 of 25");

    // Its last word is its word.
    say("drain\n");
    becomes(&site, "quiesced", "its agent says drain".into())?;
    *words.lock().expect("nobody panics with it") = None;
    site.wait_for(SERVICE, |reals| {
        reals[0]["agent"]["error"] == "connection refused"
            && reals[0]["state"] == "quiesced"
            && reals[0]["agent"]["percent"] == 100
    })?;
    fs::write(&config, text)?;
    site.drover(&["reload"])?;
    becomes(&site, "active", Value::Null)?;
    Ok(())
}
