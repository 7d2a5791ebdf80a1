//! The table, the same as JSON, and the targets.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    case::Case,
    common::{
        flows, rounded,
        summary::Summary,
        targets::{Aim, Target},
    },
};

pub(crate) struct Report<'c>(pub(crate) &'c [Case]);

/// The least that the director may forward of what `tx` does.
const RATIO: f64 = 0.85;

impl Report<'_> {
    /// Compares a row with `tx` on as many flows, round by round.
    fn ratio(&self, case: &Case) -> f64 {
        let tx = self
            .0
            .iter()
            .find(|it| it.name == "tx" && it.flows == case.flows);
        let pairs = case
            .samples
            .iter()
            .zip(tx.into_iter().flat_map(|tx| &tx.samples));
        Summary::of(pairs.map(|(sample, tx)| sample / tx)).median
    }

    pub(crate) fn targets(&self) -> String {
        let clean = self.0.iter().filter(|case| case.name == "clean");
        let line = |case: &Case| {
            let of = flows::said(case.flows);
            let target = Target {
                what: &format!("clean at {of} / tx at {of}"),
                is: self.ratio(case),
                aim: Aim::AtLeast(RATIO),
            };
            format!("{target}\n")
        };
        clean.map(line).collect()
    }

    pub(crate) fn json(&self) -> Value {
        let row = |case: &Case| {
            let mpps = Summary::of(case.samples.iter().copied());
            json!({
                "name": case.name,
                "flows": case.flows,
                "median_mpps": rounded(mpps.median),
                "quartiles_mpps": mpps.quartiles.map(rounded),
                "ratio_to_tx": rounded(self.ratio(case)),
            })
        };
        json!({ "rows": self.0.iter().map(row).collect::<Vec<_>>() })
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<12} {:>7} {:>6} {:>11} {:>12}",
            "name", "flows", "Mpps", "quartiles", "ratio to tx"
        )?;
        for case in self.0 {
            let mpps = Summary::of(case.samples.iter().copied());
            let [low, high] = mpps.quartiles;
            writeln!(
                f,
                "{:<12} {:>7} {:>6.2} {:>11} {:>12.3}",
                case.name,
                flows::said(case.flows),
                mpps.median,
                format!("{low:.2}–{high:.2}"),
                self.ratio(case),
            )?;
        }
        Ok(())
    }
}
