//! One host: its name, its addresses, and commands that run on it.

use std::{
    ffi::OsStr,
    fmt, fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Result, ensure};

use super::{
    command::{self, Output},
    namespace,
    neighbour::Mac,
    process::Process,
};

/// What a command may take that is not said to take longer.
const LIMIT: Duration = Duration::from_secs(30);

/// A host of a lab: cheap to clone, and of no use once its lab is dropped.
#[derive(Clone, Debug)]
pub struct Host {
    name: String,
    namespace: String,
    address: Ipv4Addr,
    dir: PathBuf,
    pins: PathBuf,
}

impl Host {
    pub(super) fn new(id: &str, lab: &Path, name: &str, address: Ipv4Addr) -> Result<Self> {
        // It also names the switch's port: IFNAMSIZ.
        ensure!(
            matches!(name.len(), 1..=15) && !["lan", "bpf", "br0", "lo"].contains(&name),
            "host name {name:?}"
        );
        let (dir, pins) = (lab.join(name), lab.join("bpf").join(name));
        fs::create_dir(&dir)?;
        fs::create_dir(&pins)?;
        Ok(Self {
            name: name.into(),
            namespace: format!("{id}-{name}"),
            address,
            dir,
            pins,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// As `ip netns` knows it.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Of `eth0`: locally administered, and readable as the address.
    pub fn mac(&self) -> Mac {
        let [a, b, c, d] = self.address.octets();
        Mac([2, 0, a, b, c, d])
    }

    /// For its configuration, logs and sockets.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// For its pins, in the lab's bpffs.
    pub fn pins(&self) -> &Path {
        &self.pins
    }

    /// A command as an operator would give it on this host.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace])
            .arg(program);
        command
    }

    /// Runs a command to its end. An error means that it could not be run, or took longer than 30 s.
    pub fn run<S: AsRef<OsStr>>(&self, words: &[S]) -> Result<Output> {
        self.run_within(LIMIT, words)
    }

    pub fn run_within<S: AsRef<OsStr>>(&self, limit: Duration, words: &[S]) -> Result<Output> {
        command::run(&mut self.words(words)?, limit)
    }

    /// Runs a line of shell to its end, and returns its output.
    pub fn sh(&self, line: &str) -> Result<String> {
        self.run(&["sh", "-c", line])?.success()
    }

    /// Starts a process, with its output in a log named after it.
    pub fn spawn<S: AsRef<OsStr>>(&self, words: &[S]) -> Result<Process> {
        let program = words
            .first()
            .map(|word| Path::new(word).file_name().unwrap_or_default())
            .unwrap_or_default();
        let log = self.dir.join(program).with_extension("log");
        Process::spawn(&mut self.words(words)?, &log)
    }

    /// Runs `work` on a thread of this host: its sockets are the host's.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        namespace::enter(&self.namespace, work)
    }

    fn words<S: AsRef<OsStr>>(&self, words: &[S]) -> Result<Command> {
        ensure!(!words.is_empty(), "no command");
        let mut command = self.command(&words[0]);
        command.args(&words[1..]);
        Ok(command)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
