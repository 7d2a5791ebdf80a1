//! `-R`: commands from standard input, a line each. All are sent as one list of changes: all are made, or none.

use std::io::{self, Read as _};

use super::{
    command::Command,
    daemon::Daemon,
    failure::Failure,
    grammar::{self, Asked},
    site::Site,
};

/// Octets: some 200 000 rules.
const RULES_MAX: u64 = 16 << 20;

pub(super) fn restore(program: &str, daemon: &Daemon, site: &mut Site) -> Result<(), Failure> {
    let mut text = String::new();
    let mut input = io::stdin().lock().take(RULES_MAX + 1);
    let read = input.read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format!("cannot read the rules: {error}")))?;
    if text.len() as u64 > RULES_MAX {
        let most = RULES_MAX >> 20;
        return Err(Failure::usage(format!(
            "the rules are more than {most} MiB"
        )));
    }
    let mut changes = Vec::new();
    for line in text.lines() {
        // ipvsadm-save's may have its name before them.
        let words = line.split_whitespace().filter(|&word| word != "ipvsadm");
        let words: Vec<String> = words.map(str::to_owned).collect();
        if words.is_empty() {
            continue;
        }
        let said = match grammar::parse(program, words)? {
            Asked::Command(said) if is_change(said.command) => said,
            Asked::Command(_) | Asked::Help | Asked::Version => {
                return Err(Failure::try_help(program));
            }
        };
        changes.push(site.change(&said)?);
    }
    match changes.is_empty() {
        true => Ok(()),
        false => daemon.change(&changes),
    }
}

fn is_change(command: Command) -> bool {
    ![
        Command::List,
        Command::Restore,
        Command::Save,
        Command::Zero,
    ]
    .contains(&command)
}
