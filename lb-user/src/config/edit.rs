//! Changes of `director.toml` as an operator would make them by hand: comments and order stay.

use std::{
    fs::{self, File},
    io::Write as _,
    ops::Range,
    path::Path,
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use super::{
    Stamp,
    director::{Config, check_weight},
};
use crate::{api::Change, scheduler::Flag, service::ServiceName};

/// Returns the text of the file after `changes`, and what it says.
pub fn edited(text: &str, changes: &[Change]) -> Result<(String, Config)> {
    let parsed = |text: &str| {
        // Its place would be one in a file that is never written.
        Config::parse(Path::new(""), text).map_err(|error| anyhow!("{}", error.what()))
    };
    let mut text = text.to_owned();
    let mut config = None;
    // Each change is checked against what those before it made.
    for change in changes {
        text = edited_once(&text, change)?;
        config = Some(parsed(&text)?);
    }
    let config = config.map_or_else(|| parsed(&text), Ok)?;
    Ok((text, config))
}

/// Returns the text after a change that is known to be right; the text is a director's.
pub fn edited_once(text: &str, change: &Change) -> Result<String> {
    let part = part(text, change).unwrap_or(0..text.len());
    edited_within(text, part, change)
}

pub(super) fn edited_within(text: &str, part: Range<usize>, change: &Change) -> Result<String> {
    let document = text[part.clone()].parse();
    let mut document: DocumentMut = document.context("the file is not TOML any more")?;
    apply(&mut document, change)?;
    let (before, after) = (&text[..part.start], &text[part.end..]);
    Ok([before, &document.to_string(), after].concat())
}

/// Returns where the one service is that a change is of, if that is easily seen: a megabyte takes a
/// tenth of a second to be read and written whole. Within strings, which may have lines that look
/// like these, a director's file has no lines.
pub(super) fn part(text: &str, change: &Change) -> Option<Range<usize>> {
    let service = match *change {
        Change::EditService { service, .. }
        | Change::AddReal { service, .. }
        | Change::EditReal { service, .. }
        | Change::RemoveReal { service, .. } => service,
        Change::AddService { .. } | Change::RemoveService { .. } => return None,
    };
    let listen = text.find(&format!("\nlisten = \"{service}\"\n"))?;
    let start = text[..=listen].rfind("\n[[service]]\n")? + 1;
    let next = text[listen..].find("\n[[service]]\n");
    Some(start..next.map_or(text.len(), |next| listen + next + 1))
}

fn apply(document: &mut DocumentMut, change: &Change) -> Result<()> {
    match *change {
        Change::AddService {
            service,
            scheduler,
            ref flags,
        } => {
            let is_new = services(document)?.iter().all(|it| !is_named(it, service));
            ensure!(is_new, "service {service} exists already");
            let mut table = Table::new();
            table["listen"] = value(service.to_string());
            if let Some(scheduler) = scheduler {
                table["scheduler"] = value(scheduler.name());
            }
            set_flags(&mut table, flags);
            services(document)?.push(table);
        }
        Change::EditService {
            service,
            scheduler,
            ref flags,
        } => {
            let table = find(document, service)?;
            if let Some(scheduler) = scheduler {
                set(table, "scheduler", scheduler.name());
            }
            set_flags(table, flags);
        }
        Change::RemoveService { service } => {
            find(document, service)?;
            services(document)?.retain(|table| !is_named(table, service));
        }
        Change::AddReal {
            service,
            address,
            weight,
        } => {
            let table = find(document, service)?;
            let is_new = reals(table)?.iter().all(|real| !is_at(real, address));
            ensure!(
                is_new,
                "service {service} has real server {address} already"
            );
            let mut real = Table::new();
            real["address"] = value(address.to_string());
            if let Some(weight) = weight {
                real["weight"] = value(checked(weight)?);
            }
            reals(table)?.push(real);
        }
        Change::EditReal {
            service,
            address,
            weight,
        } => {
            let table = find(document, service)?;
            let real = reals(table)?.iter_mut().find(|real| is_at(real, address));
            let real =
                real.with_context(|| format!("service {service} has no real server {address}"))?;
            set(real, "weight", checked(weight)?);
        }
        Change::RemoveReal { service, address } => {
            let reals = reals(find(document, service)?)?;
            let before = reals.len();
            reals.retain(|real| !is_at(real, address));
            let is_removed = reals.len() < before;
            ensure!(is_removed, "service {service} has no real server {address}");
        }
    }
    Ok(())
}

/// Gives a key another value; a comment behind it stays.
fn set(table: &mut Table, key: &str, to: impl Into<toml_edit::Value>) {
    let mut to = to.into();
    if let Some(before) = table.get(key).and_then(Item::as_value) {
        *to.decor_mut() = before.decor().clone();
    }
    table[key] = Item::Value(to);
}

fn set_flags(service: &mut Table, flags: &[Flag]) {
    if flags.is_empty() {
        service.remove("flags");
    } else {
        let names: Array = flags.iter().map(|flag| flag.name()).collect();
        set(service, "flags", names);
    }
}

fn checked(weight: u32) -> Result<i64> {
    check_weight(weight.into())
        .map(i64::from)
        .map_err(anyhow::Error::msg)
}

fn services(document: &mut DocumentMut) -> Result<&mut ArrayOfTables> {
    tables(document.as_table_mut(), "service")
}

fn reals(service: &mut Table) -> Result<&mut ArrayOfTables> {
    tables(service, "real")
}

fn tables<'t>(table: &'t mut Table, key: &str) -> Result<&'t mut ArrayOfTables> {
    let item = table
        .entry(key)
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    match item {
        Item::ArrayOfTables(tables) => Ok(tables),
        Item::None | Item::Value(_) | Item::Table(_) => {
            bail!("`{key}` is written inline; only [[{key}]] tables can be edited by command")
        }
    }
}

fn find(document: &mut DocumentMut, name: ServiceName) -> Result<&mut Table> {
    let found = services(document)?
        .iter_mut()
        .find(|table| is_named(table, name));
    found
        .with_context(|| format!("there is no service {name}; `drover list` shows those there are"))
}

fn is_named(table: &Table, name: ServiceName) -> bool {
    let listen = table.get("listen").and_then(Item::as_str);
    listen.and_then(|listen| listen.parse().ok()) == Some(name)
}

fn is_at(real: &Table, address: std::net::IpAddr) -> bool {
    let at = real.get("address").and_then(Item::as_str);
    at.and_then(|at| at.parse().ok()) == Some(address)
}

/// Replaces a file in one step: after a crash it is the old one or the new one. Returns the stamp
/// of the new one.
pub fn replace(path: &Path, text: &str) -> Result<Stamp> {
    let write = || -> std::io::Result<Stamp> {
        // A link stays, and what it names is replaced.
        let path = fs::canonicalize(path)?;
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let written = (|| {
            let mut file = File::create(&name)?;
            file.set_permissions(fs::metadata(&path)?.permissions())?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            let stamp = Stamp::of(&file.metadata()?);
            fs::rename(&name, &path)?;
            File::open(path.parent().unwrap_or(&path))?.sync_all()?;
            Ok(stamp)
        })();
        if written.is_err() {
            // What there is of it is no use; the error that counts is the first.
            let _ = fs::remove_file(&name);
        }
        written
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
