//! A host of a lab that has booted Debian: what packages bring is started by systemd.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use tests::{Host, Output, Process, Terminal, wait, wait_within};

use crate::debian;

const SCRIPT: &str = include_str!("boot.sh");
/// It takes two seconds, where nothing else is going on.
const BOOT: Duration = Duration::from_secs(60);

/// Its mounts are its own, and its files the lab's: both go whatever happens. Dropped, it is as if switched off.
pub(crate) struct Machine {
    host: Host,
    power: Process,
    /// The number of its systemd, here.
    pid: String,
    group: String,
}

impl Machine {
    /// Boots a Debian with these files beside its own, and waits until it is up.
    pub(crate) fn boot(host: &Host, files: &[(PathBuf, Vec<u8>)]) -> Result<Self> {
        let dir = host.dir().join("debian");
        for (path, content) in files {
            let path = dir.join("upper").join(path);
            fs::create_dir_all(path.parent().unwrap_or(&dir))?;
            fs::write(path, content)?;
        }
        let (tree, group) = (debian::tree()?, host.namespace().to_owned());
        let words = ["unshare", "--mount", "--pid", "--fork", "--kill-child"];
        let script = ["sh", "-ec", SCRIPT, "boot"].map(OsString::from);
        let given = [tree.into(), dir.into(), OsString::from(&group)];
        let words: Vec<OsString> = words
            .map(OsString::from)
            .into_iter()
            .chain(script)
            .chain(given)
            .collect();
        let mut machine = Self {
            power: host.spawn(&words)?,
            host: host.clone(),
            pid: String::new(),
            group,
        };
        machine
            .wait_until_up()
            .with_context(|| machine.power.log())?;
        Ok(machine)
    }

    fn wait_until_up(&mut self) -> Result<()> {
        let id = self.power.id();
        wait("it has a first process", || {
            ensure!(self.power.is_running(), "it has ended");
            self.pid = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
            self.pid = self.pid.trim().to_owned();
            let root = fs::read_link(format!("/proc/{}/root", self.pid));
            Ok(root.is_ok_and(|root| root != Path::new("/")))
        })?;
        wait_within(BOOT, "it is up", || {
            let state = self.sh("systemctl is-system-running")?;
            Ok(["running\n", "degraded\n"].contains(&state.stdout.as_str()))
        })
    }

    /// Runs lines of shell as root, in root's directory, and waits for their end. What they say is one output.
    pub(crate) fn sh(&self, lines: &str) -> Result<Output> {
        let mut words = self.enter();
        words.extend(["sh", "-ec", &format!("exec 2>&1\ncd\n{lines}")].map(OsString::from));
        self.host.run(&words)
    }

    pub(crate) fn terminal(&self, size: [u16; 2], line: &str) -> Result<Terminal> {
        Terminal::new(&self.host, &self.enter(), size, line)
    }

    fn enter(&self) -> Vec<OsString> {
        let nsenter = "nsenter --mount --pid --cgroup --root --wd --target";
        let environment = "env -i PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C TERM=xterm-256color DEBIAN_FRONTEND=noninteractive";
        let words = nsenter
            .split(' ')
            .chain([self.pid.as_str()])
            .chain(environment.split(' '));
        words.map(OsString::from).collect()
    }

    /// Every file and directory, but those that change by themselves.
    pub(crate) fn files(&self) -> Result<String> {
        self.sh(&debian::files())?.success()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.power.kill9();
        // Its processes leave one by one. There is nobody to tell, and an empty group is nothing.
        let line = "mount -t cgroup2 groups $1 && cd $1 && for i in $(seq 50); do \
                    find $2 -depth -type d -exec rmdir {} + && break; sleep 0.1; done 2>/dev/null";
        let groups = self.host.dir().join("debian/groups");
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", line, "off"])
            .arg(groups);
        let _ = command.arg(&self.group).status();
    }
}
