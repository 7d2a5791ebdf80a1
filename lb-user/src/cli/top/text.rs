//! What stands above the rows, and in their cells, as text.

use std::{fmt::Write as _, time::Instant};

use super::{
    model::Model,
    rows::{Column, Row},
    units::{scaled, scaled_or_none},
};
use crate::{api::Used, cli::events::whose};

/// Alarms that are shown; of more, their number.
const ALARMS_MAX: usize = 4;

pub(super) fn title(model: &Model) -> String {
    let status = &model.sample.status;
    let mut text = format!(
        "drover {}  services {}  members {}  every {} s",
        status.version,
        status.services.used,
        status.members.used,
        model.delay.as_secs_f64()
    );
    if model.is_paused {
        text.push_str("  PAUSED");
    }
    if !model.filter.is_empty() {
        let _ = write!(text, "  filter: {}", model.filter);
    }
    text
}

/// Each interface, and whether its programs run as they should.
pub(super) fn interfaces(model: &Model) -> Vec<(String, bool)> {
    let interfaces = model.sample.status.interfaces.iter();
    interfaces
        .map(|it| (format!("{} {}", it.name, it.xdp), it.xdp == "native"))
        .collect()
}

pub(super) fn flows(model: &Model) -> (f64, String) {
    let Used { used, most } = model.sample.status.flows;
    let ratio = used as f64 / most.max(1) as f64;
    (ratio.min(1.), format!("{used} of {most}"))
}

pub(super) fn total(model: &Model) -> String {
    let rate = model.total;
    format!(
        "{} pkt/s  {} bit/s  {} new/s",
        scaled_or_none(rate.map(|it| it.packets)),
        scaled_or_none(rate.map(|it| it.bytes * 8.)),
        scaled_or_none(rate.map(|it| it.connections)),
    )
}

/// Packets not forwarded per second, by reason.
pub(super) fn reasons(model: &Model) -> String {
    let reasons = model.reasons.iter();
    let reasons: Vec<String> = reasons
        .map(|(name, rate)| format!("{name} {}/s", scaled(*rate)))
        .collect();
    match reasons.as_slice() {
        [] => "none".to_owned(),
        reasons => reasons.join("  "),
    }
}

/// What somebody should look after, the most urgent first.
pub(super) fn alarms(model: &Model, now: Instant) -> Vec<String> {
    let status = &model.sample.status;
    let mut alarms = Vec::new();
    if let Some(silence) = model.silence(now) {
        let seconds = silence.as_secs();
        alarms.push(format!("no answer from the daemon since {seconds} s"));
    }
    if let Some(left) = status.unconfirmed {
        alarms.push(format!(
            "the last change is taken back in {left} s, unless `drover confirm` keeps it"
        ));
    }
    alarms.extend(status.leaks.iter().map(|leak| {
        let (vip, mac, interface) = (leak.vip, &leak.mac, &leak.interface);
        let whose = whose(&leak.real);
        format!("leak: {vip} is also at {mac} on {interface}: {whose}")
    }));
    let lost = model.sample.services.iter().filter(|it| !it.has_quorum);
    alarms.extend(lost.map(|it| format!("{}: the quorum of {} is lost", it.service, it.quorum)));
    if alarms.len() > ALARMS_MAX {
        let more = alarms.len() - (ALARMS_MAX - 1);
        alarms.truncate(ALARMS_MAX - 1);
        alarms.push(format!("{more} more"));
    }
    alarms
}

/// A row's text in a column; what is said in full of its state is its last.
pub(super) fn cell(row: &Row, column: Column) -> String {
    let rate = row.rate;
    match column {
        Column::Name if row.address.is_some() => format!("  {}", row.name),
        Column::Name => row.name.clone(),
        Column::Packets => scaled_or_none(rate.map(|it| it.packets)),
        Column::Bits => scaled_or_none(rate.map(|it| it.bytes * 8.)),
        Column::New => scaled_or_none(rate.map(|it| it.connections)),
        Column::Active => scaled_or_none(row.active.map(|it| it as f64)),
        Column::Slots => row.share.map_or(String::new(), |it| format!("{it:.1}%")),
        Column::State => match &row.reason {
            Some(reason) => format!("{}: {reason}", row.state),
            None => row.state.clone(),
        },
    }
}

/// Columns of numbers, and how wide they are.
const NUMBERS: [(Column, u16); 5] = [
    (Column::Packets, 7),
    (Column::Bits, 7),
    (Column::New, 7),
    (Column::Active, 7),
    (Column::Slots, 6),
];
/// Columns that are left out one after the other where there is no room.
const LEFT_OUT: [Column; 4] = [Column::Slots, Column::New, Column::Active, Column::Bits];
/// Letters of the longest state, `unresolved`.
const STATE: u16 = 10;

/// The columns that there is room for, and their widths: as much as it needs for the name, and what is left for
/// the state and why it is so.
pub(super) fn columns(rows: &[Row], width: u16) -> Vec<(Column, u16)> {
    let needed = rows.iter().map(|row| {
        let indent = if row.address.is_some() { 2 } else { 0 };
        u16::try_from(row.name.len() + indent).unwrap_or(u16::MAX)
    });
    let needed = needed.max().unwrap_or(0).max(8);
    let mut numbers = NUMBERS.to_vec();
    let taken = |numbers: &[(Column, u16)]| -> u16 {
        numbers.iter().map(|(_, width)| width + 1).sum::<u16>() + 1 + STATE
    };
    for column in LEFT_OUT {
        if taken(&numbers).saturating_add(needed.min(24)) > width {
            numbers.retain(|(it, _)| *it != column);
        }
    }
    let name = needed.min(width.saturating_sub(taken(&numbers)).max(8));
    let taken = taken(&numbers) - STATE + name;
    let state = width.saturating_sub(taken);
    let mut columns = vec![(Column::Name, name)];
    columns.extend(numbers);
    columns.push((Column::State, state));
    columns
}

/// A text in a column: names and states on its left, numbers on its right.
pub(super) fn fitted(text: &str, (column, width): (Column, u16)) -> String {
    let width = usize::from(width);
    let mut text = text.to_owned();
    if text.chars().count() > width && width > 0 {
        text = text.chars().take(width - 1).chain(['…']).collect();
    }
    match column {
        Column::Name => format!("{text:<width$}"),
        Column::State => text,
        Column::Packets | Column::Bits | Column::New | Column::Active | Column::Slots => {
            format!("{text:>width$}")
        }
    }
}
