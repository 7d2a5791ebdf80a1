//! HTTP_GET and SSL_GET: one URL, and what is expected of it.

use super::{
    super::{keys::Keys, notes::Notes},
    check::others,
    options::{Options, left},
    reasons,
    tree::Statement,
};
use crate::health::check::pattern::Pattern;

/// Options of PCRE that Rust's regular expressions have as flags.
const FLAGS: [(&str, char); 5] = [
    ("caseless", 'i'),
    ("multiline", 'm'),
    ("dotall", 's'),
    ("extended", 'x'),
    ("ungreedy", 'U'),
];

pub(super) fn put(
    keys: &mut Keys,
    checker: &Statement,
    own: &[&Statement],
    options: &Options,
    notes: &mut Notes,
) -> bool {
    let is_url = |line: &&&Statement| line.name() == "url" && said(line, "path").is_some();
    let mut urls = own.iter().filter(is_url);
    let Some(url) = urls.next() else {
        left(checker, "it has no url with a path", notes);
        return false;
    };
    for other in urls {
        let path = said(other, "path").map_or("", |it| it.argument(1));
        let what = format!("url {path}: a check has one URL, and the first is taken");
        notes.left(&other.place, what);
    }
    let argument = |name: &str| said(url, name).map(|it| it.argument(1).to_owned());
    keys.put("path", argument("path").unwrap_or_default());
    let host = argument("virtualhost").or(options.virtualhost.clone());
    if let Some(host) = host {
        keys.put("host", host);
    }
    let status = said(url, "status_code").map(|it| it.words[1..].join(","));
    keys.put("status", status.unwrap_or_else(|| "200-299".to_owned()));
    put_body(keys, url, notes);
    if let Some(name) = own.iter().rev().find(|it| it.name() == "sni_name") {
        keys.put("sni", name.argument(1));
    }
    for line in &url.block {
        match line.name() {
            "path" | "virtualhost" | "status_code" | "regex" | "tls_compliant" => {}
            "regex_options" if flags(url).is_ok() => {}
            name => left(line, reasons::of_checker(name), notes),
        }
    }
    others(own, &["url", "enable_sni", "sni_name"], notes)
}

/// The last line of a name in a block, as it is the one that counts.
fn said<'s>(block: &'s Statement, name: &str) -> Option<&'s Statement> {
    block.block.iter().rev().find(|it| it.name() == name)
}

fn put_body(keys: &mut Keys, url: &Statement, notes: &mut Notes) {
    let Some(regex) = said(url, "regex") else {
        return;
    };
    // It would be the opposite.
    if let Some(opposite) = said(url, "regex_no_match") {
        left(regex, reasons::of_checker(opposite.name()), notes);
        return;
    }
    let flags = flags(url).unwrap_or_default();
    let pattern = flags + regex.argument(1);
    match Pattern::of(&pattern) {
        Ok(_) => keys.put("body", pattern),
        Err(why) => left(regex, &format!("{pattern}: {why}"), notes),
    }
}

/// The options as flags before the expression; or the first that is none.
fn flags(url: &Statement) -> Result<String, &str> {
    let Some(options) = said(url, "regex_options") else {
        return Ok(String::new());
    };
    let mut flags = String::new();
    for option in &options.words[1..] {
        let known = FLAGS.iter().find(|(name, _)| name == option);
        flags.push(known.ok_or(option.as_str())?.1);
    }
    Ok(format!("(?{flags})"))
}
