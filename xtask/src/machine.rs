//! What this machine has: programs, rights, and where things are built.

use std::{
    env,
    ffi::OsStr,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use crate::Result;

/// The workspace.
pub(crate) fn root() -> &'static Path {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_dir.parent().unwrap_or(crate_dir)
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The cargo that runs this, in the workspace.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// In `$PATH`, or where an ordinary user's `$PATH` does not look.
pub(crate) fn has(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut dirs = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    dirs.any(|dir| {
        dir.join(program)
            .metadata()
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}

pub(crate) fn is_root() -> bool {
    Path::new("/proc/self")
        .metadata()
        .is_ok_and(|this| this.uid() == 0)
}

/// A command with root's rights.
pub(crate) fn as_root(words: &[&str]) -> Result<Command> {
    let sudo: &[&str] = if is_root() {
        &[]
    } else if has("sudo") {
        &["sudo"]
    } else {
        return Err(format!(
            "`{}` needs root, and there is no sudo",
            words.join(" ")
        ));
    };
    let mut words = sudo.iter().chain(words);
    let mut command = Command::new(words.next().ok_or("no command")?);
    command.args(words);
    Ok(command)
}

/// Has cargo start what it builds for this machine as root: network namespaces need it, building does not.
pub(crate) fn run_as_root(cargo: &mut Command) -> Result {
    if is_root() {
        return Ok(());
    }
    if !has("sudo") {
        return Err("network namespaces need root, and there is no sudo".into());
    }
    run_by(cargo, "sudo --preserve-env")
}

/// Has cargo start what it builds for this machine by another command.
pub(crate) fn run_by(cargo: &mut Command, command: &str) -> Result {
    let host = ask(Command::new("rustc").arg("-vV").current_dir(root()))?;
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or("rustc does not name its host")?;
    let runner = format!(
        "CARGO_TARGET_{}_RUNNER",
        host.to_uppercase().replace('-', "_")
    );
    cargo.env(runner, command);
    Ok(())
}

/// What a command prints.
pub(crate) fn ask(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let output = command
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
