//! The director's daemon: that it runs, is of this version, and does what its file says.

use std::{fs, path::Path};

use super::{finding::Finding, seen::Seen, site::Site};
use crate::{
    api::{InterfaceReport, LeakReport, Status, Used, client},
    dataplane::director::Mode,
    net::netdev::Xdp,
};

/// Per cent of a table from which on it is nearly full.
const NEARLY_FULL: u64 = 90;

/// What the daemon says, and the configuration that is in force.
#[derive(Debug)]
pub(super) struct Daemon {
    status: Result<Status, String>,
    in_force: Option<String>,
}

impl Daemon {
    pub(super) fn ask(socket: &Path) -> Self {
        let status = client::get(socket, "/v1/status");
        let in_force = status
            .is_ok()
            .then(|| client::get(socket, "/v1/config").ok());
        Self {
            status: status.map_err(|error| format!("{error:#}")),
            in_force: in_force.flatten(),
        }
    }
}

pub(super) fn check(site: &Site, seen: &Seen, daemon: &Daemon) -> Vec<Finding> {
    let status = match &daemon.status {
        Ok(status) => status,
        Err(error) => return vec![silent(site, error)],
    };
    let pid = format!("process {}", status.pid);
    let mut findings = vec![Finding::ok("daemon", pid, "runs"), version(status)];
    let interfaces = status.interfaces.iter();
    findings.extend(interfaces.map(|it| interface(it, site, seen)));
    findings.extend(missing_vips(site, seen));
    findings.extend(status.leaks.iter().map(leak));
    findings.extend(file(site, daemon.in_force.as_deref()));
    if let Some(left) = status.unconfirmed {
        let what = format!("the last change is taken back in {left} s");
        findings.push(
            Finding::note("unconfirmed", &status.config, what)
                .why("It waits to be confirmed.")
                .fix(site.command("confirm")),
        );
    }
    findings.extend(tables(status));
    findings
}

fn silent(site: &Site, error: &str) -> Finding {
    let start = "systemctl start drover-director";
    // What follows says what to do, as the fix does.
    let error = error.split("; ").next().unwrap_or_default();
    if site.attached.is_empty() {
        return Finding::note("daemon", "drover director", error)
            .why("Nothing is attached either: this host forwards nothing yet.")
            .fix(start);
    }
    let why = "Packets are forwarded as before, but nobody is checked, and changed MACs are not followed.";
    Finding::error("daemon", "drover director", error)
        .why(why)
        .fix(start)
}

fn version(status: &Status) -> Finding {
    let this = env!("CARGO_PKG_VERSION");
    let version = &status.version;
    if version == this {
        return Finding::ok("daemon-version", version, "is that of this program");
    }
    Finding::warning(
        "daemon-version",
        version,
        format!("the daemon is not of this program's version, {this}"),
    )
    .why("What this program asks it for, it may not know.")
    .fix("systemctl restart drover-director")
}

fn interface(report: &InterfaceReport, site: &Site, seen: &Seen) -> Finding {
    let (id, name) = ("interface-xdp", &report.name);
    let link = seen.named(name);
    let driver = link.and_then(|link| seen.drivers.get(&link.index));
    let has_native = driver
        .and_then(|it| it.xdp)
        .is_some_and(|it| it.has(Xdp::BASIC));
    match report.xdp.as_str() {
        "native" => Finding::ok(id, name, "the program runs in the driver"),
        "generic" if has_native && site.xdp != Mode::Generic => {
            Finding::warning(id, name, "the program runs in the stack, though the driver has native XDP")
                .why("It is slower by far. The daemon's log says why the driver refused it; an interface keeps \
                      its mode until `drover director detach`, which cuts connections.")
        }
        "generic" => Finding::ok(id, name, "the program runs in the stack"),
        "another program" => Finding::error(id, name, "another program is attached")
            .why("Nothing is forwarded that comes in by it.")
            .fix(format!("ip link set dev {name} xdp off")),
        "down" => Finding::error(id, name, "is down")
            .why("Nothing is forwarded that comes in by it.")
            .fix(format!("ip link set {name} up")),
        other => Finding::error(id, name, format!("the program is {other}"))
            .why("Nothing is forwarded that comes in by it; the daemon's log says why."),
    }
}

fn missing_vips(site: &Site, seen: &Seen) -> Vec<Finding> {
    let ours = site.vips.iter().filter(|_| site.owns_vips);
    let missing = ours.filter(|vip| !seen.holds(**vip));
    let told = missing.map(|vip| {
        Finding::error("vip-missing", vip, "is not on this host")
            .why(
                "Nobody answers for it. The daemon puts it there as soon as its interfaces are up.",
            )
            .fix(site.command("reload"))
    });
    told.collect()
}

fn leak(report: &LeakReport) -> Finding {
    let LeakReport {
        vip,
        mac,
        interface,
        count,
        last_seen,
        ..
    } = report;
    let what = format!("was heard at {mac} on {interface}, {count} times, last at {last_seen}");
    Finding::warning("leak-heard", vip, what).why(
        "It is over when it has been quiet for five questions; see vip-leak for who answers now.",
    )
}

fn file(site: &Site, in_force: Option<&str>) -> Option<Finding> {
    let (in_force, text) = (in_force?, fs::read_to_string(&site.config).ok()?);
    let config = site.config.display();
    if text == in_force {
        return Some(Finding::ok("config-pending", config, "is in force"));
    }
    Some(
        Finding::warning("config-pending", config, "has edits that are not in force")
            .why("`drover diff` shows them; the next command that changes something applies them, too.")
            .fix(site.command("reload")),
    )
}

fn tables(status: &Status) -> Vec<Finding> {
    let all = [
        ("services", status.services, "services_max"),
        ("members", status.members, "members_max"),
        ("flows", status.flows, "flow_memory"),
    ];
    let judge = |(table, Used { used, most }, key)| {
        let what = format!("{used} of {most} are used");
        if used * 100 < most * NEARLY_FULL {
            return Finding::ok("table", table, what);
        }
        Finding::warning("table", table, what).why(format!(
            "What is more is refused; or of flows, those go without a record. `{key}` makes it larger."
        ))
    };
    all.into_iter().map(judge).collect()
}

#[cfg(test)]
mod tests;
