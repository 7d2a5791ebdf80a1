//! The alerts, by Prometheus's own tool.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::repository;

#[test]
fn the_alerts_are_right_and_fire_when_they_should() -> Result<()> {
    let rules = repository("packaging/prometheus/drover.rules.yml");
    let tests = repository("tests/tests/metrics/rules.test.yml");
    for (words, file) in [
        (&["check", "rules", "--lint-fatal"][..], &rules),
        (&["test", "rules"], &tests),
    ] {
        let output = Command::new("promtool").args(words).arg(file).output();
        let output = output.context("promtool (Debian: apt install prometheus)")?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        ensure!(output.status.success(), "{words:?}: {said}");
        println!("{said}");
    }
    Ok(())
}

/// By the names in the tests' file: each alert is in the case where all fire, and in the one where none does.
#[test]
fn each_alert_is_tested_and_says_what_to_do() -> Result<()> {
    let rules = std::fs::read_to_string(repository("packaging/prometheus/drover.rules.yml"))?;
    let tests = std::fs::read_to_string(repository("tests/tests/metrics/rules.test.yml"))?;
    let alerts = rules.split("- alert: ").skip(1);
    let mut count = 0;
    for alert in alerts {
        let name = alert.lines().next().context("a name")?;
        for part in ["summary: ", "description: ", "severity: "] {
            ensure!(alert.contains(part), "{name} has no {part}");
        }
        let silent = format!("alertname: {name}, eval_time: 9m, exp_alerts: []");
        let fires = format!("{{alertname=\"{name}\"}}");
        ensure!(tests.contains(&silent) && tests.contains(&fires), "{name}");
        count += 1;
    }
    assert_eq!(count, 10);
    Ok(())
}
