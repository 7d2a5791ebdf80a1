//! The end of a lab, certain from its beginning.
//!
//! A shell waits at the other end of a pipe, and removes the lab when the pipe closes: because the lab was dropped, or
//! because the process panicked, was interrupted or killed with -9. There is one way to remove a lab, `remove.sh`.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
};

use anyhow::{Context, Result, ensure};

const SCRIPT: &str = include_str!("remove.sh");

/// The shells of this process's labs, by id.
static PROMISED: Mutex<BTreeMap<String, Child>> = Mutex::new(BTreeMap::new());

/// Read by those who make a lab, so that none is half made when all are removed.
static MAKING: RwLock<()> = RwLock::new(());

pub(super) fn making() -> RwLockReadGuard<'static, ()> {
    MAKING.read().unwrap_or_else(PoisonError::into_inner)
}

/// Dropped, it returns when the lab is gone.
#[derive(Debug)]
pub(super) struct Removal {
    id: String,
}

impl Removal {
    pub(super) fn promise(id: &str) -> Result<Self> {
        let shell = script(id)
            .stdin(Stdio::piped())
            // The terminal's ctrl-C is not for it.
            .process_group(0)
            .spawn()
            .context("starting the shell that removes the lab")?;
        promised().insert(id.into(), shell);
        Ok(Self { id: id.into() })
    }

    /// The lab stays.
    pub(super) fn forgo(self) -> Result<()> {
        let shell = promised().remove(&self.id);
        let mut shell = shell.context("the lab is already being removed")?;
        let mut pipe = shell.stdin.take().context("no pipe to the shell")?;
        writeln!(pipe, "keep")?;
        shell.wait()?;
        Ok(())
    }
}

impl Drop for Removal {
    fn drop(&mut self) {
        let shell = promised().remove(&self.id);
        shell.into_iter().for_each(finish);
    }
}

/// Removes all labs of this process, for when it is about to exit without dropping them. No lab can be made after it.
pub fn remove_all() {
    std::mem::forget(MAKING.write().unwrap_or_else(PoisonError::into_inner));
    let shells = std::mem::take(&mut *promised());
    shells.into_values().for_each(finish);
}

/// Removes the labs that were left up by [`super::Lab::keep`], and returns their ids.
pub fn remove_kept() -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for entry in fs::read_dir("/run")? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(id) = name.to_str().filter(|name| name.starts_with("drover-")) else {
            continue;
        };
        if !Path::new("/run").join(id).join("kept").exists() {
            continue;
        }
        let status = script(id).stdin(Stdio::null()).status()?;
        ensure!(status.success(), "{id} could not be removed");
        removed.push(id.to_owned());
    }
    Ok(removed)
}

fn script(id: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", SCRIPT, "remove", id])
        .stdout(Stdio::null());
    command
}

fn finish(mut shell: Child) {
    drop(shell.stdin.take());
    if !shell.wait().is_ok_and(|status| status.success()) {
        eprintln!("a lab was not wholly removed");
    }
}

fn promised() -> MutexGuard<'static, BTreeMap<String, Child>> {
    // A map of children is whole after any panic.
    PROMISED.lock().unwrap_or_else(PoisonError::into_inner)
}
