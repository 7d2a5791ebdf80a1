//! Changes as transactions: shown, made, taken back, and what a crash in their midst leaves.

use std::{fs, thread::sleep, time::Duration};

use anyhow::Result;
use serde_json::Value;
use tests::{Host, wait_within};

use crate::{CONFIG, State, assert_refused, lab, site};

/// Of the web service, all that can be said of a change; and another service in the place of DNS.
const OTHER: &str = r#"
[director]
interfaces = ["eth0"]
timeouts = { tcp = 600 }

[[service]]
listen = ["tcp/10.2.0.100:80", "tcp/10.2.0.100:443"]
scheduler = "mh"
no_member = "drop"

[[service.real]]
address = "10.2.0.2"
weight = 5

[[service.real]]
address = "10.2.0.4"

[[service]]
listen = "udp/10.2.0.101:53"
"#;

const THERE: &str = "\
~ timeouts.tcp 900 -> 600
~ service tcp/10.2.0.100:80
    ~ also tcp/10.2.0.100:443
    ~ no_member drop
    ~ scheduler rr -> mh
    ~ real 10.2.0.2 weight 2 -> 5
    + real 10.2.0.4 weight 1
    - real 10.2.0.3
    no connection is cut
+ service udp/10.2.0.101:53
    ~ scheduler wrr
- service udp/10.2.0.100:53
    no connection is cut
";

const BACK: &str = "\
~ timeouts.tcp 600 -> 900
~ service tcp/10.2.0.100:80
    ~ also tcp/10.2.0.100:443 -> default
    ~ no_member drop -> default
    ~ scheduler mh -> rr
    ~ real 10.2.0.2 weight 5 -> 2
    + real 10.2.0.3 weight 1
    - real 10.2.0.4
    connections are cut: 0 with a record, and those without
+ service udp/10.2.0.100:53
    ~ scheduler wrr
- service udp/10.2.0.101:53
    no connection is cut
";

#[test]
fn what_a_file_changes_is_shown_made_and_taken_back() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let other = host.dir().join("other.toml");
    fs::write(&other, OTHER)?;
    let other = other.display().to_string();
    let before = State::of(host)?;
    let drover = |words: &[&str]| host.drover(words)?.success();

    assert_eq!(drover(&["diff"])?, "nothing changes\n");
    assert_eq!(drover(&["diff", &other])?, THERE);
    let codes = [
        vec!["diff", "--exit-code"],
        vec!["diff", &other, "--exit-code"],
    ]
    .map(|words| host.drover(&words).map(|it| it.status.code()));
    assert_eq!(codes.map(Result::ok), [Some(Some(0)), Some(Some(1))]);
    let larger = host.dir().join("larger.toml");
    let sizes = "[director]\nflow_memory = \"32MiB\"\nleak_check = 0";
    fs::write(&larger, CONFIG.replace("[director]", sizes))?;
    assert_eq!(
        drover(&["diff", &larger.display().to_string()])?,
        "~ flow_memory 16MiB -> 32MiB\n~ leak_check 60 -> 0\n"
    );
    assert_eq!(State::of(host)?, before, "nothing was done");

    let line = format!(
        "there is nothing to take back: no change has been made yet to {}",
        host.director_config().display()
    );
    assert_refused("undo", &host.drover(&["undo"])?, &line);
    let json: Value = serde_json::from_str(&drover(&["apply", &other, "-o", "json"])?)?;
    assert_eq!(json["director"][0]["after"], "600");
    assert_eq!(json["services"][2]["change"], "removed");
    assert_eq!(fs::read_to_string(host.director_config())?, OTHER);
    assert_eq!(drover(&["diff", &other])?, "nothing changes\n");
    assert_eq!(
        drover(&["timeouts"])?,
        "Timeout (tcp tcpfin udp): 600 120 300\n"
    );
    let after = State::of(host)?;

    assert_eq!(drover(&["undo"])?, BACK);
    assert_eq!(State::of(host)?, before);
    assert_eq!(drover(&["undo"])?, THERE, "which takes back the undoing");
    assert_eq!(State::of(host)?, after);
    // What is changed by a command, and by hand, too.
    drover(&["real", "edit", "tcp/10.2.0.100:80", "10.2.0.2", "-w", "9"])?;
    drover(&["undo"])?;
    assert_eq!(State::of(host)?, after);
    fs::write(host.director_config(), CONFIG)?;
    assert_eq!(drover(&["diff"])?, BACK);
    drover(&["reload"])?;
    drover(&["reload"])?;
    assert_eq!(State::of(host)?, before);
    drover(&["undo"])?;
    assert_eq!(
        State::of(host)?,
        after,
        "a reload of nothing new is no step"
    );
    Ok(())
}

#[test]
fn what_cannot_be_applied_changes_nothing() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let before = State::of(host)?;
    let other = host.dir().join("other.toml");
    let name = other.display().to_string();
    for (what, text, line) in [
        (
            "no TOML",
            "[director".to_owned(),
            format!("{name}:1:10: unclosed table, expected `]`"),
        ),
        (
            "a real server elsewhere",
            OTHER.replace("10.2.0.4", "10.9.0.4"),
            format!(
                "{name}:16:11: service tcp/10.2.0.100:80: real server 10.9.0.4 is not on the link of eth0 (10.2.0.5/24); direct routing reaches it by its MAC alone"
            ),
        ),
        (
            "another interface",
            OTHER.replace("eth0", "lo"),
            "`interfaces` is taken up by a restart of the daemon, which no connection notices"
                .to_owned(),
        ),
    ] {
        fs::write(&other, text)?;
        for words in [["apply", &name], ["diff", &name]] {
            assert_refused(what, &host.drover(&words)?, &line);
            assert_eq!(State::of(host)?, before, "{what}");
        }
    }
    let line = format!(
        "{}: no such file; write it, or name another with --config",
        "none.toml"
    );
    assert_refused("no file", &host.drover(&["apply", "none.toml"])?, &line);
    let usage = host.drover(&["apply", &name, "--confirm-within", "2d"])?;
    assert_eq!(usage.status.code(), Some(2));
    assert!(
        usage.stderr.starts_with("error: invalid value '2d' for '--confirm-within <TIME>': it is a time as in 60s, 5m or 1h, up to a day\n"),
        "{}",
        usage.stderr
    );

    // What somebody is at work at is not written over.
    fs::write(&other, OTHER)?;
    let by_hand = CONFIG.replace("\"rr\"", "\"wrr\"");
    fs::write(host.director_config(), &by_hand)?;
    let line = format!(
        "{} has been edited since it was read; see `drover diff`, then `drover reload`, or put it back",
        host.director_config().display()
    );
    assert_refused("edited", &host.drover(&["apply", &name])?, &line);
    assert_eq!(fs::read_to_string(host.director_config())?, by_hand);
    host.drover(&["apply", &host.director_config().display().to_string()])?
        .success()?;
    Ok(())
}

#[test]
fn what_is_not_confirmed_is_taken_back() -> Result<()> {
    let (lab, mut director) = site()?;
    let host = lab.host("director");
    let other = host.dir().join("other.toml");
    fs::write(&other, OTHER)?;
    let other = other.display().to_string();
    let apply = |within: &str| {
        host.drover(&["apply", &other, "--confirm-within", within])?
            .success()
    };
    // Not the program's number, which is another daemon's.
    let state = || State::of(host).map(|it| (it.list, it.file));
    let before = state()?;
    let is_before = || Ok(state()? == before);

    apply("2s")?;
    let after = state()?;
    assert_ne!(after, before);
    for words in [
        &["reload"][..],
        &["apply", &other],
        &["service", "remove", "tcp/10.2.0.100:80"],
    ] {
        let refused = host.drover(words)?;
        let told = refused
            .stderr
            .starts_with("drover: the last change waits to be confirmed, ")
            && refused
                .stderr
                .ends_with(" s more: `drover confirm` keeps it, `drover undo` takes it back\n");
        assert!(told, "{}", refused.stderr);
    }
    assert!(
        host.drover(&["status"])?
            .success()?
            .contains("\nunconfirmed  the last change is taken back in ")
    );
    wait_within(Duration::from_secs(4), "taken back", is_before)?;
    assert!(
        director.log().contains("not confirmed in time"),
        "{}",
        director.log()
    );

    apply("1s")?;
    host.drover(&["confirm"])?.success()?;
    assert_refused(
        "twice",
        &host.drover(&["confirm"])?,
        "no change waits to be confirmed",
    );
    sleep(Duration::from_millis(2500));
    assert_eq!(state()?, after);
    host.drover(&["undo"])?.success()?;

    // A daemon that comes back takes it back: in time, or later.
    apply("3s")?;
    director.kill9();
    director.start()?;
    assert_eq!(state()?, after);
    wait_within(Duration::from_secs(5), "taken back by the next", is_before)?;
    apply("1s")?;
    director.kill9();
    sleep(Duration::from_secs(2));
    director.start()?;
    assert_eq!(state()?, before);

    // At once.
    apply("60s")?;
    host.drover(&["undo"])?.success()?;
    assert_eq!(state()?, before);
    assert_refused(
        "undone",
        &host.drover(&["confirm"])?,
        "no change waits to be confirmed",
    );
    Ok(())
}

/// The daemon is killed at the n-th of each of the system calls by which it writes.
#[test]
fn a_crash_in_the_midst_of_a_change_leaves_the_old_or_the_new() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    let mut director = host.director(CONFIG)?;
    let other = host.dir().join("other.toml");
    fs::write(&other, OTHER)?;
    let other = other.display().to_string();
    let (mut old, mut new) = (0, 0);
    let points = [("rename", 3), ("fsync", 6), ("fchmod", 3)];
    for (call, most) in points {
        for n in 1..=most {
            let mut strace = director.kill_at(call, n)?;
            let applied = host.drover(&["apply", &other, "--confirm-within", "600s"])?;
            let what = format!("{call} {n}");
            assert!(!applied.status.success(), "{what} was never called");
            strace.wait(Duration::from_secs(5))?;
            director.kill9();
            let text = fs::read_to_string(host.director_config())?;
            assert!(text == CONFIG || text == OTHER, "{what}: {text}");
            director.start()?;
            let list = host.drover(&["list", "-o", "json"])?.success()?;
            let list: Value = serde_json::from_str(&list)?;
            let is_new = text == OTHER;
            assert_eq!(
                list[0]["scheduler"],
                if is_new { "mh" } else { "rr" },
                "{what}"
            );
            if is_new {
                new += 1;
                host.drover(&["undo"])?.success()?;
            } else {
                old += 1;
                // It may wait for a change that was not made.
                let waits = host.drover(&["confirm"])?;
                assert!(
                    waits.status.success() || waits.stderr.contains("no change"),
                    "{what}"
                );
            }
            assert_eq!(
                fs::read_to_string(host.director_config())?,
                CONFIG,
                "{what}"
            );
        }
    }
    println!(
        "killed {} times: {old} times the old, {new} times the new",
        old + new
    );
    assert!(old > 0 && new > 0);
    Ok(())
}

/// What is kept beside the file has its permissions.
#[test]
fn what_is_kept_is_for_the_same_eyes() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let (lab, _director) = site()?;
    let host: &Host = lab.host("director");
    let mode = |path: &std::path::Path| {
        Ok::<_, anyhow::Error>(fs::metadata(path)?.permissions().mode() & 0o777)
    };
    fs::set_permissions(host.director_config(), fs::Permissions::from_mode(0o640))?;
    host.drover(&["service", "remove", "udp/10.2.0.100:53"])?
        .success()?;
    let kept = host.dir().join("director.toml.undo");
    assert_eq!(fs::read_to_string(&kept)?, CONFIG);
    assert_eq!(mode(&kept)?, 0o640);
    assert_eq!(mode(&host.director_config())?, 0o640);
    Ok(())
}
