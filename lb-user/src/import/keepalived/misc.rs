//! MISC_CHECK: a program with its arguments.

use std::net::IpAddr;

use toml_edit::Array;

use super::{
    super::{keys::Keys, notes::Notes},
    check::others,
    options::left,
    tree::Statement,
};

/// Puts `command`. The real server's own address among the words is what a check of all of them has in DROVER_REAL.
pub(super) fn put(
    keys: &mut Keys,
    checker: &Statement,
    own: &[&Statement],
    rip: IpAddr,
    notes: &mut Notes,
) -> bool {
    let path = own.iter().rev().find(|it| it.name() == "misc_path");
    let words = path.and_then(|path| shlex::split(&path.words[1..].join(" ")));
    let words = words.filter(|words| !words.is_empty());
    let (Some(path), Some(words)) = (path, words) else {
        left(checker, "it has no misc_path that is a command", notes);
        return false;
    };
    others(own, &["misc_path", "misc_timeout"], notes);
    if !words[0].starts_with('/') {
        left(path, "a script is named with its whole path", notes);
        return false;
    }
    let is_own = |word: &String| word.parse() == Ok(rip);
    let words = match words.iter().any(is_own) {
        false => words,
        true => {
            let quoted = words.iter().map(|word| match is_own(word) {
                true => "\"$DROVER_REAL\"".into(),
                // Without NUL: the file has none.
                false => shlex::try_quote(word).unwrap_or_default(),
            });
            let line: Vec<_> = quoted.collect();
            let line = format!("exec {}", line.join(" "));
            vec!["/bin/sh".to_owned(), "-c".to_owned(), line]
        }
    };
    keys.put("command", words.iter().collect::<Array>());
    true
}
