//! A daemon that is not there, may not be, or is there already.

use std::{fs, mem::offset_of, os::unix::net::UnixListener, path::Path};

use anyhow::{Context as _, Result};
use lb_common::tables::{LAYOUT_VERSION, Settings, Site, Timeouts};
use lb_user::dataplane::director::Director;

use crate::{CONFIG, State, as_nobody, assert_refused, lab, site};

const ATTACH: [&str; 6] = [
    "realserver",
    "attach",
    "--interface",
    "eth0",
    "--vip",
    "10.2.0.100",
];

#[test]
fn without_a_daemon_commands_say_how_to_start_it() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    let socket = host.dir().join("director.sock");
    fs::write(host.director_config(), CONFIG)?;
    let line = format!(
        "no daemon answers on {}; start it with `systemctl start drover-director`, or name its socket with --socket",
        socket.display()
    );
    let all_say_so = |what: &str| -> Result<()> {
        for words in [
            &["list"][..],
            &["status"],
            &["reload"],
            &["service", "remove", "tcp/10.2.0.100:80"],
        ] {
            assert_refused(what, &host.drover(words)?, &line);
        }
        assert_eq!(fs::read_to_string(host.director_config())?, CONFIG);
        Ok(())
    };
    all_say_so("no socket")?;
    drop(UnixListener::bind(&socket)?);
    all_say_so("a socket that nobody listens on")?;
    fs::remove_file(&socket)?;
    fs::create_dir(&socket)?;
    all_say_so("a directory")?;
    let line = format!(
        "{} is not a socket; name another path with --socket",
        socket.display()
    );
    assert_refused("a directory", &host.drover(&["director"])?, &line);
    fs::remove_dir(&socket)?;
    fs::write(&socket, "precious")?;
    assert_refused("a file", &host.drover(&["director"])?, &line);
    assert_eq!(fs::read_to_string(&socket)?, "precious");
    assert_eq!(fs::read_dir(host.pins())?.count(), 0);
    Ok(())
}

#[test]
fn who_is_not_root_is_told_so() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let before = State::of(host)?;
    let socket = host.dir().join("director.sock");
    let line = format!(
        "not permitted to use {}; be root, or in the group drover to read",
        socket.display()
    );
    for words in [
        &["list"][..],
        &["service", "remove", "tcp/10.2.0.100:80"],
        &["reload"],
    ] {
        assert_refused("nobody", &host.run(&as_nobody(&lab, words)?)?, &line);
    }
    let line = "not permitted: this needs CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON; run it as root";
    for words in [&["director"][..], &["director", "detach"], &ATTACH] {
        assert_refused(&words.join(" "), &host.run(&as_nobody(&lab, words)?)?, line);
    }
    assert_eq!(State::of(host)?, before);
    Ok(())
}

#[test]
fn a_second_daemon_is_refused() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let before = State::of(host)?;
    let line = "another `drover director` runs in this network namespace";
    assert_refused("the same", &host.drover(&["director"])?, line);
    assert_refused("detach", &host.drover(&["director", "detach"])?, line);

    // With pins of its own, but the other's socket.
    let pins = host.pins().join("other");
    let mut words = host.drover_words(&["director"]);
    let at = words
        .iter()
        .position(|word| word == host.pins().as_os_str());
    words[at.expect("--pins is among the words")] = pins.clone().into();
    let socket = host.dir().join("director.sock");
    let line = format!(
        "another daemon answers on {}; name another path with --socket",
        socket.display()
    );
    assert_refused("its socket", &host.run(&words)?, &line);
    assert!(!pins.join("director").exists());
    assert_eq!(State::of(host)?, before);
    Ok(())
}

#[test]
fn pins_on_no_bpffs_are_refused() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    fs::write(host.director_config(), CONFIG)?;
    let pins = host.dir().join("pins");
    fs::create_dir(&pins)?;
    let mut words = host.drover_words(&["director"]);
    let at = words
        .iter()
        .position(|word| word == host.pins().as_os_str());
    words[at.expect("--pins is among the words")] = pins.clone().into();
    let line = format!(
        "the pins directory {pins} is not on a bpffs, where alone programs can be pinned; mount one: mount -t bpf bpf {pins}",
        pins = pins.display()
    );
    assert_refused("a directory", &host.run(&words)?, &line);
    assert_eq!(fs::read_dir(&pins)?.count(), 0);
    Ok(())
}

#[test]
fn an_interface_that_another_program_has_is_left_to_it() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    // The other's daemon has the same interface, but neither pins nor a socket in common.
    let _other = host.director(CONFIG)?;
    let before = State::of(host)?;
    let mut words = host.drover_words(&["director"]);
    for word in &mut words {
        if word == host.pins().as_os_str() {
            *word = host.pins().join("other").into();
        } else if *word == *host.dir().join("director.sock").as_os_str() {
            *word = host.dir().join("other.sock").into();
        }
    }
    let line = "eth0 has another XDP program, which `ip link show eth0` names; detach it first";
    assert_refused("taken", &host.run(&words)?, line);
    assert_eq!(State::of(host)?, before);
    let left = host.pins().join("other/director");
    assert!(
        !left.exists(),
        "{}",
        host.sh(&format!("find {}", left.display()))?
    );
    assert!(!host.dir().join("other.sock").exists());
    Ok(())
}

#[test]
fn pins_of_another_layout_are_left_alone() -> Result<()> {
    let (lab, mut director) = site()?;
    let host = lab.host("director");
    let pins = host.drover(&["status", "-o", "json"])?.success()?;
    let pins: serde_json::Value = serde_json::from_str(&pins)?;
    let pins = pins["pins"].as_str().unwrap_or_default().to_owned();
    director.stop()?;
    let other = LAYOUT_VERSION + 1;
    let site = Director::site_below(Path::new(&pins))?.context("no site")?;
    let mut settings = Settings::new(Timeouts::IPVS, [0; 2]);
    settings.version = other;
    site.part(offset_of!(Site, settings), 1).write(0, settings);
    let tree = host.sh(&format!("find {pins}"))?;
    let line = format!(
        "the maps below {pins} have layout {other}, this program has {LAYOUT_VERSION}; `drover director detach` removes them"
    );
    assert_refused("layout", &host.drover(&["director"])?, &line);
    assert_eq!(host.sh(&format!("find {pins}"))?, tree);
    Ok(())
}

#[test]
fn a_reader_that_goes_away_is_no_failure() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let words = host.drover_words(&["list"]);
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    // Nobody reads: the pipe's reader has ended before anything is written.
    let line = format!("{{ sleep 0.3; {}; echo $? >&2; }} | true", words.join(" "));
    let output = host.run(&["sh", "-c", &line])?;
    assert_eq!(output.stderr, "0\n");
    Ok(())
}

#[test]
fn the_help_has_a_word_for_everything() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    for words in [
        &["help"][..],
        &["help", "real", "add"],
        &["help", "service", "add"],
        &["help", "realserver", "attach"],
    ] {
        let mut command = vec![tests::drover_binary().into_os_string()];
        command.extend(words.iter().map(Into::into));
        let help = host.run(&command)?.success()?;
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        for two in lines.windows(2) {
            let is_bare = two[0].starts_with("  <") && two[0].ends_with('>') && two[1].is_empty();
            assert!(!is_bare, "{} is not explained in\n{help}", two[0]);
        }
        assert!(help.contains("Usage: drover "), "{help}");
    }
    Ok(())
}
