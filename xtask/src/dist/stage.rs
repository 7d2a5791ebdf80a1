//! What is in each package: the tree of its files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Machine, copy, deb::gzip};
use crate::{Result, machine::root, step::quietly};

pub(super) struct Package {
    pub(super) name: &'static str,
    /// As Debian names it, or `all`.
    pub(super) architecture: &'static str,
    /// Its tree, made anew.
    pub(super) tree: PathBuf,
}

/// Programs that others' readers know by these places.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/drover"),
    ("zsh", "usr/share/zsh/vendor-completions/_drover"),
    ("fish", "usr/share/fish/vendor_completions.d/drover.fish"),
];

/// The roles' packages are the same for every machine. `here` is a binary that can be run.
pub(super) fn packages(machine: Machine, here: &Path, binary: &Path) -> Result<Vec<Package>> {
    let program = Package::new("drover", machine.debian)?;
    program.put(binary, "usr/bin/drover")?;
    let man = program.tree.join("usr/share/man/man8");
    quietly("manual pages", Command::new(here).arg("manual").arg(&man))?;
    for page in files(&man)? {
        gzip(&page)?;
    }
    for (shell, place) in COMPLETIONS {
        let output = Command::new(here).args(["completions", shell]).output();
        let output = output.map_err(|error| format!("completions: {error}"))?;
        program.write(place, &output.stdout)?;
    }
    let mut packages = vec![program];
    if machine == super::HERE {
        packages.push(role("drover-director", "director", true)?);
        packages.push(role("drover-realserver", "realserver", false)?);
    }
    Ok(packages)
}

fn role(package: &'static str, role: &str, has_group: bool) -> Result<Package> {
    let package = Package::new(package, "all")?;
    let packaging = root().join("packaging");
    let unit = format!("systemd/drover-{role}.service");
    package.put(
        &packaging.join(&unit),
        &format!("usr/lib/{}", unit.replace("systemd/", "systemd/system/")),
    )?;
    let config = format!("{role}.toml");
    package.put(
        &packaging.join("etc").join(&config),
        &format!("usr/share/drover/{config}"),
    )?;
    if has_group {
        let group = "sysusers.d/drover.conf";
        package.put(&packaging.join(group), &format!("usr/lib/{group}"))?;
    }
    Ok(package)
}

impl Package {
    /// With what every package has.
    fn new(name: &'static str, architecture: &'static str) -> Result<Self> {
        let tree = crate::machine::target().join("dist-trees").join(name);
        // Of the last run, if there was one.
        let _ = fs::remove_dir_all(&tree);
        let package = Self {
            name,
            architecture,
            tree,
        };
        let documents = format!("usr/share/doc/{name}");
        let debian = root().join("packaging/debian");
        package.put(&debian.join("copyright"), &format!("{documents}/copyright"))?;
        package.put(
            &root().join("CHANGELOG.md"),
            &format!("{documents}/CHANGELOG.md"),
        )?;
        let changelog = format!("{documents}/changelog");
        package.write(&changelog, super::deb::changelog(name)?.as_bytes())?;
        gzip(&package.tree.join(changelog))?;
        let overrides = debian.join(name).join("lintian-overrides");
        if overrides.exists() {
            package.put(&overrides, &format!("usr/share/lintian/overrides/{name}"))?;
        }
        Ok(package)
    }

    fn put(&self, file: &Path, place: &str) -> Result {
        copy(file, &self.place(place)?)
    }

    fn write(&self, place: &str, content: &[u8]) -> Result {
        fs::write(self.place(place)?, content).map_err(|error| format!("{place}: {error}"))
    }

    fn place(&self, place: &str) -> Result<PathBuf> {
        let path = self.tree.join(place);
        let dir = path.parent().unwrap_or(&self.tree);
        fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        Ok(path)
    }
}

pub(super) fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    Ok(files)
}
