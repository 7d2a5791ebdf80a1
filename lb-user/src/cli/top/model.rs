//! What `drover top` knows, and how it is looked at.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use super::{
    keys::{Action, Typed},
    rows::{Column, Order, Row, rows},
    sample::Sample,
};
use crate::cli::rates::{Key, Rate, per_second, rates};

/// Rates of all packets that are remembered: more than a terminal is wide.
const HISTORY_MAX: usize = 512;
/// Letters of the longest filter.
const FILTER_MAX: usize = 64;
/// So much later than expected, an answer is missed.
const LATE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Model {
    pub(super) sample: Sample,
    pub(super) delay: Duration,
    rates: HashMap<Key, Rate>,
    /// Of all services together; none before the second sample.
    pub(super) total: Option<Rate>,
    /// Packets not forwarded per second, where there are any.
    pub(super) reasons: Vec<(String, f64)>,
    /// Packets per second, the latest last.
    pub(super) history: VecDeque<u64>,
    pub(super) order: Order,
    pub(super) filter: String,
    pub(super) is_typing: bool,
    pub(super) with_reals: bool,
    pub(super) is_paused: bool,
    pub(super) is_helping: bool,
    has_failed: bool,
    pub(super) rows: Vec<Row>,
    pub(super) selected: usize,
    /// The first row on the screen, and how many are.
    pub(super) first: usize,
    pub(super) page: usize,
}

impl Model {
    pub(super) fn new(sample: Sample, delay: Duration) -> Self {
        let mut model = Self {
            sample,
            delay,
            rates: HashMap::new(),
            total: None,
            reasons: Vec::new(),
            history: VecDeque::new(),
            order: Order {
                column: Column::Packets,
                inverted: false,
            },
            filter: String::new(),
            is_typing: false,
            with_reals: true,
            is_paused: false,
            is_helping: false,
            has_failed: false,
            rows: Vec::new(),
            selected: 0,
            first: 0,
            page: 1,
        };
        model.arrange();
        model
    }

    /// Takes the next sample.
    pub(super) fn take(&mut self, sample: Sample) {
        let before = &self.sample;
        let time = sample.at - before.at;
        self.rates = rates(&before.services, &sample.services, time);
        self.total = Rate::sum(self.rates.values().copied());
        let packets = |sample: &Sample| -> BTreeMap<String, u64> {
            let reasons = sample.status.reasons.iter();
            reasons
                .map(|(name, it)| (name.clone(), it.packets))
                .collect()
        };
        let earlier = packets(before);
        let reasons = packets(&sample).into_iter().filter_map(|(name, now)| {
            let rate = per_second(now, *earlier.get(&name)?, time);
            (rate > 0.).then_some((name, rate))
        });
        self.reasons = reasons.collect();
        self.reasons.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        if let Some(total) = self.total {
            self.history.push_back(total.packets as u64);
        }
        if self.history.len() > HISTORY_MAX {
            self.history.pop_front();
        }
        self.sample = sample;
        self.has_failed = false;
        self.arrange();
    }

    /// No sample came of it.
    pub(super) fn fail(&mut self) {
        self.has_failed = true;
    }

    /// Since when the daemon has not answered, if it should have.
    pub(super) fn silence(&self, now: Instant) -> Option<Duration> {
        let since = now - self.sample.at;
        let is_late = since > self.delay + LATE && !self.is_paused;
        (self.has_failed || is_late).then_some(since)
    }

    /// Does what a key is for, but for what the screen does itself.
    pub(super) fn act(&mut self, action: Action) {
        let last = self.rows.len().saturating_sub(1);
        let at = self.selected;
        match action {
            Action::Up => self.selected = at.saturating_sub(1),
            Action::Down => self.selected = at + 1,
            Action::PageUp => self.selected = at.saturating_sub(self.page),
            Action::PageDown => self.selected = at + self.page,
            Action::Home => self.selected = 0,
            Action::End => self.selected = last,
            Action::Filter => self.is_typing = true,
            Action::Members => self.with_reals = !self.with_reals,
            Action::NextColumn => self.turn(1),
            Action::PreviousColumn => self.turn(Column::ALL.len() - 1),
            Action::Invert => self.order.inverted = !self.order.inverted,
            Action::Pause => self.is_paused = !self.is_paused,
            Action::Help => self.is_helping = true,
            Action::Suspend | Action::Quit => {}
        }
        self.selected = self.selected.min(last);
        if matches!(
            action,
            Action::Members | Action::NextColumn | Action::PreviousColumn | Action::Invert
        ) {
            self.arrange();
        }
    }

    pub(super) fn type_filter(&mut self, typed: Typed) {
        match typed {
            Typed::Letter(letter) if self.filter.len() < FILTER_MAX => self.filter.push(letter),
            Typed::Letter(_) => {}
            Typed::Back => drop(self.filter.pop()),
            Typed::Keep => self.is_typing = false,
            Typed::Clear => {
                self.is_typing = false;
                self.filter.clear();
            }
        }
        self.arrange();
    }

    /// Scrolls as little as shows the selected row among `page` rows.
    pub(super) fn scroll(&mut self, page: usize) {
        self.page = page.max(1);
        let least = (self.selected + 1).saturating_sub(self.page);
        let most = self.rows.len().saturating_sub(self.page);
        self.first = self.first.clamp(least, self.selected).min(most);
    }

    fn turn(&mut self, steps: usize) {
        let all = Column::ALL;
        let at = all.iter().position(|it| *it == self.order.column);
        self.order.column = all[(at.unwrap_or(0) + steps) % all.len()];
        self.order.inverted = false;
    }

    fn arrange(&mut self) {
        let view = (self.filter.as_str(), self.with_reals);
        self.rows = rows(&self.sample.services, &self.rates, self.order, view);
        self.selected = self.selected.min(self.rows.len().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests;
