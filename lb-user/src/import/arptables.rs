//! The rules of a real server that keep it quiet about VIPs: as `arptables-save` prints them, or as commands.

use std::{net::IpAddr, path::Path};

use anyhow::{Result, anyhow};
use toml_edit::{Array, DocumentMut, Item};

use super::{
    Imported, input,
    keys::{Keys, comment},
    notes::{Notes, Place},
};
use crate::config::{
    Source,
    realserver::{RealServer, vip},
};

#[derive(Default)]
struct Rules {
    vips: Vec<IpAddr>,
    interfaces: Vec<String>,
    /// Some rule is for all interfaces.
    names_none: bool,
}

/// What a line says that matters.
#[derive(Default)]
struct Rule<'l> {
    chain: &'l str,
    target: &'l str,
    source: Option<&'l str>,
    destination: Option<&'l str>,
    interface: Option<&'l str>,
    mangles_source: bool,
}

pub(super) fn import(path: &Path, text: &str, interfaces: &[String]) -> Result<Imported> {
    let name = input::name(path);
    let mut notes = Notes::default();
    let mut rules = Rules::default();
    for (line, number) in text.lines().zip(1..) {
        let place = Place {
            file: name.as_str().into(),
            line: number,
        };
        if let Err(why) = rules.take(line) {
            notes.left(&place, format!("{}: {why}", line.trim()));
        }
    }
    if rules.vips.is_empty() {
        let lines = notes.lines();
        let first = lines
            .first()
            .map_or(String::new(), |it| format!("; first: {it}"));
        return Err(anyhow!("{name}: no rule names a VIP{first}"));
    }
    let text = rules.text(&name, interfaces);
    let read = RealServer::parse(&Source::new("", text.as_str()));
    read.map_err(|error| anyhow!("what would be written is refused: {}", error.what()))?;
    Ok(Imported { text, notes })
}

impl Rules {
    fn take(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<_> = line.split_whitespace().collect();
        let mut words = words.as_slice();
        // Counters of rules, and the program's name.
        while let [first, rest @ ..] = words {
            let name = first.rsplit('/').next().unwrap_or(first);
            let is_one = first.starts_with('[')
                || matches!(name, "arptables" | "arptables-legacy" | "arptables-nft");
            if !is_one {
                break;
            }
            words = rest;
        }
        if let ["-t" | "--table", "filter", rest @ ..] = words {
            words = rest;
        }
        match words {
            [] | ["*filter" | "COMMIT"] | ["-F" | "-X" | "-Z" | "--flush", ..] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            [chain, policy, ..] if chain.starts_with(':') => accepts(policy),
            ["-P" | "--policy", _, policy] => accepts(policy),
            ["-A" | "--append" | "-I" | "--insert", chain, rest @ ..] => self.rule(chain, rest),
            _ => Err("only rules that are added are carried over".to_owned()),
        }
    }

    fn rule(&mut self, chain: &str, words: &[&str]) -> Result<(), String> {
        let rule = Rule::of(chain, words)?;
        let address = match (rule.chain, rule.target) {
            ("INPUT" | "IN", "DROP") if rule.source.is_none() => rule.destination,
            ("OUTPUT" | "OUT", "DROP") if rule.destination.is_none() => rule.source,
            ("OUTPUT" | "OUT", "mangle") if rule.mangles_source && rule.destination.is_none() => {
                rule.source
            }
            _ => None,
        };
        let Some(address) = address else {
            return Err(
                "it is none of those that keep a VIP quiet; what ARP for a VIP needs is done without rules"
                    .to_owned(),
            );
        };
        let address = vip(address.strip_suffix("/32").unwrap_or(address))?;
        if !self.vips.contains(&address) {
            self.vips.push(address);
        }
        let interface = rule.interface.filter(|it| !matches!(*it, "any" | "*"));
        self.names_none |= interface.is_none();
        if let Some(name) = interface.map(str::to_owned)
            && !self.interfaces.contains(&name)
        {
            self.interfaces.push(name);
        }
        Ok(())
    }

    fn text(&self, name: &str, named: &[String]) -> String {
        let remarks = [
            format!("Made from {name} by `drover import arptables`."),
            "The RIP that requests are sent as is found from the interface.".to_owned(),
        ];
        let (interfaces, remark) = match (named, self.interfaces.as_slice()) {
            ([], []) => (
                vec!["eth0".to_owned()],
                Some("assumed; name all that could answer for a VIP".to_owned()),
            ),
            ([], said) => {
                let remark = "some rules are for all interfaces; name all that could answer";
                (said.to_vec(), self.names_none.then(|| remark.to_owned()))
            }
            (named, _) => (named.to_vec(), None),
        };
        let mut keys = Keys::default();
        keys.put_with("interfaces", interfaces.iter().collect::<Array>(), remark);
        keys.put(
            "vips",
            self.vips.iter().map(IpAddr::to_string).collect::<Array>(),
        );
        let mut table = keys.table();
        let remarks: String = remarks.iter().map(|it| comment(it) + "\n").collect();
        table.decor_mut().set_prefix(remarks + "\n");
        let mut document = DocumentMut::new();
        document.insert("realserver", Item::Table(table));
        document.to_string()
    }
}

fn accepts(policy: &str) -> Result<(), String> {
    match policy {
        "ACCEPT" | "-" => Ok(()),
        other => Err(format!(
            "{other} as a policy: only ARP for the VIPs is dropped"
        )),
    }
}

impl<'l> Rule<'l> {
    fn of(chain: &'l str, words: &[&'l str]) -> Result<Self, String> {
        let mut rule = Self {
            chain,
            ..Self::default()
        };
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            // The number of a rule that is inserted.
            if word.parse::<u32>().is_ok() {
                continue;
            }
            let value = words
                .next()
                .ok_or_else(|| format!("{word} is the last word"))?;
            if word == "!" || value == "!" {
                return Err("what is not said of an address cannot be carried over".to_owned());
            }
            match word {
                "-j" | "--jump" => rule.target = value,
                "-s" | "--source-ip" | "--src-ip" => rule.source = Some(value),
                "-d" | "--destination-ip" | "--dst-ip" => rule.destination = Some(value),
                "-i" | "--in-interface" | "--in-if" | "-o" | "--out-interface" | "--out-if" => {
                    rule.interface = Some(value);
                }
                "--mangle-ip-s" => rule.mangles_source = true,
                // All ARP is so, and what is about a VIP is dropped whatever it asks.
                "-l" | "--h-length" | "--h-type" | "--proto-type" | "--opcode" => {}
                "--mangle-target" if value == "ACCEPT" => {}
                other => return Err(format!("{other} is not carried over")),
            }
        }
        Ok(rule)
    }
}
