//! Installs what is missing on a Debian that has rustup's stable toolchain and git, and nothing else.
//!
//! A thing is missing if its program is not there; versions and distributions are not asked for. Nothing is mounted,
//! started or enabled.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use crate::{
    Result,
    machine::{as_root, ask, cargo, has, is_root, root},
    step::{quietly, seconds},
};

#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum For {
    Demo,
    Everything,
    Kernels,
}

/// Programs, and the packages they come from.
const PACKAGES: [(&str, &[&str]); 7] = [
    ("cc", &["gcc", "libc6-dev"]),
    ("ip", &["iproute2"]),
    ("ethtool", &["ethtool"]),
    ("nginx", &["nginx-light"]),
    ("curl", &["curl"]),
    ("arping", &["iputils-arping"]),
    ("ping", &["iputils-ping"]),
];

/// As above, for the tests of the units, of what is heard and of crashes; the demonstration does without.
const PACKAGES_OF_TESTS: &[(&str, &[&str])] = &[
    ("bpftool", &["bpftool"]),
    ("debootstrap", &["debootstrap"]),
    // A browser, for the status page.
    ("chromium", &["chromium"]),
    ("dnsmasq", &["dnsmasq-base"]),
    ("lintian", &["lintian"]),
    ("nft", &["nftables"]),
    ("openssl", &["openssl"]),
    // With promtool, in Debian 12.
    ("prometheus", &["prometheus"]),
    ("readelf", &["binutils"]),
    ("setpriv", &["util-linux"]),
    ("systemd-analyze", &["systemd"]),
    ("tcpdump", &["tcpdump"]),
    ("strace", &["strace"]),
];

/// Virtual machines with other kernels, and what their files are made with.
const PACKAGES_OF_KERNELS: &[(&str, &[&str])] = &[
    ("cpio", &["cpio"]),
    // In the guests, too.
    ("modprobe", &["kmod"]),
    ("qemu-system-x86_64", &["qemu-system-x86"]),
    ("xz", &["xz-utils"]),
];

/// The last one that brings rustc's LLVM, and needs none of the system's.
const BPF_LINKER: &str = "0.10.4";
const CARGO_DENY: &str = "0.20.2";

pub(crate) fn run(purpose: For) -> Result {
    let start = Instant::now();
    let mut did = packages(purpose)?;
    did |= component(
        "rust-src",
        &sysroot()?.join("lib/rustlib/src/rust/library/core"),
    )?;
    did |= crate_("bpf-linker", BPF_LINKER, "2 minutes")?;
    if purpose == For::Everything {
        did |= component("clippy", &sysroot()?.join("bin/cargo-clippy"))?;
        did |= component("rustfmt", &sysroot()?.join("bin/rustfmt"))?;
        did |= crate_("cargo-deny", CARGO_DENY, "5 minutes")?;
    }
    if did {
        println!("set-up: done in {}", seconds(start));
    } else {
        println!("set-up: nothing is missing");
    }
    Ok(())
}

fn packages(purpose: For) -> Result<bool> {
    let of_tests = match purpose {
        For::Demo => &[][..],
        For::Everything => PACKAGES_OF_TESTS,
        For::Kernels => PACKAGES_OF_KERNELS,
    };
    let packages = PACKAGES.iter().chain(of_tests);
    let missing = packages.filter(|(program, _)| !has(program));
    let missing: Vec<&str> = missing
        .flat_map(|(_, packages)| packages.iter().copied())
        .collect();
    if missing.is_empty() {
        return Ok(false);
    }
    if !has("apt-get") {
        return Err(format!(
            "there is no apt-get; please install {}",
            missing.join(" ")
        ));
    }
    ask_for_password()?;
    quietly(
        "apt-get update",
        &mut as_root(&["apt-get", "-q", "update"])?,
    )?;
    // RUNLEVEL: a package's service is not started.
    let install = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "RUNLEVEL=1",
        "apt-get",
        "-q",
        "install",
        "-y",
    ];
    let words: Vec<&str> = install
        .into_iter()
        .chain(["--no-install-recommends"])
        .chain(missing.clone())
        .collect();
    quietly(
        &format!("apt-get install {}", missing.join(" ")),
        &mut as_root(&words)?,
    )?;
    keep_from_starting(&missing)?;
    Ok(true)
}

/// What packages that were installed would have start at boot.
fn keep_from_starting(packages: &[&str]) -> Result {
    if !Path::new("/run/systemd/system").exists() {
        return Ok(());
    }
    for (package, unit) in [("nginx-light", "nginx"), ("prometheus", "prometheus")] {
        if packages.contains(&package) {
            quietly(
                &format!("keeping {unit} from starting at boot"),
                &mut as_root(&["systemctl", "disable", "--now", unit])?,
            )?;
        }
    }
    Ok(())
}

/// Before the output of commands is put aside, and the question with it.
fn ask_for_password() -> Result {
    if is_root() {
        return Ok(());
    }
    let status = as_root(&["true"])?
        .status()
        .map_err(|error| error.to_string())?;
    if status.success() {
        Ok(())
    } else {
        Err("packages can only be installed by root".into())
    }
}

fn component(name: &str, file: &Path) -> Result<bool> {
    if file.exists() {
        return Ok(false);
    }
    quietly(
        &format!("rustup component add {name}"),
        Command::new("rustup")
            .args(["component", "add", name])
            .current_dir(root()),
    )?;
    Ok(true)
}

fn crate_(name: &str, version: &str, takes: &str) -> Result<bool> {
    if has(name) {
        return Ok(false);
    }
    quietly(
        &format!("cargo install {name} --version {version} (about {takes})"),
        &mut cargo(["install", name, "--version", version, "--locked"]),
    )?;
    Ok(true)
}

pub(crate) fn sysroot() -> Result<PathBuf> {
    Ok(ask(Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(root()))?
    .into())
}
