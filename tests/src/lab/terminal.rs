//! What runs in a terminal, and what the terminal shows.

use std::{
    ffi::OsStr,
    io::{Read as _, Write as _},
    process::{Child, ChildStdin, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Context as _, Result};

use super::{Host, wait};

/// A pty of script(1), what is typed into it and what it shows. Dropped, it ends with what runs in it.
pub struct Terminal {
    script: Child,
    keys: ChildStdin,
    parser: Arc<Mutex<vt100::Parser>>,
}

impl Terminal {
    /// On a host, of so many rows and columns. A line of shell is run in it, by way of a command that runs others, if
    /// there is one.
    pub fn new(
        host: &Host,
        by: &[impl AsRef<OsStr>],
        [rows, columns]: [u16; 2],
        line: &str,
    ) -> Result<Self> {
        let line = format!("stty rows {rows} cols {columns}\n{line}");
        let mut script = host
            .command("env")
            .args(["-u", "NO_COLOR", "TERM=xterm-256color"])
            .args(by)
            .args(["script", "-qfec", &line, "/dev/null"])
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
        })
    }

    pub fn type_(&mut self, keys: &str) -> Result<()> {
        Ok(self.keys.write_all(keys.as_bytes())?)
    }

    /// What it shows, line by line.
    pub fn text(&self) -> String {
        let parser = self.parser.lock().unwrap_or_else(PoisonError::into_inner);
        parser.screen().contents()
    }

    /// Whether the command has the screen to itself.
    pub fn is_taken(&self) -> bool {
        let parser = self.parser.lock().unwrap_or_else(PoisonError::into_inner);
        parser.screen().alternate_screen()
    }

    pub fn wait(&self, what: &str, is_so: impl Fn(&str) -> bool) -> Result<()> {
        wait(what, || Ok(is_so(&self.text()))).with_context(|| self.text())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // What runs in it gets SIGHUP.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}
