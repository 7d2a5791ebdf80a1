//! Statements, and the blocks that some have.

use anyhow::{Result, bail, ensure};

use super::{
    super::notes::Place,
    lines::Line,
    words::{Token, tokens},
};

/// Blocks within blocks.
const DEPTH_MAX: usize = 16;

/// A line, or what it opens: `real_server 192.0.2.2 80 { … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) place: Place,
    /// At least one.
    pub(super) words: Vec<String>,
    /// Empty of a line without one.
    pub(super) block: Vec<Self>,
}

impl Statement {
    pub(super) fn name(&self) -> &str {
        self.argument(0)
    }

    /// A word; empty if there are not so many.
    pub(super) fn argument(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    /// Its words as they can be shown.
    pub(super) fn text(&self) -> String {
        self.words.join(" ")
    }
}

pub(super) fn statements(lines: &[Line]) -> Result<Vec<Statement>> {
    // Each block that is open, with the statement that it is of.
    let mut open: Vec<Statement> = Vec::new();
    let mut all = Vec::new();
    for Line { place, text } in lines {
        // A brace may be alone on the line after its statement.
        let mut words = Vec::new();
        let end = |words: &mut Vec<String>, open: &mut Vec<Statement>, all: &mut Vec<_>| {
            if !words.is_empty() {
                let statement = Statement {
                    place: place.clone(),
                    words: std::mem::take(words),
                    block: Vec::new(),
                };
                inner(open, all).push(statement);
            }
        };
        for token in tokens(text) {
            match token {
                Token::Word(word) => words.push(word),
                Token::Open => {
                    end(&mut words, &mut open, &mut all);
                    let Some(statement) = inner(&mut open, &mut all).pop() else {
                        bail!("{place}: `{{` is the block of nothing");
                    };
                    ensure!(
                        open.len() < DEPTH_MAX,
                        "{place}: blocks are more than {DEPTH_MAX} deep"
                    );
                    open.push(statement);
                }
                Token::Close => {
                    end(&mut words, &mut open, &mut all);
                    let Some(statement) = open.pop() else {
                        bail!("{place}: `}}` closes nothing");
                    };
                    inner(&mut open, &mut all).push(statement);
                }
            }
        }
        end(&mut words, &mut open, &mut all);
    }
    match open.first() {
        None => Ok(all),
        Some(outer) => bail!(
            "{}: the block of `{}` is not closed before the file ends",
            outer.place,
            outer.text()
        ),
    }
}

/// Where the next statement goes.
fn inner<'t>(open: &'t mut [Statement], all: &'t mut Vec<Statement>) -> &'t mut Vec<Statement> {
    match open.last_mut() {
        Some(statement) => &mut statement.block,
        None => all,
    }
}
