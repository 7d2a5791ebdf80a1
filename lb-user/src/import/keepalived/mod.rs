//! keepalived.conf, as keepalived.conf(5) describes it.

mod agree;
mod check;
mod define;
mod group;
mod http;
mod include;
mod lines;
mod misc;
mod options;
mod real;
mod reasons;
mod server;
mod smtp;
mod tree;
mod udp;
mod words;

use std::path::Path;

use anyhow::Result;

use self::{options::left, server::Groups, tree::Statement};
use super::{
    Imported,
    director::{self, Head},
    input,
    notes::Notes,
};
use crate::config::director::check_seconds;

pub(super) fn import(path: &Path, text: &str, interfaces: &[String]) -> Result<Imported> {
    let mut notes = Notes::default();
    let name = input::name(path);
    let lines = lines::lines(&name, path, text, &mut notes)?;
    let all = tree::statements(&lines)?;
    let mut head = Head {
        remarks: vec![
            format!("Made from {name} by `drover import keepalived`."),
            "A check asks for the VIP on each real server, which has no connections before it is good (keepalived's alpha)."
                .to_owned(),
        ],
        ..Head::default()
    };
    let mut groups = Groups::new();
    for block in &all {
        match block.name() {
            "virtual_server_group" => drop(groups.insert(block.argument(1), block)),
            "virtual_server" => {}
            name => {
                top(block, &mut head, &mut notes);
                left(block, reasons::of_top(name), &mut notes);
            }
        }
    }
    if head.interfaces_from.is_some() {
        head.keys
            .put_with("vip", "external", Some("VRRP puts them there".to_owned()));
    }
    head.set_interfaces(interfaces);
    let mut used = Vec::new();
    let mut drafts = Vec::new();
    for block in all.iter().filter(|it| it.name() == "virtual_server") {
        if block.argument(1) == "group" {
            used.push(block.argument(2));
        }
        drafts.extend(server::drafts(block, &groups, &mut notes));
    }
    for (name, block) in groups {
        if !used.contains(&name) {
            left(block, "no virtual_server has it", &mut notes);
        }
    }
    director::written(&head, &drafts, notes)
}

/// Takes what is useful of a block that is not a virtual server's.
fn top(block: &Statement, head: &mut Head, notes: &mut Notes) {
    for line in &block.block {
        match (block.name(), line.name()) {
            ("global_defs", "lvs_timeouts") => timeouts(line, head, notes),
            ("vrrp_instance", "interface") => {
                let name = line.argument(1).to_owned();
                if !name.is_empty() && !head.interfaces.contains(&name) {
                    head.interfaces.push(name);
                }
                head.interfaces_from = Some("as of vrrp_instance".to_owned());
            }
            _ => {}
        }
    }
}

fn timeouts(line: &Statement, head: &mut Head, notes: &mut Notes) {
    for pair in line.words[1..].chunks(2) {
        let name = ["tcp", "tcpfin", "udp"]
            .into_iter()
            .find(|it| *it == pair[0]);
        let seconds = pair.get(1).and_then(|it| it.parse().ok());
        let checked = name
            .zip(seconds)
            .map(|(name, it)| (name, check_seconds(name, it)));
        match checked {
            Some((name, Ok(seconds))) => head.timeouts.put(name, i64::from(seconds)),
            Some((_, Err(why))) => notes.left(&line.place, format!("{}: {why}", line.text())),
            None => notes.left(&line.place, format!("{}: not known", line.text())),
        }
    }
}
