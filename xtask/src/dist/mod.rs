//! `cargo xtask dist`: static binaries, and the Debian packages made of them.
//!
//! What comes out depends on the commit and the toolchain alone: times are the commit's, and there are no paths in it.

mod deb;
mod stage;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use crate::{
    Result,
    machine::{as_root, ask, cargo, has, root, target},
    setup,
    step::{aloud, quietly, seconds},
};

/// What a binary is built for, and Debian's name of it.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Machine {
    name: &'static str,
    pub(crate) triple: &'static str,
    debian: &'static str,
}

pub(crate) const HERE: Machine = Machine {
    name: "x86_64",
    triple: "x86_64-unknown-linux-musl",
    debian: "amd64",
};
const ARM: Machine = Machine {
    name: "aarch64",
    triple: "aarch64-unknown-linux-musl",
    debian: "arm64",
};

/// A Debian for the packages' tests, made once.
pub(crate) fn debian() -> Result {
    let tree = target().join("debian-tree");
    if tree.join("usr/bin/dpkg").exists() {
        return Ok(());
    }
    // Half of one is none.
    let part = target().join("debian-tree.part");
    let _ = fs::remove_dir_all(&part);
    let mut debootstrap = as_root(&["debootstrap", "--variant=minbase", "--include=systemd"])?;
    quietly(
        "debootstrap bookworm (about a minute)",
        debootstrap.arg("bookworm").arg(&part),
    )?;
    fs::rename(&part, &tree).map_err(|error| format!("{}: {error}", tree.display()))
}

pub(crate) fn run(names: &[&str]) -> Result {
    let start = Instant::now();
    let mut machines = vec![HERE];
    for name in names {
        match [HERE, ARM].into_iter().find(|it| it.name == *name) {
            Some(machine) if machines.contains(&machine) => {}
            Some(machine) => machines.push(machine),
            None => {
                return Err(format!(
                    "dist: no machine `{name}`; there are x86_64 and aarch64"
                ));
            }
        }
    }
    setup::run(setup::For::Demo)?;
    let dist = target().join("dist");
    // Packages of other commits would be taken for this one's.
    let _ = fs::remove_dir_all(&dist);
    fs::create_dir_all(&dist).map_err(|error| format!("{}: {error}", dist.display()))?;
    for machine in machines {
        build(machine)?;
        let binary = dist.join(format!("drover-{}", machine.name));
        copy(&shipped(machine), &binary)?;
        strip(machine, &binary)?;
        for package in stage::packages(machine, &shipped(HERE), &binary)? {
            deb::write(&package, &dist)?;
        }
    }
    println!("dist: {} in {}", dist.display(), seconds(start));
    Ok(())
}

/// Builds what is shipped.
pub(crate) fn build(machine: Machine) -> Result {
    let target = setup::sysroot()?.join("lib/rustlib").join(machine.triple);
    if !target.exists() {
        let mut add = Command::new("rustup");
        add.args(["target", "add", machine.triple]);
        quietly(
            &format!("rustup target add {}", machine.triple),
            add.current_dir(root()),
        )?;
    }
    let mut build = cargo(["build", "--release", "--package", "lb-user", "--target"]);
    build.arg(machine.triple).env("RUSTFLAGS", flags()?);
    if machine == ARM {
        let compiler = "aarch64-linux-gnu-gcc";
        if !has(compiler) {
            return Err(format!(
                "dist: there is no {compiler}; please install gcc-aarch64-linux-gnu"
            ));
        }
        build
            .env("CC_aarch64_unknown_linux_musl", compiler)
            .env("CFLAGS_aarch64_unknown_linux_musl", "-U_FORTIFY_SOURCE");
    }
    aloud("build", &mut build)
}

/// Where it then is.
pub(crate) fn shipped(machine: Machine) -> PathBuf {
    target().join(machine.triple).join("release/drover")
}

/// So that no path of the machine that builds is in the binary; lb-user's build script sees to the eBPF objects.
fn flags() -> Result<String> {
    let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|home| home + "/.cargo"));
    let library = setup::sysroot()?.join("lib/rustlib/src/rust");
    let version = ask(Command::new("rustc").arg("-vV").current_dir(root()))?;
    let commit = version
        .lines()
        .find_map(|line| line.strip_prefix("commit-hash: "))
        .ok_or("rustc does not name its commit")?;
    let paths = [
        (root().display().to_string(), "drover".to_owned()),
        // As std itself names its sources.
        (library.display().to_string(), format!("/rustc/{commit}")),
    ];
    let home = home.map(|home| (home, "cargo".to_owned()));
    let flags = paths.into_iter().chain(home);
    let flags = flags.map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
    Ok(flags.collect::<Vec<_>>().join(" "))
}

/// The time of everything in a package: the commit's.
fn epoch() -> Result<String> {
    if let Ok(epoch) = env::var("SOURCE_DATE_EPOCH") {
        return Ok(epoch);
    }
    let mut git = Command::new("git");
    let git = git.args(["log", "-1", "--format=%ct"]).current_dir(root());
    let output = git.output().map_err(|error| format!("git: {error}"))?;
    if !output.status.success() {
        return Err("dist: no commit to take the time from; set SOURCE_DATE_EPOCH".into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Names of functions are for those who build it.
fn strip(machine: Machine, binary: &Path) -> Result {
    let program = match machine == ARM {
        true => "aarch64-linux-gnu-strip",
        false => "strip",
    };
    quietly(program, Command::new(program).arg(binary))
}

fn copy(from: &Path, to: &Path) -> Result {
    fs::copy(from, to)
        .map(drop)
        .map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}
