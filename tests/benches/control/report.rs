//! The table, the same as JSON, and the targets.

use std::fmt;

use serde_json::{Value, json};

use crate::common::{
    rounded,
    summary::Summary,
    targets::{Aim, Target},
};

#[derive(Default)]
pub(crate) struct Report(Vec<Row>);

struct Row {
    name: String,
    figure: Figure,
}

enum Figure {
    /// Milliseconds.
    Time(Summary),
    Bytes(u64),
    /// Percent of a CPU.
    Share(Summary),
}

/// Rows, and the most that their medians may be, in ms or percent.
const TARGETS: [(&str, f64); 5] = [
    ("start", 2000.0),
    ("weight_wrr_visible", 5.0),
    ("weight_mh_visible", 5.0),
    ("sweep", 100.0),
    ("checks", 15.0),
];

impl Report {
    pub(crate) fn times(&mut self, name: &str, ms: Vec<f64>) {
        let figure = Figure::Time(Summary::of(ms));
        let name = name.to_owned();
        self.0.push(Row { name, figure });
    }

    pub(crate) fn bytes(&mut self, name: &str, bytes: u64) {
        let figure = Figure::Bytes(bytes);
        let name = name.to_owned();
        self.0.push(Row { name, figure });
    }

    pub(crate) fn shares(&mut self, name: &str, percent: Vec<f64>) {
        let figure = Figure::Share(Summary::of(percent));
        let name = name.to_owned();
        self.0.push(Row { name, figure });
    }

    pub(crate) fn targets(&self) -> String {
        let target = |(what, most)| {
            let row = self.0.iter().find(|row| row.name == what)?;
            let (summary, unit) = match &row.figure {
                Figure::Time(summary) => (summary, "ms"),
                Figure::Share(summary) => (summary, "%"),
                Figure::Bytes(_) => return None,
            };
            let what = &format!("{what}, {unit}");
            let (is, aim) = (summary.median, Aim::AtMost(most));
            Some(format!("{}\n", Target { what, is, aim }))
        };
        TARGETS.into_iter().filter_map(target).collect()
    }

    pub(crate) fn json(&self) -> Value {
        let row = |row: &Row| match &row.figure {
            Figure::Time(summary) => json!({
                "name": row.name,
                "median_ms": rounded(summary.median),
                "quartiles_ms": summary.quartiles.map(rounded),
            }),
            Figure::Share(summary) => json!({
                "name": row.name,
                "median_percent": rounded(summary.median),
                "quartiles_percent": summary.quartiles.map(rounded),
            }),
            Figure::Bytes(bytes) => json!({ "name": row.name, "bytes": bytes }),
        };
        json!({ "rows": self.0.iter().map(row).collect::<Vec<_>>() })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<22} {:>10} {:>17}", "name", "median ms", "quartiles")?;
        for Row { name, figure } in &self.0 {
            match figure {
                Figure::Time(Summary {
                    median,
                    quartiles: [low, high],
                }) => writeln!(
                    f,
                    "{name:<22} {median:>10.2} {:>17}",
                    format!("{low:.2}–{high:.2}")
                )?,
                Figure::Share(summary) => writeln!(f, "{name:<22} {:>10.1} %", summary.median)?,
                Figure::Bytes(bytes) => {
                    writeln!(
                        f,
                        "{name:<22} {:>10.1} MiB",
                        *bytes as f64 / f64::from(1 << 20)
                    )?;
                }
            }
        }
        Ok(())
    }
}
