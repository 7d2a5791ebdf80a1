//! The status as people read it.

use super::status::Status;
use crate::cli::{
    mood::Mood,
    page::{Column, Line, Page, Table},
};

const INTERFACES: [Column; 5] = [
    Column::text("INTERFACE", 0).fitting(),
    Column::text("INGRESS", 0).fitting(),
    Column::text("EGRESS", 0).fitting(),
    Column::text("RIP", 0).fitting(),
    Column::text("STATE", 0),
];
const VIPS: [Column; 8] = [
    Column::text("VIP", 0).fitting(),
    Column::text("INTERFACE", 0).fitting(),
    Column::text("ON LO", 0).fitting(),
    Column::text("MANGLED TO", 0).fitting(),
    Column::text("ASKED", 0).fitting(),
    Column::text("CLAIMED", 0).fitting(),
    Column::text("MANGLED", 0).fitting(),
    Column::text("STATE", 0),
];

pub(super) fn table(status: &Status, page: &mut Page) {
    if status.interfaces.is_empty() {
        return;
    }
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let interfaces = status.interfaces.iter().map(|it| {
        let rips: Vec<String> = it.rips.iter().map(ToString::to_string).collect();
        Line::Row(vec![
            it.interface.clone(),
            or_none(it.ingress.clone()),
            or_none(it.egress.clone()),
            or_none((!rips.is_empty()).then(|| rips.join(","))),
            state(&it.problems),
        ])
    });
    rows(page, &INTERFACES, interfaces.collect());
    page.blank();
    let vips = status.vips.iter().map(|it| {
        Line::Row(vec![
            it.vip.to_string(),
            it.interface.clone(),
            if it.on_lo { "yes" } else { "no" }.into(),
            or_none(it.rip.map(|rip| rip.to_string())),
            it.asked.to_string(),
            it.claimed.to_string(),
            it.mangled.to_string(),
            state(&it.problems),
        ])
    });
    rows(page, &VIPS, vips.collect());
}

fn rows(page: &mut Page, columns: &[Column], lines: Vec<Line>) {
    page.table(&Table {
        columns,
        lines: &lines,
        gap: 2,
        indent: 4,
    });
}

fn state(problems: &[String]) -> String {
    if problems.is_empty() {
        return Mood::Good.paint("ok");
    }
    Mood::Bad.paint(format!("{}; attach again", problems.join("; ")))
}
