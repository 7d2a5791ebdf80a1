//! What is told while the daemon does not answer.

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tests::wait;

use crate::{site::Site, terminal::terminal};

#[test]
fn what_takes_long_is_told_on_a_terminal_and_taken_back() -> Result<()> {
    let mut site = Site::new("", "rr", 2)?;
    let daemon = site.director.process().id().try_into()?;
    let daemon = Pid::from_raw(daemon).context("no process")?;
    let host = site.lab.host("director").clone();
    kill_process(daemon, Signal::STOP)?;
    let mut file = host.spawn(&host.drover_words(&["list"]))?;
    let terminal = terminal(&host, [24, 60], &["list"])?;
    let told = terminal.wait("it is told", |it| it.contains("listing services …"));
    kill_process(daemon, Signal::CONT)?;
    told?;
    terminal.wait("it ends", |it| it.contains("ended 0"))?;
    let text = terminal.text();
    assert!(
        text.starts_with("Prot LocalAddress:Port Scheduler\n"),
        "{text}"
    );
    assert!(!text.contains("listing"), "{text}");
    wait("the other ends", || Ok(!file.is_running()))?;
    // With what the daemon has said.
    let log = file.log();
    assert!(log.contains("Prot ") && !log.contains("listing"), "{log}");
    Ok(())
}
