//! Services and real servers as rows, in an order.

use std::{cmp::Ordering, collections::HashMap, net::IpAddr};

use crate::{
    api::{RealReport, ServiceReport, State},
    cli::{
        mood::Mood,
        rates::{Key, Rate},
    },
    printable::printable,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Packets,
    Bits,
    New,
    Active,
    Slots,
    State,
}

impl Column {
    pub(super) const ALL: [Self; 7] = [
        Self::Name,
        Self::Packets,
        Self::Bits,
        Self::New,
        Self::Active,
        Self::Slots,
        Self::State,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Name => "SERVICE",
            Self::Packets => "PKT/S",
            Self::Bits => "BIT/S",
            Self::New => "NEW/S",
            Self::Active => "ACTIVE",
            Self::Slots => "SLOTS",
            Self::State => "STATE",
        }
    }
}

/// How rows are put in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) column: Column,
    pub(super) inverted: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: String,
    /// Of a real server; a service has none.
    pub(super) address: Option<IpAddr>,
    pub(super) rate: Option<Rate>,
    /// Connections; none where there are no records of them.
    pub(super) active: Option<u64>,
    /// Of the service's slots, in percent.
    pub(super) share: Option<f64>,
    pub(super) state: String,
    pub(super) mood: Mood,
    pub(super) reason: Option<String>,
}

impl Row {
    fn of_real(real: &RealReport, rate: Option<Rate>, slots: u32) -> Self {
        let share = f64::from(real.slots) / f64::from(slots) * 100.;
        let reason = real.reason.as_ref();
        Self {
            name: real.address.to_string(),
            address: Some(real.address),
            rate,
            active: real.active,
            share: (slots > 0).then_some(share),
            state: real.state.to_string(),
            mood: Mood::of(real.state),
            reason: reason.map(|it| printable(it)),
        }
    }

    fn of_service(report: &ServiceReport, reals: &[Self]) -> Self {
        let takes_new = |it: &&RealReport| matches!(it.state, State::Active | State::Warming);
        let good = report.reals.iter().filter(takes_new).count();
        let mood = match (report.has_quorum, good == reals.len()) {
            (false, _) => Mood::Bad,
            (true, false) => Mood::Restricted,
            (true, true) => Mood::Good,
        };
        Self {
            name: report.service.to_string(),
            address: None,
            rate: Rate::sum(reals.iter().filter_map(|real| real.rate)),
            active: reals.iter().map(|real| real.active).sum(),
            share: None,
            state: format!("{good}/{}", reals.len()),
            mood,
            reason: (!report.has_quorum).then(|| "quorum lost".to_owned()),
        }
    }

    /// What a column sorts by, but for the name.
    fn value(&self, column: Column) -> Option<f64> {
        match column {
            Column::Name => None,
            Column::Packets => self.rate.map(|it| it.packets),
            Column::Bits => self.rate.map(|it| it.bytes),
            Column::New => self.rate.map(|it| it.connections),
            Column::Active => self.active.map(|it| it as f64),
            Column::Slots => self.share,
            Column::State => Some(f64::from(self.mood as u8)),
        }
    }

    /// Numbers, the largest first, and names; what is not known is last either way.
    fn compare(&self, other: &Self, order: Order) -> Ordering {
        let turned = |it: Ordering| if order.inverted { it.reverse() } else { it };
        let by_name = || (self.address, &self.name).cmp(&(other.address, &other.name));
        match (self.value(order.column), other.value(order.column)) {
            (Some(a), Some(b)) => turned(b.total_cmp(&a)).then_with(by_name),
            (None, None) if order.column == Column::Name => turned(by_name()),
            (None, None) => by_name(),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }

    fn matches(&self, filter: &str) -> bool {
        [&self.name, &self.state]
            .iter()
            .any(|it| it.contains(filter))
    }
}

/// The rows of services and, unless they are hidden, their real servers: those that `filter` finds, and the
/// services of these.
pub(super) fn rows(
    services: &[ServiceReport],
    rates: &HashMap<Key, Rate>,
    order: Order,
    (filter, with_reals): (&str, bool),
) -> Vec<Row> {
    let filter = filter.to_lowercase();
    let mut all: Vec<(Row, Vec<Row>)> = services
        .iter()
        .filter_map(|report| {
            let slots = report.reals.iter().map(|real| real.slots).sum();
            let rate = |real: &RealReport| rates.get(&(report.service, real.address)).copied();
            let reals = report.reals.iter();
            let mut reals: Vec<Row> = reals
                .map(|real| Row::of_real(real, rate(real), slots))
                .collect();
            let service = Row::of_service(report, &reals);
            if !service.matches(&filter) {
                reals.retain(|real| real.matches(&filter));
                if reals.is_empty() {
                    return None;
                }
            }
            reals.sort_by(|a, b| a.compare(b, order));
            Some((service, reals))
        })
        .collect();
    all.sort_by(|(a, _), (b, _)| a.compare(b, order));
    let reals = |reals: Vec<Row>| if with_reals { reals } else { Vec::new() };
    all.into_iter()
        .flat_map(|(service, all)| [service].into_iter().chain(reals(all)))
        .collect()
}

#[cfg(test)]
mod tests;
