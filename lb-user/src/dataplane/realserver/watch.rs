//! What the programs of one interface tell of the frames that they drop and mangle.
//!
//! They tell while `WATCHED` is set, and a number of lines a second, which the ring has room for.
//! So what a watcher that was killed leaves is at most a second's lines, and they are not printed.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::mpsc,
    task::{Context as TaskContext, Poll, ready},
};

use anyhow::{Context as _, Result, bail, ensure};
use aya::maps::{Array, MapData};
use aya_log::EbpfLogger;
use lb_common::realserver::TOLD_PER_SECOND;
use log::{Log, Metadata, Record};
use rustix::{
    fd::OwnedFd,
    fs::{FlockOperation, Mode, OFlags, flock, fstat, open},
    io::Errno,
};
use tokio::io::{Interest, unix::AsyncFd};

use super::{maps::PINS, object};

/// Watches while it is there. There is one per interface, as a line can be read once.
pub struct Watch {
    path: PathBuf,
    /// Locked.
    dir: OwnedFd,
    watched: Array<MapData, u64>,
    log: AsyncFd<EbpfLogger<Sender>>,
    lines: mpsc::Receiver<String>,
}

impl Watch {
    /// Begins to watch what is attached with the maps in `path`.
    pub fn begin(path: &Path) -> Result<Self> {
        let dir = open(path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .with_context(|| format!("cannot open {}", path.display()))?;
        match flock(&dir, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => bail!("another `drover realserver watch` watches it"),
            Err(error) => bail!("cannot lock {}: {error}", path.display()),
        }
        let is_whole = PINS.iter().all(|(_, pin)| path.join(pin).exists());
        ensure!(
            is_whole,
            "attached by a version that tells nothing, or of IPv4 alone; attach again"
        );
        let mut ebpf = object(path)?;
        let watched = ebpf.take_map("WATCHED").context("there is no WATCHED")?;
        let (sender, lines) = mpsc::channel();
        let log = EbpfLogger::init_with_logger(&mut ebpf, Sender(sender))?;
        // SAFETY: the log owns its descriptor, and names no other.
        let log = unsafe { AsyncFd::register_with_interest(log, Interest::READABLE) }?;
        let mut watch = Self {
            path: path.to_owned(),
            dir,
            watched: watched.try_into()?,
            log,
            lines,
        };
        // Of a watcher that was killed.
        watch.lines().for_each(drop);
        watch.set(1)?;
        Ok(watch)
    }

    /// Whether there is something new to read.
    pub fn poll(&self, context: &mut TaskContext<'_>) -> Poll<Result<()>> {
        let mut guard = ready!(self.log.poll_read_ready(context))?;
        // Before what is there is read: what comes then makes it ready again.
        guard.clear_ready();
        Poll::Ready(Ok(()))
    }

    /// The lines that have not been read.
    pub fn lines(&mut self) -> impl Iterator<Item = String> {
        self.log.get_mut().flush();
        self.lines.try_iter()
    }

    /// Begins another second; returns how many frames of the last were not told of.
    pub fn renew(&mut self) -> Result<u64> {
        let frames = self.watched.get(&0, 0)?.saturating_sub(1);
        self.set(1)?;
        Ok(frames.saturating_sub(TOLD_PER_SECOND))
    }

    /// Whether what is watched is still what is attached.
    pub fn is_attached(&self) -> bool {
        fs::metadata(&self.path)
            .is_ok_and(|there| fstat(&self.dir).is_ok_and(|ours| ours.st_ino == there.ino()))
    }

    fn set(&mut self, frames: u64) -> Result<()> {
        self.watched
            .set(0, frames, 0)
            .context("cannot set what the programs tell")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Left set, it costs little, and the next watcher sets it again.
        let _ = self.set(0);
    }
}

/// Sends on what aya-log would log.
struct Sender(mpsc::Sender<String>);

impl Log for Sender {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // IPv4 comes mapped into IPv6.
        let line = record.args().to_string().replace("::ffff:", "");
        // Only a watch that is being dropped does not listen.
        let _ = self.0.send(line);
    }

    fn flush(&self) {}
}
