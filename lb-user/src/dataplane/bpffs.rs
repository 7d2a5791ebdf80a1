//! Which directory the pins are in, and that it is on a bpffs that stays.
//!
//! `ip netns exec` gives each command a mount namespace with a new `/sys`: a bpffs mounted there
//! goes when the command ends, and takes what is pinned with it. Process 1's is used then.

use std::{
    fs,
    path::{Path, PathBuf, absolute},
};

use anyhow::{Context as _, Result, bail};
use rustix::{
    fs::statfs,
    io::Errno,
    mount::{MountFlags, mount},
};

/// What a bpffs says it is (`linux/magic.h`).
const MAGIC: i64 = 0xcafe_4a11;
const MOUNT_POINT: &str = "/sys/fs/bpf";
const MOUNT_POINT_OF_PROCESS_1: &str = "/proc/1/root/sys/fs/bpf";

/// Returns the directory for all pins, mounting a bpffs for the default one if there is none.
///
/// The directory itself may be missing, but it is on a bpffs.
pub fn make_root(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(root) = root(given)? {
        return Ok(root);
    }
    if !stays()? {
        bail!(
            "no bpffs is mounted on {MOUNT_POINT}, and one mounted here would go when this command \
             ends; mount it for all: nsenter --target 1 --mount mount -t bpf bpf {MOUNT_POINT}"
        );
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RELATIME;
    mount("bpf", MOUNT_POINT, "bpf", flags, c"mode=0700").map_err(|error| match error {
        Errno::NOENT => anyhow::anyhow!(
            "there is no {MOUNT_POINT} to mount a bpffs on: the kernel has no BPF, or /sys is not mounted"
        ),
        error => anyhow::anyhow!(
            "cannot mount a bpffs on {MOUNT_POINT} ({error}); mount it: mount -t bpf bpf {MOUNT_POINT}"
        ),
    })?;
    Ok(below(MOUNT_POINT))
}

/// Returns the directory for all pins, or `None` if no bpffs is mounted for the default one.
pub fn root(given: Option<&Path>) -> Result<Option<PathBuf>> {
    let Some(given) = given else {
        let mount_points = [MOUNT_POINT, MOUNT_POINT_OF_PROCESS_1];
        return Ok(mount_points.into_iter().find(|at| is_bpffs(at)).map(below));
    };
    let root = absolute(given).with_context(|| format!("the pins directory {given:?}"))?;
    let Some(existing) = root.ancestors().find(|ancestor| ancestor.exists()) else {
        bail!("the pins directory {given:?} is in no directory");
    };
    if !is_bpffs(existing) {
        bail!(
            "the pins directory {} is not on a bpffs, where alone programs can be pinned; mount one: \
             mount -t bpf bpf {}",
            root.display(),
            existing.display()
        );
    }
    Ok(Some(root))
}

fn below(mount_point: &str) -> PathBuf {
    Path::new(mount_point).join("drover")
}

fn is_bpffs(path: impl AsRef<Path>) -> bool {
    statfs(path.as_ref()).is_ok_and(|filesystem| filesystem.f_type == MAGIC)
}

/// Whether what is mounted here stays: it is with process 1's mounts.
pub fn stays() -> Result<bool> {
    let namespace = |process| {
        let path = format!("/proc/{process}/ns/mnt");
        fs::read_link(&path).with_context(|| {
            format!(
                "no bpffs is mounted on {MOUNT_POINT}; mount it: mount -t bpf bpf {MOUNT_POINT} \
                 (not done, as nobody can tell whether it would stay: cannot read {path})"
            )
        })
    };
    Ok(namespace("self")? == namespace("1")?)
}
