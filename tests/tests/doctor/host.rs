//! The host: its rights and its bpffs; which role it has; and what the command line takes.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::patient::{
    Role::{Director, RealServer},
    file, lab, paths, sh,
};

#[test]
fn rights_that_are_missing_are_named() -> Result<()> {
    let lab = lab()?;
    let director = lab.host("director");
    let words = format!(
        "setpriv --inh-caps=-all --bounding-set=-all,+net_admin,+bpf drover doctor -o json {}",
        paths(director, Director)
    );
    let output = sh(director, Director, &words)?;
    assert_eq!(output.status.code(), Some(5), "{}", output.stderr);
    let found: Vec<Value> = serde_json::from_str(&output.stdout)?;
    let rights = found
        .iter()
        .find(|it| it["id"] == "rights")
        .context("no rights")?;
    assert_eq!(rights["severity"], "error");
    assert_eq!(rights["what"], "has no CAP_PERFMON, CAP_NET_RAW");
    // The very command, where there need be no sudo.
    let fix = rights["fix"].as_str().context("no fix")?;
    let again = fix.strip_prefix("sudo ").context("without sudo")?;
    let output = sh(director, Director, &format!("{again} -o json"))?;
    let found: Vec<Value> = serde_json::from_str(&output.stdout)?;
    let rights = found
        .iter()
        .find(|it| it["id"] == "rights")
        .context("no rights")?;
    assert_eq!(rights["severity"], "ok");
    Ok(())
}

#[test]
fn a_directory_without_a_bpffs_is_found() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server2");
    let pins = server.dir().join("pins");
    fs::create_dir(&pins)?;
    let bpffs = || -> Result<Value> {
        let words = format!(
            "drover doctor --role realserver -o json --pins {}",
            pins.display()
        );
        let found: Vec<Value> = serde_json::from_str(&sh(server, RealServer, &words)?.stdout)?;
        let mut found = found.into_iter();
        found.find(|it| it["id"] == "bpffs").context("no bpffs")
    };
    let found = bpffs()?;
    assert_eq!(found["severity"], "error");
    let fix = found["fix"].as_str().context("no fix")?;
    // In the mounts of all, where an operator's shell is.
    let mounted = Command::new("sh").args(["-c", fix]).status()?;
    ensure!(mounted.success(), "{fix}");
    let found = bpffs();
    let unmounted = Command::new("umount").arg(&pins).status()?;
    assert_eq!(found?["severity"], "ok");
    ensure!(unmounted.success(), "umount");
    Ok(())
}

#[test]
fn a_role_is_guessed_or_asked_for() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server2");
    let line = |words: &str| sh(server, RealServer, &format!("env -u DROVER_CONFIG {words}"));
    // By the file's section.
    let config = file(server, RealServer).display().to_string();
    let output = line(&format!("drover doctor --config {config} -o json"))?;
    let found: Vec<Value> = serde_json::from_str(&output.stdout)?;
    let companion = found.iter().find(|it| it["id"] == "companion");
    assert_eq!(companion.context("no companion")?["severity"], "note");
    let none = format!("drover doctor --socket {config}.none");
    let output = line(&none)?;
    assert_eq!(output.status.code(), Some(1));
    let want = "drover: there is neither /etc/drover/director.toml nor /etc/drover/realserver.toml; say what this host is to be: --role director or --role realserver\n";
    assert_eq!(output.stderr, want);
    // Without a file, the host itself is examined, and what is to be done is said.
    let output = line(&format!(
        "drover doctor --role director --socket {config}.none"
    ))?;
    assert_eq!(output.status.code(), Some(0), "{}", output.stdout);
    assert!(
        output
            .stdout
            .contains("fix: drover install --role director\n"),
        "{}",
        output.stdout
    );
    let missing = line(&format!("drover doctor --config {config}.none"))?;
    assert!(
        missing.stderr.starts_with("drover: cannot read "),
        "{}",
        missing.stderr
    );
    Ok(())
}
