//! How it is told: commands as they are typed, what was seen, what that means. Coloured on a terminal only.

use std::{
    fmt::Display,
    io::{IsTerminal, stdout},
};

#[derive(Clone, Copy)]
pub(crate) struct Show {
    colour: bool,
}

impl Show {
    pub(crate) fn new() -> Self {
        Self {
            colour: stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        }
    }

    pub(crate) fn part(self, title: &str) {
        println!("\n{}", self.paint("1", title));
    }

    pub(crate) fn typed(self, host: impl Display, line: &str) {
        println!(
            "  {} {line}",
            self.paint("36", &format!("{:>8}#", host.to_string()))
        );
    }

    pub(crate) fn saw(self, text: &str) {
        for line in text.trim_end().lines() {
            println!("            {}", self.paint("2", line));
        }
    }

    pub(crate) fn found(self, text: &str) {
        println!("  {} {text}", self.paint("32", "ok:"));
    }

    pub(crate) fn plain(self, text: &str) {
        println!("  {text}");
    }

    /// In one line, whatever it is made of.
    pub(crate) fn failed(self, why: &anyhow::Error) {
        let why = format!("{why:#}");
        let lines: Vec<&str> = why
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        println!("\n{} {}", self.paint("31", "not seen:"), lines.join(" / "));
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.into()
        }
    }
}
