//! `drover list`.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use anyhow::Result;
use clap::Args;

use super::{
    Format, Places,
    mood::painted,
    output,
    page::{Column, Line, Page, Table},
};
use crate::{
    api::{PolicyReport, RealReport, ServiceReport},
    printable::printable,
    scheduler::listed,
    service::{PortRange, with_ports},
};

#[derive(Args, Debug)]
pub(super) struct List {
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
    /// Counters in place of weights and connections
    #[arg(long)]
    stats: bool,
    /// Also removed real servers that still have connections
    #[arg(long, short)]
    all: bool,
}

impl List {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        let path = match self.all {
            true => "/v1/services?all=true",
            false => "/v1/services",
        };
        let services: Vec<ServiceReport> = places.get(path, "listing services")?;
        output::print(self.output, &services, |services, page| {
            table(services, self.stats, page);
        })
    }
}

const CONNECTIONS: [Column; 6] = [
    REAL,
    // It is always `Route`.
    Column::text("Forward", 7).short(None),
    Column::text("Weight", 6),
    Column::text("ActiveConn", 10).short(Some("Active")),
    Column::text("InActConn", 10).short(Some("InAct")),
    STATE,
];
const STATS: [Column; 5] = [
    REAL,
    Column::number("Conns", 12),
    Column::number("Packets", 12),
    Column::number("Bytes", 14),
    STATE,
];
const REAL: Column = Column::text("  -> RemoteAddress:Port", 33);
const STATE: Column = Column::text("State", 0);

/// The layout of `ipvsadm -ln`, with a state behind each real server.
fn table(services: &[ServiceReport], stats: bool, page: &mut Page) {
    page.line(7, "Prot LocalAddress:Port Scheduler");
    let columns: &[Column] = if stats { &STATS } else { &CONNECTIONS };
    let cells = if stats { self::stats } else { connections };
    let mut lines = Vec::new();
    for report in services {
        lines.push(Line::Words(service(report)));
        let others = report.listen.iter().filter(|it| **it != report.service);
        lines.extend(others.map(|name| Line::Words(format!("also {name}"))));
        let ports = ports_of(report);
        lines.extend(report.reals.iter().map(|real| {
            let name = format!("  -> {}", with_ports(real.address, ports));
            Line::Row([vec![name], cells(real), vec![state(real)]].concat())
        }));
    }
    page.table(&Table {
        columns,
        lines: &lines,
        gap: 1,
        indent: 7,
    });
}

fn service(report: &ServiceReport) -> String {
    let ServiceReport {
        service,
        scheduler,
        flags,
        ..
    } = report;
    let protocol = service.protocol.number().to_string().to_uppercase();
    let flags = match flags.as_slice() {
        [] => String::new(),
        flags => format!(" ({})", listed(flags)),
    };
    let name = with_ports(service.vip, service.ports);
    format!(
        "{protocol:<4} {name} {scheduler}{flags}{}",
        policy_of(report)
    )
}

/// A real server's ports: that of the service, or if that has several, the one a client connects to.
fn ports_of(report: &ServiceReport) -> PortRange {
    let mut all = report.listen.iter().map(|name| name.ports);
    let ports = report.service.ports;
    match all.all(|it| it == ports) {
        true => ports,
        false => PortRange::ANY,
    }
}

/// As ipvsadm writes it behind the scheduler.
fn policy_of(report: &ServiceReport) -> String {
    let PolicyReport {
        persistence,
        persistence_prefix,
        one_packet,
        ..
    } = report.policy;
    let mut text = String::new();
    if persistence != 0 {
        let _ = write!(text, " persistent {persistence}");
        let mask = match report.service.vip {
            IpAddr::V4(_) if persistence_prefix < 32 => {
                let mask = u32::MAX << (32 - persistence_prefix);
                Some(Ipv4Addr::from_bits(mask).to_string())
            }
            IpAddr::V6(_) if persistence_prefix < 128 => Some(persistence_prefix.to_string()),
            IpAddr::V4(_) | IpAddr::V6(_) => None,
        };
        if let Some(mask) = mask {
            let _ = write!(text, " mask {mask}");
        }
    }
    if one_packet {
        text.push_str(" ops");
    }
    text
}

fn connections(real: &RealReport) -> Vec<String> {
    let count = |count: Option<u64>| count.map_or("-".into(), |count| count.to_string());
    let [active, inactive] = [real.active, real.inactive].map(count);
    vec!["Route".into(), real.weight.to_string(), active, inactive]
}

fn stats(real: &RealReport) -> Vec<String> {
    let counters = [real.connections, real.packets, real.bytes];
    counters.map(|it| it.to_string()).to_vec()
}

/// What it is, for how long, and why.
fn state(real: &RealReport) -> String {
    let since = humantime::parse_rfc3339(&real.since).ok();
    let since = since.and_then(|since| since.elapsed().ok());
    let since = since
        .map(|it| format!(" {}", roughly(it)))
        .unwrap_or_default();
    let state = painted(real.state);
    match &real.reason {
        Some(reason) => {
            format!("{state}{since}: {}", printable(reason))
        }
        None => format!("{state}{since}"),
    }
}

/// As somebody would say it: of days, hours, minutes and seconds the first that there are.
fn roughly(time: Duration) -> String {
    let seconds = time.as_secs();
    match [(86400, 'd'), (3600, 'h'), (60, 'm')]
        .into_iter()
        .find(|&(unit, _)| seconds >= unit)
    {
        Some((unit, name)) => format!("{}{name}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    use crate::{
        api::State,
        install::{Persistence, Policy},
    };

    /// One as of `ipvsadm -ln`, and of several destinations, with and without a port in common.
    #[test]
    fn further_destinations_stand_below_the_first() {
        let report = |listen: &[&str]| ServiceReport {
            service: listen[0].parse().unwrap(),
            listen: listen.iter().map(|name| name.parse().unwrap()).collect(),
            scheduler: "wrr".parse().unwrap(),
            flags: Vec::new(),
            policy: PolicyReport::of(&Policy {
                persistence: Some(Persistence {
                    seconds: 300,
                    prefix: 32,
                }),
                ..Policy::default()
            }),
            quorum: 1,
            has_quorum: true,
            slots: 1,
            slots_moving: 0,
            slots_exceptions: 0,
            reals: vec![RealReport {
                address: "192.0.2.2".parse().unwrap(),
                weight: 1,
                state: State::Active,
                since: humantime::format_rfc3339(SystemTime::now()).to_string(),
                check: None,
                agent: None,
                is_sorry: false,
                upper_threshold: 0,
                lower_threshold: 0,
                reason: None,
                mac: None,
                active: Some(3),
                inactive: Some(0),
                unanswered: None,
                persistent: 0,
                slots: 1,
                connections: 0,
                packets: 0,
                bytes: 0,
            }],
        };
        let reports = [
            report(&["tcp/192.0.2.100:80"]),
            report(&["tcp/192.0.2.101:80", "tcp/192.0.2.102:80"]),
            report(&["tcp/192.0.2.103:80", "tcp/192.0.2.103:443"]),
        ];
        let text = "\
Prot LocalAddress:Port Scheduler
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn  State
TCP  192.0.2.100:80 wrr persistent 300
  -> 192.0.2.2:80                 Route   1      3          0          active 0s
TCP  192.0.2.101:80 wrr persistent 300
also tcp/192.0.2.102:80
  -> 192.0.2.2:80                 Route   1      3          0          active 0s
TCP  192.0.2.103:80 wrr persistent 300
also tcp/192.0.2.103:443
  -> 192.0.2.2:*                  Route   1      3          0          active 0s
";
        let mut page = Page::new(None);
        table(&reports, false, &mut page);
        let shown = anstream::adapter::strip_str(&page.text()).to_string();
        assert_eq!(shown, text);
    }
}
