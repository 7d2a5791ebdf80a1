//! `drover doctor`: is this host, and its network, as a director or a real server needs it?
//!
//! What there is to see is read first ([`seen`], [`site`]); each check is a function from that to findings, so
//! that it can be asked about hosts that are not there. It changes nothing: it loads programs and lets them
//! go, and asks the LAN who has which address.

mod addresses;
mod bpf;
mod companion;
mod daemon;
mod driver;
pub mod finding;
mod heard;
mod kernel;
mod leak;
mod link;
mod neighbours;
mod netfilter;
mod offloads;
mod rivals;
mod seen;
mod site;
mod sysctl;
#[cfg(test)]
mod testing;

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

use self::{
    daemon::Daemon,
    finding::{Finding, Severity},
    heard::Heard,
    seen::Seen,
    site::Site,
};
use crate::{
    cli::{Places, progress::Progress},
    config::realserver,
    dataplane::pins::{Pins, Role},
    net,
};

const DIRECTOR: &str = "/etc/drover/director.toml";

/// Makes all checks of a role, or of those that this host seems to have. An error: none was made.
pub fn examine(role: Option<Role>, places: &Places, progress: &Progress) -> Result<Vec<Finding>> {
    let roles = match role {
        Some(role) => vec![role],
        None => guess(places)?,
    };
    let mut findings: Vec<Finding> = Vec::new();
    for role in roles {
        // What both ask about the host is told once.
        let found = examine_as(role, places, progress)?;
        let is_new = |it: &Finding| !findings.contains(it);
        let new: Vec<Finding> = found.into_iter().filter(is_new).collect();
        findings.extend(new);
    }
    Ok(findings)
}

/// The gravest.
pub fn verdict(findings: &[Finding]) -> Severity {
    let severities = findings.iter().map(|finding| finding.severity);
    severities.max().unwrap_or(Severity::Ok)
}

/// By the file that is named, else by the files and pins that are there.
fn guess(places: &Places) -> Result<Vec<Role>> {
    if let Some(config) = &places.config {
        let text = fs::read_to_string(config)
            .with_context(|| format!("cannot read {}", config.display()))?;
        let is_section = |line: &str| line.trim_start().starts_with("[realserver]");
        return Ok(match text.lines().any(is_section) {
            true => vec![Role::RealServer],
            false => vec![Role::Director],
        });
    }
    let has_pins = |role| matches!(Pins::find(places.pins.as_deref(), role), Ok(Some(_)));
    let director = Path::new(DIRECTOR).exists() || places.socket.exists();
    let realserver = Path::new(realserver::PATH).exists();
    let mut roles = Vec::new();
    if director || has_pins(Role::Director) {
        roles.push(Role::Director);
    }
    if realserver || has_pins(Role::RealServer) {
        roles.push(Role::RealServer);
    }
    if roles.is_empty() {
        bail!(
            "there is neither {DIRECTOR} nor {}; say what this host is to be: --role director or --role realserver",
            realserver::PATH
        );
    }
    Ok(roles)
}

fn examine_as(role: Role, places: &Places, progress: &Progress) -> Result<Vec<Finding>> {
    // It has a runtime of its own.
    let daemon = (role == Role::Director).then(|| Daemon::ask(&places.socket));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    runtime.block_on(async {
        let netlink = net::connect()?;
        let (site, mut findings) = Site::read(role, places, &netlink).await;
        let seen = Seen::read(&site, &netlink).await?;
        findings.extend(kernel::check(role));
        findings.extend(bpf::check(&site));
        for check in [
            link::check,
            driver::check,
            offloads::check,
            sysctl::check,
            companion::check,
            addresses::check,
            rivals::check,
            netfilter::check,
        ] {
            findings.extend(check(&site, &seen));
        }
        if let Some(daemon) = &daemon {
            findings.extend(daemon::check(&site, &seen, daemon));
            let heard = Heard::listen(&site, &seen, &netlink, progress).await;
            findings.extend(neighbours::check(&site, &seen, &heard));
            findings.extend(leak::check(&site, &seen, &heard));
        }
        Ok(findings)
    })
}
