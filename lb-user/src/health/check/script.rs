//! A program of the operator's: its exit status decides.

use std::{
    io,
    os::fd::OwnedFd,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe::Receiver,
    process::{Child, Command},
    time::timeout,
};

use super::{Bad, Good, Probe, quoted, told};

/// Octets of output that are kept, from its end.
const OUTPUT_MAX: usize = 4096;
/// How long output is waited for once the program has ended: something that it has started may keep the pipe.
const REST: Duration = Duration::from_millis(50);
/// Beside what tells of the probe, all of the program's environment.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    pub program: String,
    pub arguments: Vec<String>,
}

impl Script {
    pub(super) async fn check(&self, probe: &Probe) -> Result<Good, Bad> {
        let started = self.start(probe).map_err(|error| {
            let Bad(why) = told(&error);
            format!("cannot run {}: {why}", self.program)
        });
        let (mut running, mut pipe) = started?;
        let mut output = Vec::new();
        let status = {
            let reading = async {
                read(&mut pipe, &mut output).await;
                // Who closes its output has not ended yet.
                std::future::pending().await
            };
            let ending = async {
                tokio::select! {
                    status = running.ended() => status,
                    never = reading => never,
                }
            };
            probe.by("exit", ending).await?
        };
        let _ = timeout(REST, read(&mut pipe, &mut output)).await;
        let status = status.map_err(|error| told(&error))?;
        let words = last_line(&output);
        match (status.success(), words.is_empty()) {
            (true, true) => Ok("exit status 0".into()),
            (true, false) => Ok(words.into()),
            (false, true) => Err(status.to_string().into()),
            (false, false) => Err(words.into()),
        }
    }

    fn start(&self, probe: &Probe) -> io::Result<(Running, Receiver)> {
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", PATH)
            .env("DROVER_SERVICE", probe.service.to_string())
            .env("DROVER_VIP", probe.vip.to_string())
            .env("DROVER_REAL", probe.real.to_string())
            .env("DROVER_PORT", probe.to.port().to_string())
            .env("DROVER_PROBE", probe.to.ip().to_string())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0);
        let running = Running(Some(command.spawn()?));
        let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        Ok((running, pipe))
    }
}

/// A program. Dropped before it has ended, it is killed, and all of its group.
struct Running(Option<Child>);

impl Running {
    async fn ended(&mut self) -> io::Result<ExitStatus> {
        let Some(child) = &mut self.0 else {
            return Err(io::Error::other("ended already"));
        };
        let status = child.wait().await;
        // Its number may be another's from now on.
        self.0 = None;
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let id = self.0.as_ref().and_then(Child::id);
        let id = id.and_then(|id| Pid::from_raw(id.try_into().ok()?));
        if let Some(id) = id {
            // It may have ended in the meantime; it is not waited for yet, so that the number is still its own.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

/// Keeps the end of what comes, until nothing more does.
async fn read(pipe: &mut Receiver, output: &mut Vec<u8>) {
    while let Ok(1..) = pipe.read_buf(output).await {
        let surplus = output.len().saturating_sub(OUTPUT_MAX);
        output.drain(..surplus);
    }
}

fn last_line(output: &[u8]) -> String {
    let mut lines = output.split(|&octet| octet == b'\n').rev();
    let line = lines.find(|line| !line.trim_ascii().is_empty());
    quoted(line.unwrap_or_default())
}
