//! The screen.

use std::time::Instant;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Block, Clear, LineGauge, Paragraph, RenderDirection, Sparkline},
};

use super::{
    colours::Colours,
    keys::HELP,
    model::Model,
    rows::{Column, Row},
    text::{self, cell, columns, fitted},
};

/// Lines from which on all of the header is shown, and some of it.
const TALL: u16 = 16;
const LOW: u16 = 8;
/// Columns of the rates of all services.
const RATES: u16 = 54;
/// What the lines of the header begin with is as wide.
const KEY: usize = 15;

/// Draws all of it, and scrolls as the size of the terminal wants it.
pub(super) fn draw(frame: &mut Frame<'_>, model: &mut Model, colours: Colours) {
    let area = frame.area();
    let alarms = text::alarms(model, Instant::now());
    let alarms = match area.height {
        TALL.. => &alarms[..],
        LOW.. => &alarms[..alarms.len().min(1)],
        _ => &[],
    };
    let lines = match area.height {
        TALL.. => 5,
        LOW.. => 2,
        _ => 0,
    };
    let footer = u16::from(area.height >= LOW || model.is_typing);
    let [head, alarmed, title, table, foot] = Layout::vertical([
        Constraint::Length(lines),
        Constraint::Length(alarms.len() as u16),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(footer),
    ])
    .areas(area);
    header(frame, head, model, colours);
    let red = colours.text(Color::Red).add_modifier(Modifier::BOLD);
    let alarms = alarms.iter().map(|it| Line::styled(format!("! {it}"), red));
    frame.render_widget(Paragraph::new(alarms.collect::<Vec<_>>()), alarmed);
    rows(frame, [title, table], model, colours);
    frame.render_widget(bottom(model, colours), foot);
    if model.is_helping {
        help(frame, area);
    }
}

/// What there is room for: all five lines, or the title and the rates.
fn header(frame: &mut Frame<'_>, area: Rect, model: &Model, colours: Colours) {
    let title = Line::from(text::title(model)).bold();
    let reasons = text::reasons(model);
    match area.rows().collect::<Vec<_>>()[..] {
        [first, second] => {
            frame.render_widget(title, first);
            rates(frame, second, model, colours);
        }
        [first, second, third, fourth, fifth] => {
            frame.render_widget(title, first);
            frame.render_widget(interfaces(model, colours), second);
            flows(frame, third, model, colours);
            rates(frame, fourth, model, colours);
            let reasons = vec![key("not forwarded", colours), reasons.into()];
            frame.render_widget(Line::from(reasons), fifth);
        }
        _ => {}
    }
}

fn key(text: &str, colours: Colours) -> Span<'static> {
    Span::styled(format!("{text:<KEY$}"), colours.text(Color::Cyan))
}

fn interfaces(model: &Model, colours: Colours) -> Line<'static> {
    let mut spans = vec![key("interfaces", colours)];
    for (text, is_native) in text::interfaces(model) {
        let style = match is_native {
            true => Style::new(),
            false => colours.text(Color::Yellow),
        };
        spans.push(Span::styled(format!("{text}  "), style));
    }
    Line::from(spans)
}

fn flows(frame: &mut Frame<'_>, area: Rect, model: &Model, colours: Colours) {
    let (ratio, used) = text::flows(model);
    let widths = [Constraint::Length(KEY as u16), Constraint::Max(60)];
    let [name, gauge] = Layout::horizontal(widths).areas(area);
    frame.render_widget(Line::from(key("flows", colours)), name);
    let colour = match ratio {
        ..0.8 => Color::Green,
        _ => Color::Red,
    };
    let line = LineGauge::default()
        .ratio(ratio)
        .label(used)
        .filled_style(colours.text(colour))
        .unfilled_style(colours.text(Color::DarkGray))
        .filled_symbol("|")
        .unfilled_symbol("·");
    frame.render_widget(line, gauge);
}

/// All services' rates now, and how that of packets went.
fn rates(frame: &mut Frame<'_>, area: Rect, model: &Model, colours: Colours) {
    let total = Line::from(vec![key("total", colours), text::total(model).into()]);
    // Numbers change their width; the picture beside them does not move for that.
    let widths = [Constraint::Length(RATES), Constraint::Min(0)];
    let [left, right] = Layout::horizontal(widths).areas(area);
    frame.render_widget(total, left);
    // The latest is on the right.
    let line = Sparkline::default()
        .data(model.history.iter().rev().copied())
        .direction(RenderDirection::RightToLeft);
    frame.render_widget(line.style(colours.text(Color::Green)), right);
}

fn rows(frame: &mut Frame<'_>, [title, table]: [Rect; 2], model: &mut Model, colours: Colours) {
    model.scroll(usize::from(table.height));
    let columns = columns(&model.rows, table.width);
    let arrow = if model.order.inverted { '▲' } else { '▼' };
    let titles = columns.iter().flat_map(|it| {
        let (text, style) = match it.0 == model.order.column {
            true => (format!("{}{arrow}", it.0.title()), colours.bar(Color::Cyan)),
            false => (it.0.title().to_owned(), colours.bar(Color::Green)),
        };
        [Span::styled(fitted(&text, *it), style), Span::raw(" ")]
    });
    let titles = Line::from(titles.collect::<Vec<_>>());
    frame.render_widget(titles.style(colours.bar(Color::Green)), title);
    let shown = model.rows.iter().enumerate().skip(model.first);
    for ((at, row), area) in shown.zip(table.rows()) {
        let mut line = line(row, &columns, colours);
        if at == model.selected {
            let text: String = line.iter().map(|it| it.content.as_ref()).collect();
            line = Line::from(text).style(colours.bar(Color::Cyan));
        }
        frame.render_widget(line, area);
    }
}

fn line(row: &Row, columns: &[(Column, u16)], colours: Colours) -> Line<'static> {
    let cells = columns.iter().flat_map(|it| {
        let style = match it.0 == Column::State {
            true => colours.mood(row.mood),
            false => Style::new(),
        };
        [
            Span::styled(fitted(&cell(row, it.0), *it), style),
            Span::raw(" "),
        ]
    });
    let line = Line::from(cells.collect::<Vec<_>>());
    match row.address {
        Some(_) => line,
        None => line.bold(),
    }
}

/// The filter while it is typed, and otherwise the most useful keys.
fn bottom(model: &Model, colours: Colours) -> Line<'static> {
    if model.is_typing {
        return Line::from(format!("Filter: {}_", model.filter)).style(colours.bar(Color::Cyan));
    }
    let keys = [
        ("F1", "Help"),
        ("F4", "Filter"),
        ("F5", "Members"),
        ("F6", "Sort"),
        ("I", "Invert"),
        ("Space", "Pause"),
        ("F10", "Quit"),
    ];
    let spans = keys.iter().flat_map(|(key, what)| {
        let what = Span::styled(format!("{what:<7}"), colours.bar(Color::Cyan));
        [Span::raw(*key), what, Span::raw(" ")]
    });
    Line::from(spans.collect::<Vec<_>>())
}

fn help(frame: &mut Frame<'_>, area: Rect) {
    let line = |(keys, what): &(&str, &str)| Line::from(format!(" {keys:<27} {what}"));
    let lines: Vec<Line<'_>> = HELP.iter().map(line).collect();
    let width = lines.iter().map(Line::width).max().unwrap_or(0) as u16 + 3;
    let height = lines.len() as u16 + 2;
    let box_ = area.centered(Constraint::Length(width), Constraint::Length(height));
    let box_ = box_.intersection(area);
    frame.render_widget(Clear, box_);
    let title = " drover top: any key goes back ";
    frame.render_widget(
        Paragraph::new(lines).block(Block::bordered().title(title)),
        box_,
    );
}
