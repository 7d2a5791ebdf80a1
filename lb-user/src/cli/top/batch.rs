//! `drover top -b`: the same as text, for files and pipes.

use std::{fmt::Write as _, path::Path, thread::sleep, time::Instant};

use anyhow::Result;

use super::{
    model::Model,
    sample::Sample,
    text::{self, alarms, cell, fitted},
};
use crate::cli::output;

/// Wide enough for every name and every reason.
const WIDTH: u16 = 512;

/// Prints `count` tables, or without one as many as somebody reads.
pub(super) fn run(mut model: Model, socket: &Path, count: Option<u64>) -> Result<()> {
    let mut printed = 0;
    while count.is_none_or(|count| printed < count) {
        sleep(model.delay);
        match Sample::take(socket) {
            Ok(sample) => model.take(sample),
            Err(_) => model.fail(),
        }
        if output::is_abandoned() || !output::is_read(&table(&model))? {
            break;
        }
        printed += 1;
    }
    Ok(())
}

fn table(model: &Model) -> String {
    let interfaces = text::interfaces(model).into_iter();
    let interfaces: Vec<String> = interfaces.map(|(text, _)| text).collect();
    let mut lines = vec![
        text::title(model),
        format!("interfaces  {}", interfaces.join("  ")),
        format!("flows  {}", text::flows(model).1),
        format!("total  {}", text::total(model)),
        format!("not forwarded  {}", text::reasons(model)),
    ];
    lines.extend(
        alarms(model, Instant::now())
            .iter()
            .map(|it| format!("! {it}")),
    );
    let columns = text::columns(&model.rows, WIDTH);
    let titles = columns.iter().map(|it| fitted(it.0.title(), *it));
    lines.push(String::new());
    lines.push(titles.collect::<Vec<_>>().join(" "));
    for row in &model.rows {
        let cells = columns.iter().map(|it| fitted(&cell(row, it.0), *it));
        lines.push(cells.collect::<Vec<_>>().join(" "));
    }
    let mut text = String::new();
    for line in lines {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.push('\n');
    text
}
