//! What a virtual server says for its real servers, and these for their checks.

use super::{super::notes::Notes, tree::Statement};

/// Durations are seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) delay_loop: Option<f64>,
    pub(super) delay_before_retry: Option<f64>,
    pub(super) retry: Option<u64>,
    pub(super) warmup: Option<f64>,
    pub(super) connect_timeout: Option<f64>,
    pub(super) virtualhost: Option<String>,
    pub(super) method: Option<Method>,
    pub(super) inhibits: Option<bool>,
}

/// How packets get to a real server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Direct,
    /// By its name.
    Other(String),
}

impl Options {
    /// Takes what is said there; whether it is one of these.
    pub(super) fn take(&mut self, statement: &Statement, notes: &mut Notes) -> bool {
        match statement.name() {
            "delay_loop" => take(&mut self.delay_loop, seconds(statement, notes)),
            "delay_before_retry" => take(&mut self.delay_before_retry, seconds(statement, notes)),
            "retry" | "nb_get_retry" => take(&mut self.retry, number(statement, notes)),
            "warmup" => take(&mut self.warmup, seconds(statement, notes)),
            "connect_timeout" => take(&mut self.connect_timeout, seconds(statement, notes)),
            "virtualhost" => self.virtualhost = Some(statement.argument(1).to_owned()),
            "lb_kind" | "lvs_method" => self.method = Some(method(statement)),
            "inhibit_on_failure" => self.inhibits = Some(is_on(statement)),
            // It is always so: no connections before the first good check.
            "alpha" => {}
            _ => return false,
        }
        true
    }

    /// With what is said outside, where nothing is said here.
    pub(super) fn or(self, outer: &Self) -> Self {
        let outer = outer.clone();
        Self {
            delay_loop: self.delay_loop.or(outer.delay_loop),
            delay_before_retry: self.delay_before_retry.or(outer.delay_before_retry),
            retry: self.retry.or(outer.retry),
            warmup: self.warmup.or(outer.warmup),
            connect_timeout: self.connect_timeout.or(outer.connect_timeout),
            virtualhost: self.virtualhost.or(outer.virtualhost),
            method: self.method.or(outer.method),
            inhibits: self.inhibits.or(outer.inhibits),
        }
    }
}

fn take<T>(setting: &mut Option<T>, said: Option<T>) {
    if said.is_some() {
        *setting = said;
    }
}

pub(super) fn method(statement: &Statement) -> Method {
    match statement.argument(1) {
        "DR" => Method::Direct,
        other => Method::Other(other.to_owned()),
    }
}

/// Reads a BOOL; none is on.
pub(super) fn is_on(statement: &Statement) -> bool {
    !matches!(statement.argument(1), "off" | "false" | "no")
}

pub(super) fn number(statement: &Statement, notes: &mut Notes) -> Option<u64> {
    let number = statement.argument(1).parse().ok();
    if number.is_none() {
        notes.left(
            &statement.place,
            format!("{}: not a number", statement.text()),
        );
    }
    number
}

fn seconds(statement: &Statement, notes: &mut Notes) -> Option<f64> {
    let seconds = statement.argument(1).parse().ok();
    let seconds = seconds.filter(|it: &f64| it.is_finite() && *it >= 0.0);
    if seconds.is_none() {
        notes.left(
            &statement.place,
            format!("{}: not a time in seconds", statement.text()),
        );
    }
    seconds
}

/// Notes a line that nothing is made of.
pub(super) fn left(statement: &Statement, why: &str, notes: &mut Notes) {
    let name = statement.name();
    notes.left(&statement.place, format!("{name}: {why}"));
}
