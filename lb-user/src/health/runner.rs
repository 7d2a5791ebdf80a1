//! Runs the checks of all real servers, on a thread of their own: TLS handshakes do not keep the daemon from answering.
//!
//! One queue of times and one timer serve all that are at rest. What is told is told of changes alone; while nobody
//! listens, the last word about each real server is kept for when somebody does.

mod queue;
mod work;

use std::{
    collections::HashMap,
    fs,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokio::sync::{mpsc, watch};

pub(super) use self::queue::Jitter;
use self::work::Work;
use super::{
    Ports,
    check::{Check, Words},
};
use crate::service::ServiceName;

/// Checks in flight at the most: two files, as a script has, and a local port each. More wait for one
/// of these to end.
pub const IN_FLIGHT_MAX: usize = 1024;
/// Files of this process that are not the checks'.
const OTHER_FILES: usize = 256;
/// With fewer nothing would work.
const IN_FLIGHT_LEAST: usize = 64;

/// What is to be checked, and how to reach it.
#[derive(Clone, Debug)]
pub struct Target {
    pub service: ServiceName,
    pub real: IpAddr,
    pub vip: IpAddr,
    /// The address that reaches the VIP on this very real server.
    pub probe: IpAddr,
    pub port: u16,
    pub check: Arc<Check>,
    /// What is known of it: nothing of one that is new.
    pub before: Option<bool>,
}

/// A judgement that is another one than before, or the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub service: ServiceName,
    pub real: IpAddr,
    pub is_up: bool,
    /// In one line.
    pub why: String,
}

/// The last result about a real server.
#[derive(Clone, Debug)]
pub struct Latest {
    /// As judged; None if nothing is known yet.
    pub is_up: Option<bool>,
    pub is_good: bool,
    pub words: Words,
    /// From the beginning of the first attempt to the end of the last.
    pub took: Duration,
    pub at: Instant,
    /// Results of the kind, this the last; `rise` or `fall` of them change the judgement.
    pub in_a_row: u32,
}

/// How busy the checks are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    pub targets: usize,
    pub in_flight: usize,
    /// Checks made, and those of them that had to wait for others to end.
    pub made: u64,
    pub waited: u64,
}

/// Dropped, all its checks end.
#[derive(Debug)]
pub struct Runner {
    targets: Option<watch::Sender<Arc<[Target]>>>,
    seen: Arc<Seen>,
    ports: Ports,
    thread: Option<JoinHandle<()>>,
}

pub(super) type Key = (ServiceName, IpAddr);

/// What others may look at meanwhile.
#[derive(Debug, Default)]
struct Seen {
    latest: Mutex<HashMap<Key, Latest>>,
    load: Mutex<Load>,
}

impl Runner {
    /// Makes the thread, in the network namespace of the one that calls.
    pub fn start(findings: mpsc::Sender<Finding>) -> Result<Self> {
        let (targets, wanted) = watch::channel(Arc::from([]));
        let (seen, ports) = (Arc::new(Seen::default()), Ports::new());
        let work = Work::new(wanted, seen.clone(), ports.clone(), in_flight_max());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the checks' runtime")?;
        let thread = thread::Builder::new().name("checks".into()).spawn(move || {
            runtime.block_on(work.run(findings));
            // A file that does not answer is not waited for.
            runtime.shutdown_background();
        });
        Ok(Self {
            targets: Some(targets),
            seen,
            ports,
            thread: Some(thread.context("the checks' thread")?),
        })
    }

    /// Has these checked and no others, from now on. Those that are checked already go on undisturbed.
    pub fn set(&self, targets: Vec<Target>) {
        if let Some(wanted) = &self.targets {
            wanted.send_replace(targets.into());
        }
    }

    pub fn latest(&self, service: ServiceName, real: IpAddr) -> Option<Latest> {
        lock(&self.seen.latest).get(&(service, real)).cloned()
    }

    pub fn load(&self) -> Load {
        *lock(&self.seen.load)
    }

    /// Whose local ports are the checks'.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.targets = None;
        if let Some(thread) = self.thread.take() {
            // A panic of it has been told of.
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing in there is left half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As many as this process may have files open, and has left: the limit is 1024 unless somebody has raised it. It is
/// read and not asked for, as the daemon's unit leaves it no calls about limits.
fn in_flight_max() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = files.and_then(|it| it.split_whitespace().next()?.parse().ok());
    let left = soft.unwrap_or(IN_FLIGHT_MAX).saturating_sub(OTHER_FILES) / 2;
    left.clamp(IN_FLIGHT_LEAST, IN_FLIGHT_MAX)
}
