//! `listen` of a service in the file, read and changed as an operator would by hand.
//!
//! What stands behind a destination in a list, up to the end of the line, is about it.

use anyhow::{Context as _, Result, bail};
use toml_edit::{Array, Item, RawString, Table, Value};

use crate::service::ServiceName;

/// Returns a service's destinations, the one of its name first.
pub(super) fn destinations(service: &Table) -> Vec<ServiceName> {
    let parsed = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    match service.get("listen").and_then(Item::as_value) {
        Some(Value::Array(all)) => all.iter().filter_map(parsed).collect(),
        Some(one) => parsed(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Puts another destination behind the others.
pub(super) fn add(service: &mut Table, name: ServiceName) -> Result<()> {
    let all = list(service)?;
    let mut value = Value::from(name.to_string());
    let trailing = all.trailing().as_str().unwrap_or_default().to_owned();
    if let Some(last) = all.iter_mut().last() {
        let before = text(last.decor().prefix());
        let behind = text(last.decor().suffix()) + &trailing;
        last.decor_mut().set_suffix("");
        let (prefix, trailing) = match behind.rsplit_once('\n') {
            // In a list of a line each: another line.
            Some((behind, end)) => {
                let indent = before.rsplit('\n').next().unwrap_or_default();
                (format!("{behind}\n{indent}"), format!("\n{end}"))
            }
            None => (" ".to_owned(), behind),
        };
        value.decor_mut().set_prefix(prefix);
        all.set_trailing(trailing);
    }
    all.push_formatted(value);
    Ok(())
}

/// Takes a destination out, with the comment behind it.
pub(super) fn remove(service: &mut Table, name: ServiceName) -> Result<()> {
    let all = list(service)?;
    let is_its = |value: &Value| value.as_str().and_then(|text| text.parse().ok()) == Some(name);
    let Some(index) = all.iter().position(is_its) else {
        return Ok(());
    };
    let removed = all.remove(index);
    let before = text(removed.decor().prefix());
    let suffix = text(removed.decor().suffix());
    match all.get_mut(index) {
        Some(next) => {
            let behind = suffix + &text(next.decor().prefix());
            next.decor_mut().set_prefix(joined(&before, &behind));
        }
        None => {
            let behind = suffix + all.trailing().as_str().unwrap_or_default();
            all.set_trailing(match behind.contains('\n') {
                true => joined(&before, &behind),
                false => behind,
            });
        }
    }
    Ok(())
}

fn text(raw: Option<&RawString>) -> String {
    let text = raw.and_then(RawString::as_str);
    text.unwrap_or_default().to_owned()
}

/// What stands before a destination that goes and what stands behind it, without what is about it.
fn joined(before: &str, behind: &str) -> String {
    match (before.split_once('\n'), behind.split_once('\n')) {
        (Some((of_the_one_before, _)), Some((_, behind))) => {
            format!("{of_the_one_before}\n{behind}")
        }
        (None, Some((_, behind))) => format!("\n{behind}"),
        (_, None) => before.to_owned(),
    }
}

/// The list, made of the one destination there is if there is none.
fn list(service: &mut Table) -> Result<&mut Array> {
    let Some(listen) = service.get_mut("listen").and_then(Item::as_value_mut) else {
        bail!("a service has no `listen`");
    };
    if !listen.is_array() {
        let decor = listen.decor().clone();
        let mut one = listen.clone();
        one.decor_mut().clear();
        let mut all = Array::new();
        all.push_formatted(one);
        *all.decor_mut() = decor;
        *listen = Value::Array(all);
    }
    listen.as_array_mut().context("`listen` is no list")
}
