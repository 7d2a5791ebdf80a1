//! `drover stats`.

use std::{
    collections::HashMap,
    net::IpAddr,
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::{
    Format, Places,
    mood::painted,
    output,
    page::{Column, Line, Page, Table as Layout},
    progress::Progress,
    rates::{Counters, Key, Rate, rates},
};
use crate::{
    api::{ServiceReport, State},
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
        let mut before = self.sample(places)?;
        for round in 0..self.count {
            let mut rates = HashMap::new();
            if self.rate || round > 0 {
                let seconds = self.interval.as_secs_f64();
                let progress = Progress::of(&format!("counting for {seconds} s"));
                sleep(self.interval);
                drop(progress);
                let now = self.sample(places)?;
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

    fn sample(&self, places: &Places) -> Result<(Instant, Vec<ServiceReport>)> {
        let mut services: Vec<ServiceReport> =
            places.get("/v1/services?all=true", "reading counters")?;
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
            Format::Table => output::page(|page| self.table(&table, page)),
        })
    }

    fn table(&self, table: &Table, page: &mut Page) {
        let [conns, packets, bytes] = match self.rate {
            true => ["Conns/s", "Packets/s", "Bytes/s"],
            false => ["Conns", "Packets", "Bytes"],
        };
        if self.count > 1 {
            page.line(0, &table.time);
        }
        let row = |name: String, (total, rate), state: String| {
            let [conns, packets, bytes] = self.cells(total, rate);
            Line::Row(vec![name, conns, packets, bytes, state])
        };
        let mut lines = Vec::new();
        for service in &table.services {
            let counted = (service.total, service.rate);
            lines.push(row(service.service.to_string(), counted, String::new()));
            lines.extend(service.reals.iter().map(|real| {
                let name = format!("  -> {}", real.address);
                row(name, (real.total, real.rate), painted(real.state))
            }));
        }
        page.table(&Layout {
            columns: &[
                Column::text("Service", 32),
                Column::number(conns, 12),
                Column::number(packets, 12),
                Column::number(bytes, 15),
                Column::text("State", 0),
            ],
            lines: &lines,
            gap: 1,
            indent: 7,
        });
    }

    fn cells(&self, total: Counters, rate: Option<Rate>) -> [String; 3] {
        match (self.rate, rate) {
            (false, _) => [total.connections, total.packets, total.bytes].map(|it| it.to_string()),
            (true, None) => ["-"; 3].map(String::from),
            (true, Some(rate)) => {
                [rate.connections, rate.packets, rate.bytes].map(|it| format!("{it:.0}"))
            }
        }
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
