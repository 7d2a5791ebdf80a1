//! The product's binary on a host, with paths that are the lab's.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::ExitStatus,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{Host, Output, Process, wait};

/// How long a daemon may take until it answers.
const START: Duration = Duration::from_secs(10);

/// `$DROVER`, or what `cargo build` has made.
pub fn drover_binary() -> PathBuf {
    std::env::var_os("DROVER").map_or_else(
        || {
            let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
            let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
            let binary = workspace.join(target).join("debug/drover");
            binary.canonicalize().unwrap_or(binary)
        },
        PathBuf::from,
    )
}

impl Host {
    /// Runs `drover` with this host's paths.
    pub fn drover<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Output> {
        self.run(&self.drover_words(arguments))
    }

    /// The whole command of [`Host::drover`].
    pub fn drover_words<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Vec<OsString> {
        let mut words = vec![drover_binary().into_os_string()];
        words.extend(
            arguments
                .iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
        words.extend(self.drover_paths(arguments.first().map(AsRef::as_ref)));
        words
    }

    /// The options that keep a command of `drover` to this host: a real server has no daemon to name.
    pub(super) fn drover_paths(&self, command: Option<&OsStr>) -> Vec<OsString> {
        let mut options = vec!["--pins".into(), self.pins().into()];
        if command != Some("realserver".as_ref()) {
            options.extend(["--config".into(), self.director_config().into()]);
            options.extend(["--socket".into(), self.dir().join("director.sock").into()]);
        }
        options
    }

    pub fn director_config(&self) -> PathBuf {
        self.dir().join("director.toml")
    }

    /// Writes `director.toml` and starts the daemon; returns when `drover status` answers, within 10 s.
    pub fn director(&self, config: &str) -> Result<Director> {
        fs::write(self.director_config(), config)?;
        Ok(Director {
            host: self.clone(),
            process: start(self)?,
        })
    }
}

/// A running daemon. Dropped, it is stopped; what it has pinned goes with the lab.
#[derive(Debug)]
pub struct Director {
    host: Host,
    process: Process,
}

impl Director {
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// All that this daemon and those before it have said.
    pub fn log(&self) -> String {
        self.process.log()
    }

    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Has it killed at the n-th call of a system call, before the kernel does it. The process that sees to it
    /// ends with it.
    pub fn kill_at(&self, call: &str, n: usize) -> Result<Process> {
        let (trace, pid) = (format!("trace={call}"), self.process.id().to_string());
        let inject = format!("inject={call}:signal=KILL:when={n}");
        let words = [
            "strace", "-f", "-qq", "-e", &trace, "-e", &inject, "-p", &pid,
        ];
        let strace = self.host.spawn(&words)?;
        wait("it is traced", || {
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            Ok(!status.contains("TracerPid:\t0\n"))
        })?;
        Ok(strace)
    }

    /// SIGTERM, as systemd stops it.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.process.stop()
    }

    /// Starts it again, with the file and pins as they are.
    pub fn start(&mut self) -> Result<()> {
        self.process = start(&self.host)?;
        Ok(())
    }

    /// Writes `director.toml` and has it applied.
    pub fn reload(&self, config: &str) -> Result<Output> {
        fs::write(self.host.director_config(), config)?;
        self.host.drover(&["reload"])
    }
}

fn start(host: &Host) -> Result<Process> {
    let words = host.drover_words(&["director"]);
    let mut process = host.spawn(&words).context("starting the director")?;
    let deadline = Instant::now() + START;
    loop {
        let status = host.drover(&["status"])?;
        if status.status.success() {
            return Ok(process);
        }
        if !process.is_running() {
            bail!("the director ended: {}", process.log().trim());
        }
        if Instant::now() > deadline {
            bail!(
                "the director does not answer: {}{}",
                status.stderr,
                process.log()
            );
        }
        sleep(Duration::from_millis(50));
    }
}
