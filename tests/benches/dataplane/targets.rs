//! What was aimed at, and what came of it. For people to read: nothing fails by it.

use std::fmt;

use crate::{
    common::targets::{Aim, Target},
    flows,
    report::Report,
    summary::Summary,
};

pub(crate) struct Targets<'r>(pub(crate) &'r Report<'r>);

const MI: u32 = 1 << 20;

/// The name of a row, and its flows.
type Name = (&'static str, u32);

/// A row, the row it is compared with, and the most that the ratio of their net times may be.
const RATIOS: [(Name, Name, f64); 7] = [
    (("clean", 1), ("lru", 1), 0.2),
    (("clean", MI), ("lru", MI), 0.05),
    (("clean", MI), ("clean", 1), 1.3),
    (("tracked", 1), ("lru", 1), 0.25),
    (("tracked", MI), ("lru", MI), 0.35),
    (("tracked_new", MI), ("lru_new", MI), 0.35),
    (("foreign", 1), ("lru_foreign", 1), 0.3),
];
/// The most that the real server may take longer than `tx`, in ns.
const REALSERVER: f64 = 3.0;
const VERIFIED: u32 = 20_000;

impl fmt::Display for Targets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(report) = *self;
        writeln!(f, "targets:")?;
        for (this, that, most) in RATIOS {
            let pair = (report.case(this.0, this.1), report.case(that.0, that.1));
            let what = format!("{} / {}", row(this), row(that));
            if let (Some(case), Some(other)) = pair {
                line(f, &what, report.ratio(case, other), most)?;
            }
        }
        if let (Some(rs), Some(tx)) = (report.case("rs_foreign", 1), report.case("tx", 1)) {
            let pairs = rs.samples.iter().zip(&tx.samples);
            let more = Summary::of(pairs.map(|(rs, tx)| rs - tx)).median;
            line(f, "rs_foreign - tx, ns", more, REALSERVER)?;
        }
        if let Some(count) = report.verified("director") {
            let what = "verified instructions of director";
            line(f, what, count.into(), VERIFIED.into())?;
        }
        Ok(())
    }
}

fn row((name, number): Name) -> String {
    format!("{name} at {}", flows::said(number))
}

fn line(f: &mut fmt::Formatter<'_>, what: &str, is: f64, most: f64) -> fmt::Result {
    let aim = Aim::AtMost(most);
    writeln!(f, "{}", Target { what, is, aim })
}
