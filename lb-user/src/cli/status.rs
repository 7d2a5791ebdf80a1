//! `drover status`.

use anyhow::Result;
use clap::Args;

use super::{
    Format, Places,
    events::whose,
    mood::Mood,
    output,
    page::{Column, Line, Page, Table},
};
use crate::api::{self, Used};

#[derive(Args, Debug)]
pub(super) struct Status {
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
}

impl Status {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        let status: api::Status = places.get("/v1/status", "asking the director how it is")?;
        output::print(self.output, &status, table)
    }
}

fn table(status: &api::Status, page: &mut Page) {
    let mut line = |key: &str, value: String| {
        page.line(13, &format!("{key:<12} {value}"));
    };
    line(
        "director",
        format!("{}, process {}", status.version, status.pid),
    );
    line("config", status.config.clone());
    if let Some(left) = status.unconfirmed {
        line(
            &Mood::Restricted.paint("unconfirmed "),
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
        let xdp = Mood::of_xdp(&interface.xdp).paint(&interface.xdp);
        line("  xdp", format!("{xdp}{slower}"));
    }
    let leak_key = Mood::Bad.paint(format!("{:<12}", "leak"));
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
            &leak_key,
            format!("{vip} is also at {mac} on {interface}: {whose}"),
        );
        line(
            "  heard",
            format!("{count} times since {since}, last at {last_seen}"),
        );
    }
    if status.leaks_more > 0 {
        line(
            &leak_key,
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
    page.blank();
    let reasons = status.reasons.iter().map(|(reason, report)| {
        let packets = report.packets.to_string();
        Line::Row(vec![reason.clone(), packets, report.fate.clone()])
    });
    page.table(&Table {
        columns: &[
            Column::text("not forwarded", 16),
            Column::number("packets", 12),
            Column::text("fate", 0),
        ],
        lines: &reasons.collect::<Vec<_>>(),
        gap: 1,
        indent: 4,
    });
}
