//! A foreign file's text: from a path, a pipe or standard input, and not more than fits.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use anyhow::{Context as _, Result, bail, ensure};

/// Octets of a file that is imported.
pub(super) const OCTETS_MAX: usize = 1 << 20;

/// Reads a file, or standard input if it is `-`. A pipe will do, as of `<(ipvsadm -S -n)`.
pub fn read(path: &Path) -> Result<String> {
    if path == Path::new("-") {
        return text(io::stdin().lock(), &name(path));
    }
    let name = name(path);
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!("{name}: no such file"),
        file => file.with_context(|| format!("cannot read {name}"))?,
    };
    text(file, &name)
}

/// How a file is named in what is said of it.
pub fn name(path: &Path) -> String {
    match path == Path::new("-") {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

fn text(input: impl Read, name: &str) -> Result<String> {
    let mut octets = Vec::new();
    let read = input.take(OCTETS_MAX as u64 + 1).read_to_end(&mut octets);
    read.with_context(|| format!("cannot read {name}"))?;
    ensure!(
        octets.len() <= OCTETS_MAX,
        "{name}: more than {OCTETS_MAX} octets"
    );
    ensure!(!octets.contains(&0), "{name}: not a text");
    String::from_utf8(octets).map_err(|_other| {
        anyhow::anyhow!("{name}: not text in UTF-8; `iconv -t UTF-8` makes it such")
    })
}
