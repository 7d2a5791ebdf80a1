//! The table, and the same as JSON.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};

use crate::{case::Case, common::rounded, flows, summary::Summary};

pub(crate) struct Report<'c> {
    cases: &'c [Case],
    verified: BTreeMap<String, u32>,
}

impl<'c> Report<'c> {
    pub(crate) fn new(cases: &'c [Case], verified: BTreeMap<String, u32>) -> Self {
        Self { cases, verified }
    }

    pub(crate) fn verified(&self, program: &str) -> Option<u32> {
        self.verified.get(program).copied()
    }

    /// Returns the case of a name that has so many flows.
    pub(crate) fn case(&self, name: &str, flows: u32) -> Option<&'c Case> {
        let mut cases = self.cases.iter();
        cases.find(|case| case.row.name == name && case.row.flows == flows)
    }

    /// Returns a case's net figures, by round.
    pub(crate) fn net(&self, case: &Case) -> Vec<f64> {
        let floor = self
            .case(&case.row.floor, 1)
            .map_or(&[][..], |floor| &floor.samples);
        let pairs = case.samples.iter().zip(floor);
        pairs.map(|(sample, floor)| sample - floor).collect()
    }

    /// Compares two cases, round by round.
    pub(crate) fn ratio(&self, case: &Case, other: &Case) -> f64 {
        let pairs = self.net(case).into_iter().zip(self.net(other));
        Summary::of(pairs.map(|(net, other)| net / other)).median
    }

    fn ratio_to_lru(&self, case: &Case) -> Option<f64> {
        let same = self.case(case.row.lru, case.row.flows);
        let lru = same.or_else(|| self.case(case.row.lru, 1))?;
        Some(self.ratio(case, lru))
    }

    pub(crate) fn json(&self) -> Value {
        let rows = self.cases.iter().map(|case| {
            let net = Summary::of(self.net(case));
            json!({
                "name": case.row.name,
                "flows": case.row.flows,
                "median_ns": rounded(Summary::of(case.samples.iter().copied()).median),
                "net_ns": rounded(net.median),
                "spread_ns": rounded(net.spread()),
                "ratio_to_lru": self.ratio_to_lru(case).map(rounded),
            })
        });
        json!({
            "verified_instructions": self.verified,
            "rows": rows.collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<12} {:>7} {:>10} {:>9} {:>17} {:>13}",
            "name", "flows", "median ns", "net ns", "quartiles", "ratio to lru"
        )?;
        for case in self.cases {
            let net = Summary::of(self.net(case));
            let [low, high] = net.quartiles;
            writeln!(
                f,
                "{:<12} {:>7} {:>10.2} {:>9.2} {:>17} {:>13}",
                case.row.name,
                flows::said(case.row.flows),
                Summary::of(case.samples.iter().copied()).median,
                net.median,
                format!("{low:.2}–{high:.2}"),
                self.ratio_to_lru(case)
                    .map_or_else(String::new, |ratio| format!("{ratio:.3}")),
            )?;
        }
        writeln!(f, "\nverified instructions:")?;
        for (program, count) in &self.verified {
            writeln!(f, "  {program:<16} {count:>7}")?;
        }
        Ok(())
    }
}
