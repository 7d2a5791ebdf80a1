//! Kernels from Debian's packages, below `target/vm`. Nothing is installed, and this machine's apt stays as it is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Result,
    machine::{ask, target},
    step::quietly,
};

/// From 5.10 on.
const SUITES: [&str; 5] = ["bullseye", "bookworm", "trixie", "trixie-backports", "sid"];
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A kernel with its modules, as its packages have them.
pub(super) struct Kernel {
    pub(super) image: PathBuf,
    /// Has `lib/modules/RELEASE`.
    pub(super) dir: PathBuf,
    pub(super) release: String,
}

impl Kernel {
    /// The newest of a version such as `6.1` that has been fetched.
    pub(super) fn fetched(version: &str) -> Result<Self> {
        let dir = home().join("kernels").join(version);
        let modules = dir.join("lib/modules");
        let mut releases = fs::read_dir(&modules)
            .map_err(|error| format!("{}: {error}", modules.display()))?
            .flatten();
        let release = releases.next().ok_or("no modules")?.file_name();
        let release = release.to_string_lossy().into_owned();
        let beside = dir.join("boot").join(format!("vmlinuz-{release}"));
        let image = match beside.exists() {
            true => beside,
            // Since 7.2.
            false => modules.join(&release).join("vmlinuz"),
        };
        Ok(Self {
            image,
            dir,
            release,
        })
    }
}

pub(super) fn home() -> PathBuf {
    target().join("vm")
}

/// The guest's first program, which needs no other file.
pub(super) fn busybox() -> PathBuf {
    home().join("busybox/bin/busybox")
}

/// Fetches what is missing.
pub(super) fn fetch(versions: &[&str]) -> Result {
    let kernels = home().join("kernels");
    let missing: Vec<&&str> = versions
        .iter()
        .filter(|version| !kernels.join(version).exists())
        .collect();
    if missing.is_empty() && busybox().exists() {
        return Ok(());
    }
    lists()?;
    let busybox = home().join("busybox");
    if !busybox.exists() {
        unpack("busybox", &["busybox-static".to_owned()], &busybox)?;
        merge(&busybox, "bin")?;
    }
    let names = ask(apt("apt-cache").args(["pkgnames", "linux-"]))?;
    for version in missing {
        let packages = packages(version, &names)
            .ok_or_else(|| format!("Debian has no kernel {version} ({})", SUITES.join(", ")))?;
        let dir = kernels.join(version);
        unpack(&format!("kernel {version}"), &packages, &dir)?;
        merge(&dir, "lib")?;
        let release = Kernel::fetched(version)?.release;
        let mut depmod = Command::new("depmod");
        depmod.arg("-b").arg(&dir).arg(&release);
        quietly(&format!("modules of {release}"), &mut depmod)?;
    }
    Ok(())
}

/// apt with lists of its own, of Debian alone.
fn apt(program: &str) -> Command {
    let home = home().join("apt");
    let mut command = Command::new(program);
    for (key, value) in [
        ("Dir::Etc::sourcelist", home.join("sources.list")),
        ("Dir::Etc::sourceparts", "/dev/null".into()),
        ("Dir::State::lists", home.join("lists")),
        ("Dir::Cache", home.join("cache")),
        // Containers are often set up to read all lists each time.
        ("Dir::Cache::pkgcache", "pkgcache.bin".into()),
        ("Dir::Cache::srcpkgcache", "srcpkgcache.bin".into()),
        ("Acquire::Languages", "none".into()),
        // It could not write here.
        ("APT::Sandbox::User", "root".into()),
    ] {
        command.arg("-o").arg(format!("{key}={}", value.display()));
    }
    command
}

fn lists() -> Result {
    let mirror = ask(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Created-By: Packages",
        "Origin: Debian",
        "Label: Debian",
    ]))?;
    let mirror = mirror
        .lines()
        .next()
        .unwrap_or("http://deb.debian.org/debian");
    let source = |suite| format!("deb [signed-by={KEYS}] {mirror} {suite} main\n");
    let home = home().join("apt");
    for dir in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(home.join(dir)).map_err(|error| error.to_string())?;
    }
    let sources: String = SUITES.into_iter().map(source).collect();
    fs::write(home.join("sources.list"), sources).map_err(|error| error.to_string())?;
    quietly(
        "list of Debian's kernels",
        apt("apt-get").args(["-q", "update"]),
    )
}

/// The newest of a version: the kernel and its modules, which since 7.2 have packages of their own.
fn packages(version: &str, names: &str) -> Option<Vec<String>> {
    let prefix = format!("linux-image-{version}.");
    let releases = names.lines().filter_map(|name| {
        let release = name.strip_prefix(&prefix)?;
        // Not those for clouds, nor with PREEMPT_RT.
        let is_plain = release
            .strip_suffix("-amd64")?
            .split(['.', '-', '+'])
            .all(|part| {
                part.trim_start_matches("deb")
                    .bytes()
                    .all(|it| it.is_ascii_digit())
            });
        is_plain.then_some(release)
    });
    let release = releases.max_by_key(|release| numbers(release))?;
    let of_kind =
        ["image", "binary", "modules"].map(|kind| format!("linux-{kind}-{version}.{release}"));
    let there = |name: &String| names.lines().any(|it| it == name);
    Some(of_kind.into_iter().filter(there).collect())
}

fn numbers(release: &str) -> Vec<u32> {
    let parts = release.split(|it: char| !it.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

/// Downloads packages and unpacks them into a directory, which is there when all of them are.
fn unpack(what: &str, packages: &[String], to: &Path) -> Result {
    let part = to.with_extension("part");
    // What an attempt before this one has left.
    let _ = fs::remove_dir_all(&part);
    fs::create_dir_all(&part).map_err(|error| format!("{}: {error}", part.display()))?;
    quietly(
        &format!("download {what}"),
        apt("apt-get")
            .args(["-q", "download"])
            .args(packages)
            .current_dir(&part),
    )?;
    let mut unpack = Command::new("sh");
    unpack.args(["-ec", "for deb in *.deb; do dpkg -x $deb .; rm $deb; done"]);
    quietly(&format!("unpack {what}"), unpack.current_dir(&part))?;
    fs::rename(&part, to).map_err(|error| format!("{}: {error}", to.display()))
}

/// Packages since Debian 13 have `usr/lib`, where those before have `lib`.
fn merge(dir: &Path, name: &str) -> Result {
    if dir.join(name).exists() {
        return Ok(());
    }
    std::os::unix::fs::symlink(Path::new("usr").join(name), dir.join(name))
        .map_err(|error| format!("{}: {error}", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_plain_kernel_is_taken() {
        let names = "linux-image-6.1-amd64\nlinux-image-6.1.0-9-amd64\nlinux-image-6.1.0-56-amd64\n\
                     linux-image-6.1.0-57-cloud-amd64\nlinux-image-6.1.0-58-amd64-dbg\n\
                     linux-image-6.1.0-0.deb11.58-amd64\nlinux-image-6.12.9+deb13-rt-amd64\n\
                     linux-image-7.3.4+deb13-amd64\nlinux-image-7.3.10+deb13-amd64\n\
                     linux-binary-7.3.10+deb13-amd64\nlinux-modules-7.3.10+deb13-amd64\n";
        for (version, want) in [
            ("6.1", Some("linux-image-6.1.0-56-amd64")),
            (
                "7.3",
                Some(
                    "linux-image-7.3.10+deb13-amd64 linux-binary-7.3.10+deb13-amd64 \
                     linux-modules-7.3.10+deb13-amd64",
                ),
            ),
            ("6.12", None),
            ("7.4", None),
        ] {
            let found = packages(version, names).map(|packages| packages.join(" "));
            assert_eq!(found.as_deref(), want, "{version}");
        }
    }
}
