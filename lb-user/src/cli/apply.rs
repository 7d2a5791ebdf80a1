//! `drover apply`, `drover diff` and `drover undo`.

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use super::{Format, Places, mood::Mood, output, page::Page};
use crate::{
    api::diff::{self, CONFIRM_MAX, Kind, RealDiff, ServiceDiff, Setting, Text},
    config::Source,
};

#[derive(Args, Debug)]
pub(super) struct Apply {
    /// A director.toml; `-` is standard input
    file: PathBuf,
    /// Take it back after so long, as in 60s or 5m, unless `drover confirm` comes first
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    confirm_within: Option<u32>,
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
}

#[derive(Args, Debug)]
pub(super) struct Diff {
    /// A director.toml in place of the daemon's; `-` is standard input
    file: Option<PathBuf>,
    /// Exit with 1 if anything would change
    #[arg(long)]
    exit_code: bool,
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
}

#[derive(Args, Debug)]
pub(super) struct Undo {
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
}

impl Apply {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        let apply = diff::Apply {
            file: read(&self.file)?,
            confirm_within: self.confirm_within,
        };
        let diff: diff::Diff = places.post("/v1/apply", &apply, "applying the file")?;
        output::print(self.output, &diff, table)?;
        if let Some(within) = self.confirm_within {
            eprintln!("taken back in {within} s, unless `drover confirm` keeps it");
        }
        Ok(())
    }
}

impl Diff {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        let text = self.file.as_deref().map(read).transpose()?;
        let diff: diff::Diff =
            places.post("/v1/diff", &text, "trying the file on a copy of the tables")?;
        output::print(self.output, &diff, table)?;
        if self.exit_code && !diff.is_empty() {
            std::process::exit(1);
        }
        Ok(())
    }
}

impl Undo {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        let diff: diff::Diff = places.post("/v1/undo", &(), "undoing the last change")?;
        output::print(self.output, &diff, table)
    }
}

fn read(path: &Path) -> Result<Text> {
    if path != Path::new("-") {
        return Ok(Text {
            name: path.display().to_string(),
            text: Source::read(path)?.into_text(),
        });
    }
    let mut text = String::new();
    let mut input = io::stdin().lock().take(Source::OCTETS_MAX + 1);
    let read = input.read_to_string(&mut text);
    read.context("cannot read standard input")?;
    ensure!(
        text.len() as u64 <= Source::OCTETS_MAX,
        "standard input: at most {} octets",
        Source::OCTETS_MAX
    );
    Ok(Text {
        name: "standard input".to_owned(),
        text,
    })
}

fn seconds(text: &str) -> Result<u32, String> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        None => (text, 1),
        Some(at) => {
            let unit = match &text[at..] {
                "s" => Some(1),
                "m" => Some(60),
                "h" => Some(60 * 60),
                _ => None,
            };
            (&text[..at], unit.unwrap_or(0))
        }
    };
    let seconds = number.parse().ok().and_then(|it: u32| it.checked_mul(unit));
    seconds
        .filter(|seconds| (1..=CONFIRM_MAX).contains(seconds))
        .ok_or_else(|| "it is a time as in 60s, 5m or 1h, up to a day".to_owned())
}

/// A line for each thing that changes: `+` comes, `-` goes, `~` is another.
fn table(diff: &diff::Diff, page: &mut Page) {
    for setting in &diff.director {
        page.line(2, &setting_line(setting));
    }
    for service in &diff.services {
        service_lines(page, service);
    }
    if diff.is_empty() {
        page.line(0, "nothing changes");
    }
}

fn service_lines(page: &mut Page, diff: &ServiceDiff) {
    let mut line = |indent: usize, what: &str| {
        page.line(indent + 2, &format!("{:indent$}{what}", ""));
    };
    line(
        0,
        &format!("{} service {}", sign(diff.change), diff.service),
    );
    for setting in &diff.settings {
        line(4, &setting_line(setting));
    }
    for RealDiff {
        address,
        change,
        settings,
    } in &diff.reals
    {
        let settings: Vec<String> = settings.iter().map(inline).collect();
        let sign = sign(*change);
        let what = format!("{sign} real {address} {}", settings.join(", "));
        line(4, what.trim_end());
    }
    if let Some(slots) = diff.slots {
        line(4, &format!("{} of {} slots move", slots.moving, slots.of));
    }
    let cut = match (diff.cut, diff.cuts_untracked) {
        _ if diff.change == Kind::Added => return,
        (0, false) => "no connection is cut".to_owned(),
        (1, false) => "1 connection is cut".to_owned(),
        (cut, false) => format!("{cut} connections are cut"),
        (cut, true) => format!("connections are cut: {cut} with a record, and those without"),
    };
    line(4, &cut);
}

fn setting_line(setting: &Setting) -> String {
    format!("{} {}", sign(Kind::Changed), inline(setting))
}

fn inline(setting: &Setting) -> String {
    let Setting { key, before, after } = setting;
    match (before, after) {
        (Some(before), Some(after)) => format!("{key} {before} -> {after}"),
        (None, Some(after)) => format!("{key} {after}"),
        (Some(before), None) => format!("{key} {before} -> default"),
        (None, None) => key.clone(),
    }
}

fn sign(change: Kind) -> String {
    match change {
        Kind::Added => Mood::Good.paint('+'),
        Kind::Removed => Mood::Bad.paint('-'),
        Kind::Changed => Mood::Restricted.paint('~'),
    }
}
