//! A site with its files, and what the doctor says of each host.

use std::{fs, net::Ipv4Addr, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::{Host, Lab, Output, drover_binary, wait_within};

pub(crate) const VIP: &str = "10.4.0.100";
pub(crate) const VIP6: &str = "2001:db8:4::100";
pub(crate) const CONFIG: &str = r#"[director]
interfaces = ["eth0"]

[[service]]
listen = "tcp/10.4.0.100:80"
scheduler = "rr"

[[service.real]]
address = "10.4.0.2"

[[service.real]]
address = "10.4.0.3"
"#;
const REAL_SERVER: &str = r#"[realserver]
interfaces = ["eth0"]
vips = ["10.4.0.100"]
"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Director,
    RealServer,
}

use Role::{Director, RealServer};

pub(crate) fn lab() -> Result<Lab> {
    let host = |last| Ipv4Addr::new(10, 4, 0, last);
    let lab = Lab::new(&[
        ("client", host(9)),
        ("director", host(5)),
        ("server2", host(2)),
        ("server3", host(3)),
    ])?;
    fs::write(file(lab.host("director"), Director), CONFIG)?;
    for name in ["server2", "server3"] {
        fs::write(file(lab.host(name), RealServer), REAL_SERVER)?;
    }
    Ok(lab)
}

pub(crate) fn file(host: &Host, role: Role) -> PathBuf {
    match role {
        Director => host.director_config(),
        RealServer => host.dir().join("realserver.toml"),
    }
}

/// A host's own paths, as options.
pub(crate) fn paths(host: &Host, role: Role) -> String {
    format!(
        "--config {} --socket {} --pins {}",
        file(host, role).display(),
        host.dir().join("director.sock").display(),
        host.pins().display()
    )
}

/// Runs a line of shell on a host, with `drover` where an operator has it, and the host's paths.
pub(crate) fn sh(host: &Host, role: Role, line: &str) -> Result<Output> {
    let bin = drover_binary();
    let bin = bin.parent().context("the binary is in no directory")?;
    let line = format!(
        "export PATH={}:$PATH DROVER_CONFIG={} DROVER_PINS={}; {line}",
        bin.display(),
        file(host, role).display(),
        host.pins().display()
    );
    host.run(&["sh", "-c", &line])
}

/// Attaches the companions.
pub(crate) fn attach(lab: &Lab) -> Result<()> {
    for name in ["server2", "server3"] {
        sh(lab.host(name), RealServer, "drover realserver attach")?.success()?;
    }
    Ok(())
}

pub(crate) fn doctor(host: &Host, role: Role, options: &str) -> Result<Output> {
    sh(
        host,
        role,
        &format!("drover doctor {options} {}", paths(host, role)),
    )
}

/// All findings.
pub(crate) fn findings(host: &Host, role: Role) -> Result<Vec<Value>> {
    let output = doctor(host, role, "-o json")?;
    let found: Vec<Value> = serde_json::from_str(&output.stdout).context(output.stderr)?;
    let severities = found.iter().map(|it| it["severity"].as_str());
    let rank = |severity| {
        ["ok", "note", "warning", "error"]
            .map(Some)
            .iter()
            .position(|it| *it == severity)
    };
    let code = match severities.filter_map(rank).max() {
        Some(3) => 5,
        Some(2) => 4,
        _ => 0,
    };
    ensure!(
        output.status.code() == Some(code),
        "exit {}, want {code}",
        output.status
    );
    Ok(found)
}

/// What is worth a warning, as `ID SEVERITY SUBJECT`.
pub(crate) fn told(host: &Host, role: Role) -> Result<Vec<String>> {
    let found = findings(host, role)?.into_iter();
    let grave = found.filter(|it| it["severity"] == "warning" || it["severity"] == "error");
    let told = grave.map(|it| {
        let word = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", word("id"), word("severity"), word("subject"))
    });
    Ok(told.collect())
}

/// Waits until nothing is worth a warning.
pub(crate) fn is_sound(host: &Host, role: Role) -> Result<()> {
    let mut last = Vec::new();
    wait_within(
        Duration::from_secs(20),
        "nothing is worth a warning",
        || {
            last = told(host, role)?;
            Ok(last.is_empty())
        },
    )
    .with_context(|| format!("{last:?}"))
}

/// A fault: what is done, and the finding that it gives.
pub(crate) struct Fault<'a> {
    pub(crate) host: &'a str,
    pub(crate) role: Role,
    pub(crate) harm: String,
    pub(crate) id: &'a str,
    pub(crate) severity: &'a str,
    pub(crate) subject: &'a str,
    /// How it is undone, if no command is to be given; else that command is run.
    pub(crate) undo: Option<&'a str>,
}

impl Fault<'_> {
    /// Makes it, finds it, mends it by the finding's command, and does not find it any more.
    pub(crate) fn is_found_and_mended(&self, lab: &Lab) -> Result<()> {
        self.found_and_mended(lab)
            .with_context(|| self.harm.clone())
    }

    fn found_and_mended(&self, lab: &Lab) -> Result<()> {
        let Self { role, id, .. } = *self;
        let host = lab.host(self.host);
        sh(host, role, &self.harm)?.success()?;
        let mut last = Vec::new();
        let mut found = Value::Null;
        wait_within(Duration::from_secs(20), "it is found", || {
            last = findings(host, role)?;
            let it = last.iter().find(|it| self.is_it(it));
            found = it.cloned().unwrap_or_default();
            Ok(!found.is_null())
        })
        .with_context(|| format!("{last:#?}"))?;
        ensure!(found["why"].is_string(), "{found}");
        match (self.undo, found["fix"].as_str()) {
            (Some(undo), None) => sh(host, role, undo)?.success()?,
            (None, Some(fix)) => match found["fix_on"].as_str() {
                None => sh(host, role, fix)?.success()?,
                Some(on) => {
                    let mut hosts = lab.hosts().iter();
                    let on = hosts.find(|it| it.address().to_string() == on);
                    sh(on.context("no such host")?, RealServer, fix)?.success()?
                }
            },
            (undo, fix) => anyhow::bail!("{undo:?} {fix:?}: {found}"),
        };
        wait_within(Duration::from_secs(20), "it is gone", || {
            last = findings(host, role)?;
            Ok(!last.iter().any(|it| it["id"] == id && self.is_it(it)))
        })
        .with_context(|| format!("{found:#} {last:#?}"))
    }

    fn is_it(&self, finding: &Value) -> bool {
        finding["id"] == self.id
            && finding["severity"] == self.severity
            && finding["subject"] == self.subject
    }
}
