//! `drover doctor`.

use std::{
    fmt::Write as _,
    io::{IsTerminal as _, stdout},
    process::exit,
};

use anyhow::Result;
use clap::Args;

use super::{Format, Places, output};
use crate::{
    dataplane::pins,
    doctor::{
        examine,
        finding::{Finding, Severity},
        verdict,
    },
    setup::Role,
};

/// Columns of what is written as text; commands are longer where they have to be, to be copied.
const WIDTH: usize = 80;
const MARGIN: &str = "  ";

#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// What this host is, or is to be [default: what its files and pins say]
    #[arg(long)]
    role: Option<Role>,
    /// Also what is as it should be
    #[arg(long, short = 'v', visible_alias = "verbose")]
    all: bool,
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
}

impl Doctor {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        let role = self.role.map(|role| match role {
            Role::Director => pins::Role::Director,
            Role::Realserver => pins::Role::RealServer,
        });
        let findings = examine(role, places)?;
        let is_coloured = stdout().is_terminal();
        output::print(self.output, &findings, |findings| {
            table(findings, self.all, is_coloured)
        })?;
        match verdict(&findings) {
            Severity::Ok | Severity::Note => Ok(()),
            Severity::Warning => exit(4),
            Severity::Error => exit(5),
        }
    }
}

/// The gravest first, and one line of how many there are.
fn table(findings: &[Finding], all: bool, is_coloured: bool) -> String {
    let mut shown: Vec<&Finding> = findings.iter().collect();
    shown.retain(|it| all || it.severity > Severity::Ok);
    shown.sort_by_key(|it| std::cmp::Reverse(it.severity));
    let mut text = String::new();
    for finding in &shown {
        write_finding(&mut text, finding, is_coloured);
    }
    let fine = findings.iter().filter(|it| it.severity == Severity::Ok);
    if !shown.is_empty() {
        text.push('\n');
    }
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} checks, {} fine", findings.len(), fine.count());
    text
}

fn write_finding(text: &mut String, finding: &Finding, is_coloured: bool) {
    let severity = finding.severity.name();
    let said = format!("{}: {} [{}]", finding.subject, finding.what, finding.id);
    let said = wrapped(&said, WIDTH - 8);
    let mut lines = said.lines();
    let first = lines.next().unwrap_or_default();
    let (on, off) = match (is_coloured, finding.severity) {
        (false, _) | (true, Severity::Note) => ("", ""),
        (true, Severity::Ok) => ("\x1b[32m", "\x1b[0m"),
        (true, Severity::Warning) => ("\x1b[33m", "\x1b[0m"),
        (true, Severity::Error) => ("\x1b[31m", "\x1b[0m"),
    };
    let _ = writeln!(text, "{on}{severity:<7}{off} {first}");
    let why = finding.why.as_deref().unwrap_or_default();
    let why = wrapped(why, WIDTH - 8 - MARGIN.len());
    for line in lines {
        let _ = writeln!(text, "{:8}{line}", "");
    }
    for line in why.lines() {
        let _ = writeln!(text, "{:8}{MARGIN}{line}", "");
    }
    if let Some(fix) = &finding.fix {
        let on = finding.fix_on.iter().map(|host| format!(" on {host}"));
        let _ = writeln!(text, "{:8}{MARGIN}fix{}: {fix}", "", on.collect::<String>());
    }
}

/// Broken into lines of so many columns, where words allow it.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_fit_and_the_gravest_is_first() {
        let why = "as it is said in many words that do not fit into one line of a terminal, at all";
        let findings = [
            Finding::ok("rights", "this process", "has what it needs"),
            Finding::note("queues", "eth0", "has one queue").why(why),
            Finding::error("vip-leak", "10.0.0.100", "is also at another")
                .fix("drover realserver attach")
                .on("10.0.0.2"),
        ];
        let want = "error   10.0.0.100: is also at another [vip-leak]
          fix on 10.0.0.2: drover realserver attach
note    eth0: has one queue [queues]
          as it is said in many words that do not fit into one line of a
          terminal, at all

3 checks, 1 fine
";
        assert_eq!(table(&findings, false, false), want);
        assert!(
            table(&findings, true, false)
                .contains("ok      this process: has what it needs [rights]\n")
        );
        assert_eq!(table(&findings[..1], false, false), "1 checks, 1 fine\n");
        assert!(table(&findings, false, true).starts_with("\x1b[31merror  \x1b[0m 10.0.0.100"));
    }
}
