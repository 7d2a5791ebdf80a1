//! A section of a document, as the commands in it and what they show.
//!
//! A block of shell begins with ```` ```sh HOST… ````, and then, if it does not exit with 0, the code. `until`: it is run
//! again until it shows what is to be shown. `screen`: in a terminal, until its screen shows that.
//! A block that begins with ```` ```text ```` is what the block before it shows: `…` is anything, and alone in a line any
//! lines.

use std::str::Split;

use anyhow::{Context as _, Result, ensure};

#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) hosts: Vec<String>,
    pub(crate) code: i32,
    pub(crate) until: bool,
    pub(crate) screen: bool,
    pub(crate) lines: String,
    pub(crate) shows: String,
}

/// The blocks of a section, in their order.
pub(crate) fn steps(document: &str, section: &str) -> Result<Vec<Step>> {
    let head = format!("\n## {section}\n");
    let (_, text) = document
        .split_once(&head)
        .with_context(|| format!("no section {section}"))?;
    let text = text.split("\n## ").next().unwrap_or_default();
    let mut steps: Vec<Step> = Vec::new();
    // Every other piece is inside of a fence.
    for block in text.split("```").skip(1).step_by(2) {
        let (info, content) = block.split_once('\n').unwrap_or((block, ""));
        let mut words = info.split(' ');
        match words.next() {
            Some("sh") => steps.push(Step {
                lines: content.to_owned(),
                ..Step::of(words)
            }),
            Some("text") => {
                let step = steps.last_mut().filter(|it| it.shows.is_empty());
                content.clone_into(&mut step.context("a text without its commands")?.shows);
            }
            _ => anyhow::bail!("a block of {info:?}"),
        }
    }
    ensure!(!steps.is_empty(), "nothing to run in {section}");
    Ok(steps)
}

impl Step {
    fn of(words: Split<'_, char>) -> Self {
        let mut step = Self::default();
        for word in words {
            match (word, word.parse()) {
                ("until", _) => step.until = true,
                ("screen", _) => step.screen = true,
                (_, Ok(code)) => step.code = code,
                (host, _) => step.hosts.push(host.to_owned()),
            }
        }
        step
    }

    /// Whether that is what it is to show.
    pub(crate) fn is_shown_by(&self, said: &str) -> bool {
        let said: Vec<&str> = said.lines().map(str::trim_end).collect();
        let shows: Vec<&str> = self.shows.lines().map(str::trim_end).collect();
        self.shows.is_empty() || are_like(&shows, &said)
    }
}

fn are_like(shows: &[&str], said: &[&str]) -> bool {
    match (shows, said) {
        ([], said) => said.is_empty(),
        (["…", rest @ ..], said) => {
            (0..=said.len()).any(|skipped| are_like(rest, &said[skipped..]))
        }
        ([line, rest @ ..], [first, others @ ..]) => is_like(line, first) && are_like(rest, others),
        _ => false,
    }
}

fn is_like(pattern: &str, line: &str) -> bool {
    match pattern.split_once('…') {
        None => pattern == line,
        Some((start, rest)) => line.strip_prefix(start).is_some_and(|line| {
            let mut ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
            ends.any(|at| is_like(rest, &line[at..]))
        }),
    }
}
