//! `director.toml` of what was read: put together from its services, each of which is checked alone.

use std::{collections::HashMap, path::Path};

use anyhow::{Result, anyhow};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table};

use super::{
    Imported,
    draft::{Draft, Target},
    keys::{Keys, comment},
    notes::{Notes, Place},
};
use crate::{config::director::Config, service::ServiceName};

/// All but the services.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Lines above all.
    pub(super) remarks: Vec<String>,
    pub(super) interfaces: Vec<String>,
    /// Where the interfaces are from.
    pub(super) interfaces_from: Option<String>,
    /// Keys of `[director]`.
    pub(super) keys: Keys,
    /// Of `[director.timeouts]`.
    pub(super) timeouts: Keys,
}

/// What is written where the file does not say it.
const INTERFACE: &str = "eth0";
/// `services_max` and `members_max` where they are not written.
const SERVICES: usize = 4095;
const MEMBERS: usize = 16383;

impl Head {
    /// Takes what the operator names, else what the file does.
    pub(super) fn set_interfaces(&mut self, named: &[String]) {
        if !named.is_empty() {
            self.interfaces = named.to_vec();
            self.interfaces_from = None;
        }
        if self.interfaces.is_empty() {
            self.interfaces = vec![INTERFACE.to_owned()];
            self.interfaces_from =
                Some("assumed; name those that clients' packets come in by".to_owned());
        }
    }

    fn text(&self, (services, members): (usize, usize)) -> String {
        let mut keys = self.keys.clone();
        if services > SERVICES {
            keys.put("services_max", services as i64);
        }
        if members > MEMBERS {
            keys.put("members_max", members as i64);
        }
        let interfaces: Array = self.interfaces.iter().map(String::as_str).collect();
        keys.put_with("interfaces", interfaces, self.interfaces_from.clone());
        let mut director = keys.table();
        if !self.timeouts.is_empty() {
            let mut timeouts = self.timeouts.table();
            timeouts.decor_mut().set_prefix("\n");
            director.insert("timeouts", Item::Table(timeouts));
        }
        let remarks: String = self.remarks.iter().map(|it| comment(it) + "\n").collect();
        director.decor_mut().set_prefix(remarks + "\n");
        let mut document = DocumentMut::new();
        document.insert("director", Item::Table(director));
        document.to_string()
    }
}

/// Returns the file's text, which this director's own parser takes.
pub(super) fn written(head: &Head, drafts: &[Draft], mut notes: Notes) -> Result<Imported> {
    let mut listens = HashMap::new();
    let mut parts = String::new();
    let (mut services, mut members) = (0, 0);
    for draft in drafts {
        if let Some(first) = taken(&mut listens, draft) {
            let what = format!("{}: {first} has it already; left out", draft.title);
            notes.left(&draft.place, what);
            continue;
        }
        let Some(part) = part(draft, &mut notes) else {
            continue;
        };
        if let Target::Names(names) = &draft.target {
            services += names.len();
            members += draft.reals.len() + 1;
        }
        parts += &part;
    }
    let text = head.text((services, members)) + &parts;
    parsed(&text).map_err(|why| anyhow!("what would be written is refused: {why}"))?;
    Ok(Imported { text, notes })
}

/// Where another service has one of the destinations.
fn taken<'d>(listens: &mut HashMap<ServiceName, &'d Place>, draft: &'d Draft) -> Option<&'d Place> {
    let Target::Names(names) = &draft.target else {
        return None;
    };
    if let Some(first) = names.iter().find_map(|name| listens.get(name)) {
        return Some(first);
    }
    listens.extend(names.iter().map(|name| (*name, &draft.place)));
    None
}

/// A service's part of the file, unless it is refused, and why.
fn part(draft: &Draft, notes: &mut Notes) -> Option<String> {
    let alone = |text: &str| parsed(&format!("[director]\ninterfaces = [\"lo\"]\n{text}"));
    let mut text = text(draft.table(true, notes));
    if let Err(why) = alone(&text) {
        // Told once, above.
        text = self::text(draft.table(false, &mut Notes::default()));
        if let Err(why) = alone(&text) {
            notes.left(&draft.place, format!("{}: {why}; left out", draft.title));
            return None;
        }
        let what = format!("{}: its check: {why}", draft.title);
        notes.left(&draft.place, what);
    }
    match draft.target {
        Target::Names(_) => Some(text),
        Target::Mark { .. } => {
            let what = format!(
                "{}: which VIPs and ports have the mark is said in iptables or nft; the service is written as a comment, in which to name them",
                draft.title
            );
            notes.left(&draft.place, what);
            Some(commented(&text))
        }
    }
}

fn text(service: Table) -> String {
    let mut all = ArrayOfTables::new();
    all.push(service);
    let mut document = DocumentMut::new();
    document.insert("service", Item::ArrayOfTables(all));
    document.to_string()
}

/// The same as a comment, with a destination to be filled in.
fn commented(text: &str) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        match line {
            _ if line.is_empty() || line.starts_with('#') => lines += line,
            _ if line.starts_with("listen = ") => {
                lines += "#listen = [\"tcp/VIP:PORT\"] # what packets with the mark are sent to";
            }
            _ => lines = lines + "#" + line,
        }
        lines += "\n";
    }
    lines
}

/// What is wrong with a text, if anything is.
fn parsed(text: &str) -> Result<(), String> {
    let parsed = Config::parse(Path::new(""), text);
    parsed.map(drop).map_err(|error| error.what().to_owned())
}
