//! What was aimed at, and what came of it. For people to read: nothing fails by it.

use std::fmt;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim {
    AtMost(f64),
    AtLeast(f64),
}

/// A figure beside what was aimed at.
pub(crate) struct Target<'t> {
    pub(crate) what: &'t str,
    pub(crate) is: f64,
    pub(crate) aim: Aim,
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, is, aim } = *self;
        let (bound, words, is_met) = match aim {
            Aim::AtMost(most) => (most, "at most", is <= most),
            Aim::AtLeast(least) => (least, "at least", is >= least),
        };
        let digits = if bound < 10.0 { 3 } else { 0 };
        let verdict = if is_met { "met" } else { "MISSED" };
        let percent = (is / bound - 1.0) * 100.0;
        write!(
            f,
            "  {verdict:<7} {what:<36} {is:>9.digits$} of {words} {bound:.digits$} ({percent:+.0} %)"
        )
    }
}
