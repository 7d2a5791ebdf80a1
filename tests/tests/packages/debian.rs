//! A Debian that nothing has been done to, and that forgets what is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

/// One tree for all, made once: a minute of downloading. Each test writes beside it.
pub(crate) struct Debian {
    dir: PathBuf,
}

/// What dpkg and the time of day leave, and the group, which stays.
const CHANGES: &str =
    "var/lib/dpkg|var/log|var/cache|etc/group|etc/gshadow|tmp|mnt|proc|dev|sys|run";

/// What each test begins with.
pub(crate) fn tree() -> Result<PathBuf> {
    let tree = crate::dist().join("../debian-tree");
    ensure!(
        tree.join("usr/bin/dpkg").exists(),
        "no Debian in {}; `cargo xtask test` makes it",
        tree.display()
    );
    Ok(fs::canonicalize(tree)?)
}

/// A line of shell that names every file and directory, but those that change by themselves.
pub(crate) fn files() -> String {
    format!("cd / && find . -xdev | grep -vE '^\\./({CHANGES})' | sort")
}

impl Debian {
    /// With these packages in `/mnt`, and the same of version 99 in `/mnt/next`.
    pub(crate) fn new(packages: &[PathBuf]) -> Result<Self> {
        let tree = tree()?;
        let dir = PathBuf::from(format!("/run/drover-debian-{}", std::process::id()));
        for name in ["upper/mnt/next", "work", "root"] {
            fs::create_dir_all(dir.join(name))?;
        }
        let debian = Self { dir };
        let here = debian.dir.display();
        debian.on_host(&format!(
            "mount -t overlay drover -o lowerdir={},upperdir={here}/upper,workdir={here}/work {here}/root",
            tree.display()
        ))?;
        for package in packages {
            debian.put(package)?;
        }
        Ok(debian)
    }

    fn put(&self, package: &Path) -> Result<()> {
        let mnt = self.dir.join("root/mnt");
        let (package, mnt, dir) = (package.display(), mnt.display(), self.dir.display());
        self.on_host(&format!(
            "cp {package} {mnt} && dpkg-deb -R {package} {dir}/next && cd {dir} && \
             sed -i 's/^Version: .*/Version: 99/; s/(= [^)]*)/(= 99)/' next/DEBIAN/control && \
             dpkg-deb -b next {mnt}/next >/dev/null && rm -r next"
        ))
        .map(drop)
    }

    /// Runs a line in it; returns what it prints.
    pub(crate) fn sh(&self, line: &str) -> Result<String> {
        let mut command = Command::new("chroot");
        let path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
        command.arg(self.dir.join("root"));
        command.args([
            "/usr/bin/env",
            "-i",
            path,
            "DEBIAN_FRONTEND=noninteractive",
            "LC_ALL=C",
        ]);
        said(command.args(["sh", "-ec", line]), line)
    }

    pub(crate) fn files(&self) -> Result<String> {
        self.sh(&files())
    }

    fn on_host(&self, line: &str) -> Result<String> {
        said(Command::new("sh").args(["-ec", line]), line)
    }
}

impl Drop for Debian {
    fn drop(&mut self) {
        // There is nobody to tell, and /run goes with the machine.
        let _ = self.on_host(&format!("umount {}/root", self.dir.display()));
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn said(command: &mut Command, line: &str) -> Result<String> {
    let output = command.output()?;
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(
        output.status.success(),
        "{line}: {}: {out}{err}",
        output.status
    );
    Ok(out.into_owned())
}
