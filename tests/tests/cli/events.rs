//! What happens, as `drover events` tells it.

use anyhow::Result;
use serde_json::Value;
use tests::wait;

use crate::site;

const EDIT: [&str; 4] = ["real", "edit", "tcp/10.2.0.100:80", "10.2.0.2"];

#[test]
fn events_are_told_once_also_over_a_restart() -> Result<()> {
    let (lab, mut director) = site()?;
    let host = lab.host("director");
    let edit = |weight: &str| {
        host.drover(&[&EDIT[..], &["-w", weight]].concat())?
            .success()
    };
    edit("5")?;
    let last = host.drover(&["events"])?.success()?;
    let of_edit: Vec<&str> = last.lines().filter(|it| it.contains("weight")).collect();
    assert_eq!(of_edit.len(), 1, "{last}");

    let words = host.drover_words(&["events", "-f", "-o", "json"]);
    let words: Vec<_> = words.iter().map(|it| it.to_string_lossy()).collect();
    let mut follower = host.spawn(&["sh", "-c", &format!("exec {}", words.join(" "))])?;
    let told = |log: &str| -> Vec<Value> {
        let lines = log.lines().filter_map(|it| serde_json::from_str(it).ok());
        let configs = lines.filter(|it: &Value| it["event"] == "config");
        configs.collect()
    };
    wait("what was before is told", || {
        Ok(told(&follower.log()).len() == 1)
    })?;
    edit("6")?;
    wait("what happens is told", || {
        Ok(told(&follower.log()).len() == 2)
    })?;
    director.kill9();
    director.start()?;
    wait("it has found the next daemon", || {
        Ok(follower.log().contains("drover: the daemon is back\n"))
    })?;
    edit("7")?;
    wait("what happens then is told", || {
        Ok(told(&follower.log()).len() == 3)
    })?;
    let log = follower.log();
    let gone = "drover: the daemon has gone; waiting for it\n";
    assert_eq!(log.matches(gone).count(), 1, "{log}");
    // Each of the three, and none of them again.
    let mut hows: Vec<String> = told(&log).iter().map(|it| it["how"].to_string()).collect();
    hows.dedup();
    assert_eq!(hows.len(), 3, "{log}");
    assert!(
        follower.stop()?.code().is_none(),
        "it ends by the signal alone"
    );
    Ok(())
}

/// Nothing happens after the first line, and so nothing is printed that would fail.
#[test]
fn a_follower_whose_reader_has_gone_ends_quietly() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    host.drover(&[&EDIT[..], &["-w", "5"]].concat())?
        .success()?;
    let words = host.drover_words(&["events", "-f"]);
    let words: Vec<_> = words.iter().map(|it| it.to_string_lossy()).collect();
    let line = format!("{{ {}; echo $? >&2; }} | head -1", words.join(" "));
    let output = host.run(&["sh", "-c", &line])?;
    assert_eq!(output.stderr, "0\n");
    assert_eq!(output.stdout.lines().count(), 1);
    Ok(())
}
