//! Files that are wrong, at the start and at a reload.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use anyhow::Result;
use rustix::process::Signal;
use tests::Host;

use crate::{
    CONFIG, State, assert_refused,
    bad::{BAD_START, texts},
    lab, site,
};

#[test]
fn a_bad_file_does_not_start_a_daemon_and_leaves_nothing() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    let start = BAD_START.map(|(what, text, why)| (what, text.into(), why));
    let before = traces(host)?;
    for (what, text, why) in texts().chain(start) {
        fs::write(host.director_config(), text)?;
        let line = format!("{}{why}", host.director_config().display());
        assert_refused(what, &host.drover(&["director"])?, &line);
        assert_eq!(traces(host)?, before, "{what}");
    }
    Ok(())
}

#[test]
fn a_bad_file_is_not_taken_up_by_a_reload() -> Result<()> {
    let (lab, director) = site()?;
    let host = lab.host("director");
    let before = State::of(host)?;
    for (what, text, why) in texts() {
        fs::write(host.director_config(), text)?;
        let line = format!("{}{why}", host.director_config().display());
        assert_refused(what, &host.drover(&["reload"])?, &line);
        fs::write(host.director_config(), CONFIG)?;
        assert_eq!(State::of(host)?, before, "{what}");
    }
    let other = CONFIG.replace("[\"eth0\"]", "[\"eth1\"]");
    let line = "`interfaces` is taken up by a restart of the daemon, which no connection notices";
    assert_refused("interfaces", &director.reload(&other)?, line);
    // A command does not take up by the way what a reload refuses.
    let add = host.drover(&["service", "add", "tcp/10.2.0.100:81"])?;
    assert_refused("interfaces, then a command", &add, line);
    assert_eq!(fs::read_to_string(host.director_config())?, other);

    fs::write(host.director_config(), "[director\n")?;
    director_hears(&director, host, Signal::HUP)?;
    fs::write(host.director_config(), CONFIG)?;
    assert_eq!(State::of(host)?, before, "SIGHUP");
    Ok(())
}

fn director_hears(director: &tests::Director, host: &Host, signal: Signal) -> Result<()> {
    let pid = host.drover(&["status", "-o", "json"])?.success()?;
    let pid: serde_json::Value = serde_json::from_str(&pid)?;
    host.run(&[
        "kill",
        &format!("-{}", signal.as_raw()),
        &pid["pid"].to_string(),
    ])?
    .success()?;
    let line = format!(
        "ERROR not reloaded, all stays as it was: {}:1:10: unclosed table, expected `]`",
        host.director_config().display()
    );
    for _ in 0..100 {
        if director.log().contains(&line) {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{}", director.log());
}

#[test]
fn what_is_no_file_says_so() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    let path = host.director_config();
    let refused = |what: &str, why: &str| -> Result<()> {
        let output = host.drover(&["director"])?;
        assert_refused(what, &output, &format!("{}: {why}", path.display()));
        Ok(())
    };
    refused(
        "none",
        "no such file; write it, or name another with --config",
    )?;
    fs::create_dir(&path)?;
    refused("directory", "not a file; name one with --config")?;
    fs::remove_dir(&path)?;
    for device in ["/dev/zero", "/dev/tty"] {
        symlink(device, &path)?;
        refused(device, "not a file; name one with --config")?;
        fs::remove_file(&path)?;
    }
    host.run(&["mkfifo".as_ref(), path.as_os_str()])?
        .success()?;
    refused("pipe", "not a file; name one with --config")?;
    fs::remove_file(&path)?;
    fs::write(&path, CONFIG)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000))?;
    // What makes root read anything.
    let mut words: Vec<_> = [
        "setpriv",
        "--bounding-set",
        "-dac_override,-dac_read_search",
    ]
    .map(Into::into)
    .to_vec();
    words.extend(host.drover_words(&["director"]));
    let line = format!("{}: Permission denied (os error 13)", path.display());
    assert_refused("unreadable", &host.run(&words)?, &line);
    fs::remove_file(&path)?;
    fs::File::create(&path)?.set_len((16 << 20) + 1)?;
    refused("huge", "16777217 octets; at most 16777216")
}

fn traces(host: &Host) -> Result<String> {
    host.sh(&format!(
        "ip -4 -oneline address; ip -details link | grep -o 'xdp.*'; ls -A {} {} | grep -v toml; true",
        host.pins().display(),
        host.dir().display()
    ))
}
