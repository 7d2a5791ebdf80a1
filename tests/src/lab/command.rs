//! Commands that run to their end, which is never far.

use std::{
    io::Read,
    os::unix::process::CommandExt,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::Signal;

use super::process::{ends_within, kill_group};

/// What a command did and said.
#[derive(Debug)]
pub struct Output {
    /// As it was typed.
    pub command: String,
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Its standard output, if it exited with 0; otherwise what it said about that.
    pub fn success(self) -> Result<String> {
        if self.status.success() {
            return Ok(self.stdout);
        }
        let said = if self.stderr.trim().is_empty() {
            &self.stdout
        } else {
            &self.stderr
        };
        Err(anyhow!(
            "`{}`: {}: {}",
            self.command,
            self.status,
            said.trim()
        ))
    }
}

/// Runs a command to its end. Past the limit, it is killed and that is an error; what it leaves behind in its process
/// group is killed in any case.
pub(super) fn run(command: &mut Command, limit: Duration) -> Result<Output> {
    let line = line(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("starting `{line}`"))?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let in_time = ends_within(&child, limit);
    // Not reaped yet, so the group's number is still its own.
    kill_group(&child, Signal::KILL);
    let status = child.wait()?;
    let said = |reader: thread::JoinHandle<String>| reader.join().unwrap_or_default();
    let (stdout, stderr) = (said(stdout), said(stderr));
    if !in_time? {
        bail!(
            "`{line}` was killed after {} s: {}{}",
            limit.as_secs(),
            stdout,
            stderr
        );
    }
    Ok(Output {
        command: line,
        status,
        stdout,
        stderr,
    })
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Without `ip netns exec NAMESPACE`: who reads it knows the host.
pub(super) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    match words.as_slice() {
        [ip, netns, exec, _, rest @ ..] if *ip == "ip" && *netns == "netns" && *exec == "exec" => {
            rest.join(" ")
        }
        all => all.join(" "),
    }
}
