//! `drover stats`.

use std::{
    collections::HashMap,
    fmt::Write as _,
    net::IpAddr,
    path::Path,
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::{
    Format, Places, output,
    rates::{Counters, Key, Rate, rates},
};
use crate::{
    api::{ServiceReport, State, client},
    service::ServiceName,
};

#[derive(Args, Debug)]
pub(super) struct Stats {
    /// `json` is an object a line
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
    /// Per second, over the interval, in place of totals
    #[arg(long)]
    rate: bool,
    /// Seconds from one table to the next, from 0.5 to 60
    #[arg(long, value_name = "S", default_value = "1", value_parser = seconds)]
    interval: Duration,
    /// So many tables
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
    /// Only this service's, as in tcp/192.0.2.1:80
    #[arg(value_name = "SERVICE")]
    service: Option<ServiceName>,
}

/// A table, at a time.
#[derive(Debug, Serialize)]
struct Table {
    /// As in RFC 3339, in UTC.
    time: String,
    services: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    service: ServiceName,
    #[serde(flatten)]
    total: Counters,
    /// Per second; none without --rate.
    rate: Option<Rate>,
    reals: Vec<RealRow>,
}

#[derive(Debug, Serialize)]
struct RealRow {
    address: IpAddr,
    state: State,
    #[serde(flatten)]
    total: Counters,
    /// None without --rate, and of one that was not there before.
    rate: Option<Rate>,
}

impl Stats {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        let mut before = self.sample(&places.socket)?;
        for round in 0..self.count {
            let mut rates = HashMap::new();
            if self.rate || round > 0 {
                sleep(self.interval);
                let now = self.sample(&places.socket)?;
                if self.rate {
                    rates = self::rates(&before.1, &now.1, now.0 - before.0);
                }
                before = now;
            }
            if !output::is_read(&self.text(&before.1, &rates)?)? {
                break;
            }
        }
        Ok(())
    }

    fn sample(&self, socket: &Path) -> Result<(Instant, Vec<ServiceReport>)> {
        let mut services: Vec<ServiceReport> = client::get(socket, "/v1/services?all=true")?;
        let at = Instant::now();
        if let Some(name) = self.service {
            services.retain(|it| it.service == name);
            if services.is_empty() {
                bail!("there is no service {name}; `drover list` shows those there are");
            }
        }
        Ok((at, services))
    }

    fn text(&self, services: &[ServiceReport], rates: &HashMap<Key, Rate>) -> Result<String> {
        let table = Table {
            time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            services: services.iter().map(|it| Row::of(it, rates)).collect(),
        };
        Ok(match self.output {
            Format::Json => serde_json::to_string(&table)? + "\n",
            Format::Table => self.table(&table),
        })
    }

    fn table(&self, table: &Table) -> String {
        let titles = match self.rate {
            true => ["Conns/s", "Packets/s", "Bytes/s"],
            false => ["Conns", "Packets", "Bytes"],
        };
        // Writing to a string does not fail.
        let mut text = String::new();
        if self.count > 1 {
            let _ = writeln!(text, "{}", table.time);
        }
        let [conns, packets, bytes] = titles;
        let _ = writeln!(
            text,
            "{:<32} {conns:>12} {packets:>12} {bytes:>15} State",
            "Service"
        );
        for row in &table.services {
            let name = row.service.to_string();
            let _ = writeln!(text, "{name:<32} {}", self.columns(row.total, row.rate));
            for real in &row.reals {
                let columns = self.columns(real.total, real.rate);
                let name = format!("  -> {}", real.address);
                let _ = writeln!(text, "{name:<32} {columns} {}", real.state);
            }
        }
        text
    }

    fn columns(&self, total: Counters, rate: Option<Rate>) -> String {
        let columns = match (self.rate, rate) {
            (false, _) => [total.connections, total.packets, total.bytes].map(|it| it.to_string()),
            (true, None) => ["-"; 3].map(String::from),
            (true, Some(rate)) => {
                [rate.connections, rate.packets, rate.bytes].map(|it| format!("{it:.0}"))
            }
        };
        let [conns, packets, bytes] = columns;
        format!("{conns:>12} {packets:>12} {bytes:>15}")
    }
}

impl Row {
    fn of(report: &ServiceReport, rates: &HashMap<Key, Rate>) -> Self {
        let reals = report.reals.iter().map(|real| RealRow {
            address: real.address,
            state: real.state,
            total: Counters::of(real),
            rate: rates.get(&(report.service, real.address)).copied(),
        });
        let reals: Vec<RealRow> = reals.collect();
        Self {
            service: report.service,
            total: Counters::of_all(&report.reals),
            rate: Rate::sum(reals.iter().filter_map(|real| real.rate)),
            reals,
        }
    }
}

/// Reads a number of seconds that is good between two looks at the daemon.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = text.parse().ok();
    let seconds = seconds.filter(|it| (0.5..=60.).contains(it));
    let seconds = seconds.ok_or_else(|| "it is a number of seconds from 0.5 to 60".to_owned())?;
    Ok(Duration::from_secs_f64(seconds))
}
