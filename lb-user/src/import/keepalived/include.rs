//! `include` and its variants: files by name or by wildcards.

use std::{fs, path::Path};

use anyhow::{Result, ensure};

use super::{
    super::{input, notes::Place},
    lines::{File, Reader},
};

/// Files at the most, and files within files.
const FILES_MAX: usize = 256;
const DEPTH_MAX: usize = 8;

/// What a line includes, if it is one that does.
pub(super) fn pattern(line: &str) -> Option<&str> {
    let (word, rest) = line.split_once(char::is_whitespace)?;
    let is_one = matches!(
        word,
        "include" | "includer" | "includem" | "includew" | "includeb" | "includea"
    );
    is_one.then(|| rest.trim().trim_matches(['"', '\'']))
}

pub(super) fn files(
    reader: &mut Reader<'_>,
    file: &File,
    place: &Place,
    pattern: &str,
) -> Result<()> {
    ensure!(
        file.depth < DEPTH_MAX,
        "{place}: included files are more than {DEPTH_MAX} deep"
    );
    if pattern.contains(['{', '$']) {
        let what = format!("include {pattern}: name the files without braces or variables");
        reader.notes.left(place, what);
        return Ok(());
    }
    let from = glob::Pattern::escape(&file.dir.to_string_lossy());
    let whole = Path::new(&from).join(pattern);
    let found = match glob::glob(&whole.to_string_lossy()) {
        Ok(found) => found.flatten().collect::<Vec<_>>(),
        Err(_) => Vec::new(),
    };
    if found.is_empty() {
        let what = format!("include {pattern}: there is no such file");
        reader.notes.left(place, what);
    }
    for path in found {
        reader.files += 1;
        ensure!(
            reader.files <= FILES_MAX,
            "{place}: more than {FILES_MAX} included files"
        );
        // Others may not end, or wait for somebody to write.
        let text = match fs::metadata(&path) {
            Ok(it) if !it.is_file() => Err(anyhow::anyhow!("{}: not a file", path.display())),
            _ => input::read(&path),
        };
        let text = match text {
            Ok(text) => text,
            Err(why) => {
                reader.notes.left(place, format!("include: {why:#}"));
                continue;
            }
        };
        let included = File {
            name: path.display().to_string().into(),
            dir: path.parent().unwrap_or(Path::new("")).to_owned(),
            depth: file.depth + 1,
        };
        reader.file(&included, &text)?;
    }
    Ok(())
}
