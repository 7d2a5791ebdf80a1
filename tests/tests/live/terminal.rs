//! A terminal, and a command in it.

use std::{
    fs::{self, Permissions},
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, ChildStdin, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tests::Host;

use crate::site::wait;

/// A pty of script(1), what is typed into it and what it shows. Dropped, it ends with what runs in it.
pub(crate) struct Terminal {
    script: Child,
    keys: ChildStdin,
    parser: Arc<Mutex<vt100::Parser>>,
    /// Where the command writes its number before it runs.
    pid: PathBuf,
}

impl Terminal {
    /// Runs `drover` in a terminal of so many rows and columns; when it has ended, its exit code and whether the
    /// terminal is as it was stand there.
    pub(crate) fn new(host: &Host, [rows, columns]: [u16; 2], arguments: &[&str]) -> Result<Self> {
        let words = host.drover_words(arguments);
        let words: Vec<_> = words.iter().map(|it| it.to_string_lossy()).collect();
        let (file, pid) = (
            host.dir().join("terminal.sh"),
            host.dir().join("terminal.pid"),
        );
        let command = format!(
            "stty rows {rows} cols {columns}\nsh -c 'echo $$ > {}; exec {}'\necho ended $?\nstty -a | tr ' ' '\\n' | grep icanon\nsleep 60\n",
            pid.display(),
            words.join(" ")
        );
        fs::write(&file, command)?;
        fs::set_permissions(&file, Permissions::from_mode(0o755))?;
        let line = format!("sh {}", file.display());
        let mut script = host
            .command("script")
            .args(["-qfec", &line, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let parser = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let (mut output, shown) = (script.stdout.take().context("no output")?, parser.clone());
        thread::spawn(move || {
            let mut octets = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut octets) {
                let mut parser = shown.lock().unwrap_or_else(PoisonError::into_inner);
                parser.process(&octets[..length]);
            }
        });
        Ok(Self {
            keys: script.stdin.take().context("no input")?,
            script,
            parser,
            pid,
        })
    }

    pub(crate) fn type_(&mut self, keys: &str) -> Result<()> {
        Ok(self.keys.write_all(keys.as_bytes())?)
    }

    /// What it shows, line by line.
    pub(crate) fn text(&self) -> String {
        let parser = self.parser.lock().unwrap_or_else(PoisonError::into_inner);
        parser.screen().contents()
    }

    /// Whether the command has the screen to itself.
    pub(crate) fn is_taken(&self) -> bool {
        let parser = self.parser.lock().unwrap_or_else(PoisonError::into_inner);
        parser.screen().alternate_screen()
    }

    pub(crate) fn wait(&self, what: &str, is_so: impl Fn(&str) -> bool) -> Result<()> {
        wait(what, || Ok(is_so(&self.text()))).with_context(|| self.text())
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let pid: i32 = fs::read_to_string(&self.pid)?.trim().parse()?;
        Ok(kill_process(
            Pid::from_raw(pid).context("no process")?,
            signal,
        )?)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // What runs in it gets SIGHUP.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}
