//! A command of `drover` in a terminal.

use std::fs;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tests::{Host, Terminal};

/// Runs it in a terminal of so many rows and columns; when it has ended, its exit code and whether the terminal is as
/// it was stand there.
pub(crate) fn terminal(host: &Host, size: [u16; 2], arguments: &[&str]) -> Result<Terminal> {
    let words = host.drover_words(arguments);
    let words: Vec<_> = words.iter().map(|it| it.to_string_lossy()).collect();
    let line = format!(
        "sh -c 'echo $$ > {}; exec {}'\necho ended $?\nstty -a | tr ' ' '\\n' | grep icanon\nsleep 60\n",
        host.dir().join("terminal.pid").display(),
        words.join(" ")
    );
    Terminal::new(host, &[""; 0], size, &line)
}

pub(crate) fn signal(host: &Host, signal: Signal) -> Result<()> {
    let pid = fs::read_to_string(host.dir().join("terminal.pid"))?;
    let pid = Pid::from_raw(pid.trim().parse()?).context("no process")?;
    Ok(kill_process(pid, signal)?)
}
