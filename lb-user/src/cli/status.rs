//! `drover status`.

use std::fmt::Write as _;

use anyhow::Result;
use clap::Args;

use super::{Format, Places, events::whose, output};
use crate::api::{self, Used, client};

#[derive(Args, Debug)]
pub(super) struct Status {
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
}

impl Status {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        let status: api::Status = client::get(&places.socket, "/v1/status")?;
        output::print(self.output, &status, table)
    }
}

fn table(status: &api::Status) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let mut line = |key: &str, value: String| {
        let _ = writeln!(text, "{key:<12} {value}");
    };
    line(
        "director",
        format!("{}, process {}", status.version, status.pid),
    );
    line("config", status.config.clone());
    if let Some(left) = status.unconfirmed {
        line(
            "unconfirmed",
            format!("the last change is taken back in {left} s, unless `drover confirm` keeps it"),
        );
    }
    line("pins", status.pins.clone());
    line("vip", status.vip.clone());
    for interface in &status.interfaces {
        let slower = match interface.xdp.as_str() {
            "generic" => " (in the stack: the driver has no native XDP; slower by far)",
            _ => "",
        };
        let mac = interface.mac.as_deref().unwrap_or("no MAC");
        let addresses = interface.addresses.join(" ");
        line("interface", format!("{} {mac} {addresses}", interface.name));
        line("  xdp", format!("{}{slower}", interface.xdp));
    }
    for leak in &status.leaks {
        let whose = whose(&leak.real);
        let api::LeakReport {
            vip,
            mac,
            interface,
            since,
            last_seen,
            count,
            ..
        } = leak;
        line(
            "leak",
            format!("{vip} is also at {mac} on {interface}: {whose}"),
        );
        line(
            "  heard",
            format!("{count} times since {since}, last at {last_seen}"),
        );
    }
    if status.leaks_more > 0 {
        line(
            "leak",
            format!("{} more times, of others", status.leaks_more),
        );
    }
    let used = |Used { used, most }: Used| format!("{used} of {most}");
    line("services", used(status.services));
    line("members", used(status.members));
    line(
        "flows",
        format!("{}, {} octets each", used(status.flows), status.flow_octets),
    );
    line(
        "memory",
        format!("{:.1} MiB", status.memory as f64 / f64::from(1 << 20)),
    );
    let _ = writeln!(text, "\n{:<16} {:>12} fate", "not forwarded", "packets");
    for (reason, report) in &status.reasons {
        let _ = writeln!(text, "{reason:<16} {:>12} {}", report.packets, report.fate);
    }
    text
}
