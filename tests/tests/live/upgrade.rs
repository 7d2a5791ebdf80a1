//! Tables of other sizes and of another layout, and other programs, while clients are at work: no
//! packet is lost and no connection notices.

use std::{
    fs,
    mem::offset_of,
    net::UdpSocket,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use lb_common::tables::{LAYOUT_VERSION, Settings, Site as Tables};
use lb_user::dataplane::director::Director;
use serde_json::Value;
use tests::Nginx;

use crate::site::{REALS, SERVICE, Site, URLS, download, wait};

/// A datagram each, to the millisecond.
const PACE: Duration = Duration::from_millis(1);

#[test]
fn other_sizes_of_the_tables_cost_no_packet_and_no_connection() -> Result<()> {
    let mut site = Site::new("", "rr", 3)?;
    let config = site.lab.host("director").director_config();
    let sizes = [
        "flow_memory = \"8MiB\"",
        "flow_memory = \"32MiB\"\nmembers_max = 100",
        "flow_listing = false",
        "flow_memory = \"64MiB\"\nservices_max = 9",
        "",
    ];
    unnoticed(&mut site, |site| {
        for round in 0..2 {
            let text = fs::read_to_string(&config)?;
            let (options, services) = text.split_once("\n\n").context("a table and services")?;
            for size in sizes {
                fs::write(&config, format!("{options}\n{size}\n\n{services}"))?;
                site.drover(&["reload"])?;
                sleep(Duration::from_millis(200));
            }
            // Another scheduler, in the midst of whose window the tables change.
            let other = if round == 0 { "mh" } else { "wrr" };
            site.drover(&["service", "edit", SERVICE, "-s", other])?;
            site.drover(&["real", "edit", SERVICE, "172.25.138.2", "-w", "3"])?;
            let text = fs::read_to_string(&config)?;
            fs::write(
                &config,
                text.replace("[director]", "[director]\nflow_memory = \"8MiB\""),
            )?;
            site.drover(&["reload"])?;
            fs::write(&config, &text)?;
            site.drover(&["reload"])?;
        }
        Ok(())
    })?;
    let status: Value = serde_json::from_str(&site.drover(&["status", "-o", "json"])?)?;
    assert_eq!(status["flows"]["most"], 1 << 20, "as by default again");
    let log = site.director.log();
    assert!(log.contains("the tables have other sizes now: "), "{log}");
    // What cannot be is refused, and nothing is different.
    let text = fs::read_to_string(&config)?;
    fs::write(
        &config,
        text.replace("[director]", "[director]\nmembers_max = 2"),
    )?;
    let refused = site.lab.host("director").drover(&["reload"])?;
    assert!(
        refused.stderr.starts_with(
            "drover: `members_max` 2 is too small for the real servers there are, or were: it is "
        ),
        "{}",
        refused.stderr
    );
    site.page(URLS[0])?;
    let left = site.lab.host("director").sh(&format!(
        "find {} -name 'maps-*'",
        site.lab.host("director").pins().display()
    ))?;
    assert_eq!(left, "");
    Ok(())
}

/// Killed at each of its renamings: of the file's, of the states', and of the pins' of the tables.
#[test]
fn a_daemon_that_is_killed_in_between_leaves_what_the_next_goes_on_with() -> Result<()> {
    let mut site = Site::new("", "rr", 3)?;
    let director = site.lab.host("director").clone();
    let config = director.director_config();
    unnoticed(&mut site, |site| {
        let (mut killed, mut half) = (0, 0);
        for n in 1..=5 {
            let mut strace = site.director.kill_at("rename", n)?;
            let text = fs::read_to_string(&config)?;
            let text = match text.contains("flow_memory") {
                true => text.replace("flow_memory = \"8MiB\"\n", ""),
                false => text.replace("[director]\n", "[director]\nflow_memory = \"8MiB\"\n"),
            };
            fs::write(&config, text)?;
            let reloaded = director.drover(&["reload"])?.status.success();
            killed += usize::from(!reloaded);
            let both = format!("find {} -name 'maps-*'", director.pins().display());
            half += usize::from(!director.sh(&both)?.is_empty());
            strace.kill9();
            site.director.kill9();
            site.director.start()?;
        }
        println!("killed {killed} times, {half} times with both tables there");
        assert!(killed >= 2 && half >= 1);
        Ok(())
    })?;
    let left = director.sh(&format!(
        "find {} -name 'maps-*'",
        director.pins().display()
    ))?;
    assert_eq!(left, "");
    Ok(())
}

/// A version of the binary whose program reads a register that nothing has written.
#[test]
fn a_program_that_the_kernel_refuses_leaves_the_one_before() -> Result<()> {
    let mut site = Site::new("", "rr", 3)?;
    let director = site.lab.host("director").clone();
    let bad = site.lab.dir().join("drover");
    fs::write(&bad, spoilt(fs::read(tests::drover_binary())?)?)?;
    director.sh(&format!("chmod +x {}", bad.display()))?;
    let mut words = director.drover_words(&["director"]);
    words[0] = bad.into();
    unnoticed(&mut site, |site| {
        site.director.stop()?;
        let refused = director.run(&words)?;
        let log = director.dir().join("director.verifier.log");
        let line = format!(
            "drover: the kernel refuses the program director: R0 !read_ok (Permission denied (os error 13)); all that it said is in {}\n",
            log.display()
        );
        let said = refused.stderr.lines().last().unwrap_or_default();
        assert_eq!(format!("{said}\n"), line, "{}", refused.stderr);
        assert_eq!(refused.status.code(), Some(1));
        assert!(fs::read_to_string(log)?.contains("R0 !read_ok"));
        site.director.start()
    })
}

/// Has the program in the binary begin with a register that nothing has written.
fn spoilt(mut binary: Vec<u8>) -> Result<Vec<u8>> {
    /// `r2 = r0`
    const UNREADABLE: [u8; 8] = [0xbf, 0x02, 0, 0, 0, 0, 0, 0];
    /// 64 bits, low bits first, of any system; relocatable; for BPF.
    const MAGIC: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];
    const OF_BPF: [u8; 4] = [1, 0, 247, 0];
    let mut patched = 0;
    for start in 0..binary.len() - 64 {
        if binary[start..start + 6] != MAGIC || binary[start + 16..start + 20] != OF_BPF {
            continue;
        }
        let word = |at: usize| -> usize {
            let octets = binary[at..at + 8].try_into().expect("eight");
            u64::from_le_bytes(octets) as usize
        };
        let (sections, count) = (start + word(start + 40), usize::from(binary[start + 60]));
        for section in (0..count).map(|i| sections + 64 * i) {
            // `.text` has functions that are called, the others' first is a program.
            let is_code = word(section + 8) == 6;
            let program = start + word(section + 24);
            if is_code && word(section + 32) > 4096 {
                binary[program..program + 8].copy_from_slice(&UNREADABLE);
                patched += 1;
                break;
            }
        }
    }
    anyhow::ensure!(patched > 0, "no program found");
    Ok(binary)
}

/// Of the layout before: its tables, but for whose flows the records are, are as they are now.
#[test]
fn tables_of_the_layout_before_are_taken_over() -> Result<()> {
    let mut site = Site::new("", "rr", 3)?;
    let director = site.lab.host("director").clone();
    let status: Value = serde_json::from_str(&site.drover(&["status", "-o", "json"])?)?;
    let pins = status["pins"].as_str().unwrap_or_default().to_owned();
    unnoticed(&mut site, |site| {
        for killed in [false, true, false] {
            match killed {
                true => site.director.kill9(),
                false => drop(site.director.stop()?),
            }
            let tables = Director::site_below(Path::new(&pins))?.context("no site")?;
            let version = offset_of!(Tables, settings) + offset_of!(Settings, version);
            let version = tables.part::<lb_common::shared::Shared>(version, 1);
            assert_eq!(version[0].load(), LAYOUT_VERSION);
            version[0].store(LAYOUT_VERSION - 1);
            site.director.start()?;
            sleep(Duration::from_millis(300));
        }
        Ok(())
    })?;
    let log = site.director.log();
    let told = "the tables are of this version's layout now: ";
    assert_eq!(log.matches(told).count(), 3, "{log}");
    assert_eq!(director.sh(&format!("ls {pins}"))?, "links\nmaps\n");
    Ok(())
}

/// Has clients at work: pages one connection each, as fast as they come, a download each of both
/// versions, and a thousand datagrams a second, of which each has its number.
fn unnoticed(site: &mut Site, work: impl FnOnce(&mut Site) -> Result<()>) -> Result<()> {
    site.drover(&["service", "add", "udp/172.25.138.100:9000", "-s", "rr"])?;
    for (_, address) in REALS {
        site.drover(&[
            "real",
            "add",
            "udp/172.25.138.100:9000",
            &address.to_string(),
        ])?;
    }
    site.wait_for("udp/172.25.138.100:9000", |all| {
        all.iter().all(|real| real["state"] == "active")
    })?;
    let client = site.lab.host("client").clone();
    let servers = REALS.map(|(name, _)| site.lab.host(name).clone());
    let (done, received) = (AtomicBool::new(false), AtomicU64::new(0));
    let (pages, sent) = thread::scope(|scope| -> Result<_> {
        // Else those at work would wait for ever for one that has failed.
        let _ended = Ended(&done);
        for server in &servers {
            let (done, received) = (&done, &received);
            scope.spawn(move || server.enter(|| receive(done, received)));
        }
        sleep(Duration::from_millis(200));
        let stream = scope.spawn(|| client.enter(|| send(&done))?);
        let downloads = URLS.map(|url| {
            let client = &client;
            scope.spawn(move || download(client, url))
        });
        let pages = URLS.map(|url| {
            let (client, done) = (&client, &done);
            scope.spawn(move || fetch_fast(client, url, done))
        });
        wait("there is work", || Ok(received.load(Relaxed) > 100))?;
        let worked = work(site);
        let downloads = downloads.map(|it| it.join().expect("the thread does not panic"));
        done.store(true, Relaxed);
        let pages = pages.map(|it| it.join().expect("the thread does not panic"));
        let sent = stream.join().expect("the thread does not panic")?;
        worked?;
        for octets in downloads {
            assert_eq!(octets?, Nginx::SLOW, "a download that runs through it all");
        }
        Ok((pages, sent))
    })?;
    for (url, pages) in URLS.into_iter().zip(pages) {
        let pages = pages?;
        println!("{url}: {pages} pages, none failed");
        assert!(pages > 1000, "{url}: only {pages} pages");
    }
    let lost = sent - received.load(Relaxed);
    println!("{sent} datagrams, {lost} lost");
    assert_eq!(lost, 0, "of {sent} datagrams");
    Ok(())
}

struct Ended<'d>(&'d AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Fetches pages by one process for many, each by a connection of its own; returns how many.
fn fetch_fast(client: &tests::Host, url: &str, done: &AtomicBool) -> Result<usize> {
    const PAGES: usize = 200;
    let list = client.dir().join(format!("{}-pages", url.len()));
    fs::write(&list, format!("url = \"{url}\"\n").repeat(PAGES))?;
    let list = list.display().to_string();
    let options = [
        "--fail-early",
        "--max-time",
        "10",
        "-H",
        "Connection: close",
    ];
    let words = [&["curl", "-gsS"][..], &options, &["-K", &list]].concat();
    let mut pages = 0;
    while !done.load(Relaxed) {
        let fetched = client.run(&words)?.success()?;
        assert_eq!(fetched.lines().count(), PAGES, "{url}");
        pages += PAGES;
    }
    Ok(pages)
}

fn send(done: &AtomicBool) -> Result<u64> {
    let socket = UdpSocket::bind("172.25.138.9:9001")?;
    socket.connect("172.25.138.100:9000")?;
    let (start, mut sent) = (Instant::now(), 0_u64);
    while !done.load(Relaxed) {
        socket.send(&sent.to_be_bytes())?;
        sent += 1;
        sleep((PACE * sent as u32).saturating_sub(start.elapsed()));
    }
    // Those on their way.
    sleep(Duration::from_millis(300));
    Ok(sent)
}

fn receive(done: &AtomicBool, received: &AtomicU64) -> Result<()> {
    let socket = UdpSocket::bind("172.25.138.100:9000")?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut buffer = [0; 64];
    let mut quiet = 0;
    while quiet < 5 {
        match socket.recv(&mut buffer) {
            Ok(_) => drop(received.fetch_add(1, Relaxed)),
            Err(_) if done.load(Relaxed) => quiet += 1,
            Err(_) => {}
        }
    }
    Ok(())
}
