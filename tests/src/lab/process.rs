//! Processes that run until they are told to end.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};

use super::command::line;

/// A running process. Dropped, it is asked to end and then made to.
#[derive(Debug)]
pub struct Process {
    child: Child,
    line: String,
    log: PathBuf,
}

impl Process {
    /// Its output goes to the end of `log`.
    pub(super) fn spawn(command: &mut Command, log: &Path) -> Result<Self> {
        let line = line(command);
        let file = File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting `{line}`"))?;
        Ok(Self {
            child,
            line,
            log: log.to_owned(),
        })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// All that it and its predecessors of the same name have written.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn signal(&self, signal: Signal) {
        kill_group(&self.child, signal);
    }

    /// Waits for it to end by itself, and kills it past the limit.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        if !ends_within(&self.child, limit)? {
            self.kill9();
            bail!(
                "`{}` was killed after {} s: {}",
                self.line,
                limit.as_secs(),
                self.log()
            );
        }
        Ok(self.child.wait()?)
    }

    /// With no warning, as the kernel kills when memory is short.
    pub fn kill9(&mut self) {
        if self.is_running() {
            kill_group(&self.child, Signal::KILL);
        }
        // An error would say that it has been reaped.
        let _ = self.child.wait();
    }

    /// Asks it to end, and returns how it did.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        if self.is_running() {
            kill_group(&self.child, Signal::TERM);
        }
        self.wait(Duration::from_secs(5))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.stop().is_err() {
            self.kill9();
        }
    }
}

pub(super) fn ends_within(child: &Child, limit: Duration) -> Result<bool> {
    let process = pidfd_open(pid(child), PidfdFlags::empty())?;
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&left)) {
            Err(Errno::INTR) => {}
            ready => return Ok(ready? > 0),
        }
    }
}

pub(super) fn kill_group(child: &Child, signal: Signal) {
    // It may have ended in the meantime.
    let _ = kill_process_group(pid(child), signal);
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}
