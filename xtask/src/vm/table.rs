//! What came of the tests, as a table.

use super::{packages::Kernel, programs::Outcome};

/// A row for each program of BPF and each test program, a column for each kernel.
pub(super) fn table(columns: &[(Kernel, Vec<Outcome>)]) -> String {
    let releases = columns.iter().map(|(kernel, _)| kernel.release.clone());
    let mut rows = vec![
        row("", releases),
        row("---", columns.iter().map(|_| "---".to_owned())),
    ];
    for name in verified(columns) {
        let cells = columns.iter().map(|(_, outcomes)| said_of(outcomes, &name));
        rows.push(row(&format!("`{name}`"), cells));
    }
    let programs = columns.first().map_or(&[][..], |(_, outcomes)| outcomes);
    for (i, program) in programs.iter().enumerate() {
        let cells = columns.iter().map(|(_, outcomes)| outcomes[i].cell());
        rows.push(row(&format!("tests `{}`", program.program), cells));
    }
    rows.concat()
}

impl Outcome {
    /// Such as `9 passed, 41 s`.
    fn cell(&self) -> String {
        let mut results = self
            .said
            .iter()
            .filter_map(|line| line.strip_prefix("test result: ok. "));
        match results.next().and_then(|result| result.split_once(';')) {
            Some((passed, _)) if self.passed => format!("{passed}, {} s", self.seconds),
            _ => "**failed**".to_owned(),
        }
    }
}

/// Names of the programs that a verifier has told of.
fn verified(columns: &[(Kernel, Vec<Outcome>)]) -> Vec<String> {
    let said = columns
        .iter()
        .flat_map(|(_, outcomes)| outcomes)
        .flat_map(|outcome| &outcome.said);
    let mut names: Vec<String> = said
        .filter_map(|line| Some(line.split_once(": verified ")?.0.to_owned()))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn said_of(outcomes: &[Outcome], name: &str) -> String {
    let prefix = format!("{name}: verified ");
    let mut said = outcomes.iter().flat_map(|outcome| &outcome.said);
    said.find_map(|line| line.strip_prefix(&prefix))
        .unwrap_or("")
        .to_owned()
}

fn row(head: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {head} | {} |\n", cells.join(" | "))
}
