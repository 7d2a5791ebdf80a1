//! A tree of files and Debian's control files to a package, by dpkg-deb.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use super::{
    epoch,
    stage::{Package, files},
};
use crate::{Result, machine::root, step::quietly};

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn write(package: &Package, dist: &Path) -> Result {
    let &Package {
        name,
        architecture,
        ref tree,
    } = package;
    modes(tree)?;
    let control = tree.join("DEBIAN");
    fs::create_dir(&control).map_err(|error| format!("{}: {error}", control.display()))?;
    for file in files(&root().join("packaging/debian").join(name))? {
        let name = file.file_name().unwrap_or_default();
        if name == "lintian-overrides" {
            continue;
        }
        let text =
            fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let text = text
            .replace("@VERSION@", VERSION)
            .replace("@ARCH@", architecture);
        let to = control.join(name);
        fs::write(&to, text).map_err(|error| format!("{}: {error}", to.display()))?;
        mode(&to, if name == "control" { 0o644 } else { 0o755 })?;
    }
    sums(tree)?;
    let deb = dist.join(format!("{name}_{VERSION}_{architecture}.deb"));
    quietly(
        &format!("{name}_{VERSION}_{architecture}.deb"),
        Command::new("dpkg-deb")
            .args(["--root-owner-group", "-Zxz", "--build"])
            .arg(tree)
            .arg(deb)
            .env("SOURCE_DATE_EPOCH", epoch()?),
    )
}

/// What Debian's policy has each package say of its version (section 4.4).
pub(super) fn changelog(package: &str) -> Result<String> {
    let epoch = format!("@{}", epoch()?);
    let output = Command::new("date")
        .args(["-R", "-u", "-d", &epoch])
        .output();
    let date = output.map_err(|error| format!("date: {error}"))?.stdout;
    let date = String::from_utf8_lossy(&date);
    Ok(format!(
        "{package} ({VERSION}) unstable; urgency=medium\n\n  * What is new is in CHANGELOG.md.\n\n \
         -- Drover developers <drover@example.org>  {}\n",
        date.trim()
    ))
}

/// Compresses a file in its place, without its name and time.
pub(super) fn gzip(file: &Path) -> Result {
    run(Command::new("gzip").args(["-9", "-n", "-f"]).arg(file))
}

/// Whatever the umask is.
fn modes(path: &Path) -> Result {
    if path.is_dir() {
        mode(path, 0o755)?;
        return files(path)?.iter().try_for_each(|path| modes(path));
    }
    let is_program = path.parent().is_some_and(|dir| dir.ends_with("bin"));
    mode(path, if is_program { 0o755 } else { 0o644 })
}

fn mode(path: &Path, mode: u32) -> Result {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// By which `dpkg --verify` finds files that are not as they came.
fn sums(tree: &Path) -> Result {
    let line = "find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum > DEBIAN/md5sums \
                && chmod 644 DEBIAN/md5sums";
    run(Command::new("sh").args(["-c", line]).current_dir(tree))
}

fn run(command: &mut Command) -> Result {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name}: {}: {}", output.status, said.trim()))
}
