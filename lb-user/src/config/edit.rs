//! Changes of `director.toml` as an operator would make them by hand: comments and order stay.

use std::{net::IpAddr, ops::Range, path::Path, slice};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use lb_common::tables::Timeouts;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, TableLike, value};

use super::{
    director::{Config, NoMember, check_weight, no_service},
    listen,
};
use crate::{
    api::{Change, RealChange, ServiceChange},
    scheduler::Flag,
    service::ServiceName,
};

/// Returns the text of the file after `changes`, and what it says.
pub fn edited(text: &str, changes: &[Change]) -> Result<(String, Config)> {
    let parsed = |text: &str| {
        // Its place would be one in a file that is never written.
        Config::parse(Path::new(""), text).map_err(|error| anyhow!("{}", error.what()))
    };
    let text = match changes {
        [change] => edited_once(text, change)?,
        // Of what they make, all is checked at once.
        _ => edited_within(text, 0..text.len(), changes)?,
    };
    let config = parsed(&text)?;
    Ok((text, config))
}

/// Returns the text after a change that is known to be right; the text is a director's.
pub fn edited_once(text: &str, change: &Change) -> Result<String> {
    let part = part(text, change).unwrap_or(0..text.len());
    edited_within(text, part, slice::from_ref(change))
}

pub(super) fn edited_within(text: &str, part: Range<usize>, changes: &[Change]) -> Result<String> {
    let document = text[part.clone()].parse();
    let mut document: DocumentMut = document.context("the file is not TOML any more")?;
    let mut changes = changes.iter();
    changes.try_for_each(|change| apply(&mut document, change))?;
    let (before, after) = (&text[..part.start], &text[part.end..]);
    Ok([before, &document.to_string(), after].concat())
}

/// Returns where the one service is that a change is of, if that is easily seen: a megabyte takes a
/// tenth of a second to be read and written whole. Within strings, which may have lines that look
/// like these, a director's file has no lines.
pub(super) fn part(text: &str, change: &Change) -> Option<Range<usize>> {
    let service = match *change {
        // Their destinations may be other services'.
        Change::EditService(ref change) if !change.also.is_empty() => return None,
        Change::EditService(ServiceChange { service, .. })
        | Change::AddReal(RealChange { service, .. })
        | Change::EditReal(RealChange { service, .. })
        | Change::RemoveReal { service, .. } => service,
        Change::AddService(_) | Change::RemoveService { .. } => return None,
        Change::Clear | Change::SetTimeouts { .. } => return None,
    };
    let alone = text.find(&format!("\nlisten = \"{service}\"\n"));
    let first = || text.find(&format!("\nlisten = [\"{service}\""));
    let listen = alone.or_else(first)?;
    let start = text[..=listen].rfind("\n[[service]]\n")? + 1;
    let next = text[listen..].find("\n[[service]]\n");
    Some(start..next.map_or(text.len(), |next| listen + next + 1))
}

fn apply(document: &mut DocumentMut, change: &Change) -> Result<()> {
    match *change {
        Change::AddService(ref change) => {
            let service = change.service;
            check_new(document, service)?;
            check_also(document, change)?;
            let mut table = Table::new();
            table["listen"] = value(service.to_string());
            set_destinations(&mut table, change)?;
            set_service(&mut table, change);
            services(document)?.push(table);
        }
        Change::EditService(ref change) => {
            find(document, change.service)?;
            check_also(document, change)?;
            let table = find(document, change.service)?;
            set_destinations(table, change)?;
            set_service(table, change);
        }
        Change::RemoveService { service } => {
            find(document, service)?;
            services(document)?.retain(|table| !is_named(table, service));
        }
        Change::AddReal(ref change) => {
            let RealChange {
                service, address, ..
            } = *change;
            let table = find(document, service)?;
            let is_new = reals(table)?.iter().all(|real| !is_at(real, address));
            ensure!(
                is_new,
                "service {service} has real server {address} already"
            );
            let mut real = Table::new();
            real["address"] = value(address.to_string());
            set_real(&mut real, change)?;
            reals(table)?.push(real);
        }
        Change::EditReal(ref change) => {
            let RealChange {
                service, address, ..
            } = *change;
            let table = find(document, service)?;
            let real = reals(table)?.iter_mut().find(|real| is_at(real, address));
            let real =
                real.with_context(|| format!("service {service} has no real server {address}"))?;
            set_real(real, change)?;
        }
        Change::RemoveReal { service, address } => {
            let reals = reals(find(document, service)?)?;
            let before = reals.len();
            reals.retain(|real| !is_at(real, address));
            let is_removed = reals.len() < before;
            ensure!(is_removed, "service {service} has no real server {address}");
        }
        Change::Clear => services(document)?.clear(),
        Change::SetTimeouts { tcp, tcpfin, udp } => {
            let [_, tcp_default, tcpfin_default, _, udp_default] = Timeouts::IPVS;
            set_timeouts(
                document,
                &[
                    ("tcp", tcp, tcp_default),
                    ("tcpfin", tcpfin, tcpfin_default),
                    ("udp", udp, udp_default),
                ],
            )?;
        }
    }
    Ok(())
}

fn check_new(document: &mut DocumentMut, name: ServiceName) -> Result<()> {
    match holder(services(document)?, name) {
        None => Ok(()),
        Some(holder) if holder == name => bail!("service {name} exists already"),
        Some(holder) => bail!("{name} is part of service {holder} already"),
    }
}

fn check_also(document: &mut DocumentMut, change: &ServiceChange) -> Result<()> {
    let mut also = change.also.iter();
    also.try_for_each(|&name| check_new(document, name))
}

/// Says in the file what else a service's clients connect to, and what no more.
fn set_destinations(table: &mut Table, change: &ServiceChange) -> Result<()> {
    let service = change.service;
    for &name in &change.not_also {
        ensure!(
            name != service,
            "{name} is the service's name; to give it another, write that first in `listen`, and reload"
        );
        let is_there = listen::destinations(table).contains(&name);
        ensure!(is_there, "{name} is not part of service {service}");
        listen::remove(table, name)?;
    }
    for &name in &change.also {
        let is_new = !listen::destinations(table).contains(&name);
        ensure!(is_new, "{name} is part of service {service} already");
        listen::add(table, name)?;
    }
    Ok(())
}

/// Says in the file what is said of a service; flags stay if neither they nor a scheduler are said.
fn set_service(table: &mut Table, change: &ServiceChange) {
    if let Some(scheduler) = change.scheduler {
        set(table, "scheduler", scheduler.name());
    }
    if change.scheduler.is_some() || !change.flags.is_empty() {
        set_flags(table, &change.flags);
    }
    if change.persistence == Some(0) {
        table.remove("persistence_prefix");
    }
    let longest = match change.service.vip {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    let seconds = change.persistence.map(i64::from);
    set_unless(table, "persistence", seconds, 0);
    set_unless(
        table,
        "persistence_prefix",
        change.persistence_prefix.map(i64::from),
        longest,
    );
    for (key, on) in [
        ("one_packet", change.one_packet),
        ("expire_quiescent", change.expire_quiescent),
        ("expire_nodest", change.expire_nodest),
        ("inhibit_on_failure", change.inhibit_on_failure),
    ] {
        set_unless(table, key, on, false);
    }
    for (key, number, default) in [
        ("quorum", change.quorum, 1),
        ("hysteresis", change.hysteresis, 0),
        ("slow_start", change.slow_start, 0),
        ("drain", change.drain, 0),
    ] {
        set_unless(table, key, number.map(i64::from), default);
    }
    match change.sorry_server {
        Some(none) if none.is_unspecified() => drop(table.remove("sorry_server")),
        Some(sorry) => set(table, "sorry_server", sorry.to_string()),
        None => {}
    }
    let no_member = change.no_member.map(NoMember::name);
    set_unless(table, "no_member", no_member, NoMember::default().name());
}

fn set_real(table: &mut Table, change: &RealChange) -> Result<()> {
    if let Some(weight) = change.weight {
        set(table, "weight", checked(weight)?);
    }
    for (key, threshold) in [
        ("upper_threshold", change.upper_threshold),
        ("lower_threshold", change.lower_threshold),
    ] {
        set_unless(table, key, threshold.map(i64::from), 0);
    }
    Ok(())
}

fn set_timeouts(document: &mut DocumentMut, timeouts: &[(&str, Option<u32>, u32)]) -> Result<()> {
    let director = document.get_mut("director");
    let director = director.and_then(Item::as_table_like_mut);
    let director = director.context("there is no [director]")?;
    let item = director.entry("timeouts");
    let item = item.or_insert_with(|| Item::Table(Table::new()));
    let table = item.as_table_like_mut();
    let table = table.context("`timeouts` is not a table")?;
    for &(key, seconds, default) in timeouts {
        let seconds = seconds.map(i64::from);
        set_unless(table, key, seconds, default.into());
    }
    if table.is_empty() {
        director.remove("timeouts");
    }
    Ok(())
}

/// Gives a key the value that is said, if one is; the default is what no key says.
fn set_unless<T>(table: &mut dyn TableLike, key: &str, said: Option<T>, default: T)
where
    T: Into<toml_edit::Value> + PartialEq,
{
    match said {
        Some(value) if value == default => drop(table.remove(key)),
        Some(value) => set(table, key, value),
        None => {}
    }
}

/// Gives a key another value; a comment behind it stays.
fn set(table: &mut dyn TableLike, key: &str, to: impl Into<toml_edit::Value>) {
    let mut to = to.into();
    if let Some(before) = table.get(key).and_then(Item::as_value) {
        *to.decor_mut() = before.decor().clone();
    }
    match table.get_mut(key) {
        Some(item) => *item = Item::Value(to),
        None => drop(table.insert(key, Item::Value(to))),
    }
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
    let services = services(document)?;
    let holder = holder(services, name);
    let found = services.iter_mut().find(|table| is_named(table, name));
    found.with_context(|| no_service(name, holder))
}

fn is_named(table: &Table, name: ServiceName) -> bool {
    listen::destinations(table).first() == Some(&name)
}

/// Returns the name of the service that a destination is of.
fn holder(services: &ArrayOfTables, name: ServiceName) -> Option<ServiceName> {
    let mut all = services.iter().map(listen::destinations);
    let holder = all.find(|destinations| destinations.contains(&name));
    holder?.first().copied()
}

fn is_at(real: &Table, address: IpAddr) -> bool {
    let at = real.get("address").and_then(Item::as_str);
    at.and_then(|at| at.parse().ok()) == Some(address)
}

#[cfg(test)]
mod tests;
