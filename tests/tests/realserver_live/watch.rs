//! What it does is told while somebody watches.

use std::{thread::sleep, time::Duration};

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::lab::{CLIENT, SERVER, VIP, answers, attach, counts, lab, refused, watching};

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
