//! Clients: pages by connections of their own, as fast as they come, and long downloads, of both IP versions.

use std::{
    fmt, fs,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::Scope,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{
    SEEN_WITHIN,
    site::{Site, URLS},
};
use crate::Host;

/// Fetched by one process.
const PAGES: usize = 50;

#[derive(Debug, Default)]
pub(super) struct Load {
    done: AtomicBool,
    pages: AtomicU64,
    downloads: AtomicU64,
    failures: Mutex<Vec<Failure>>,
}

/// A request that failed, or a run of them of which one did.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    began: Instant,
    ended: Instant,
    said: String,
}

impl Failure {
    /// Whether it was under way when a web server was killed, or began before that was seen.
    pub(super) fn is_of(&self, crash: Instant, seen_within: Duration) -> bool {
        self.began < crash + seen_within && crash < self.ended
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = (self.ended - self.began).as_secs_f64();
        let ago = self.ended.elapsed().as_secs_f64();
        write!(f, "{ago:.1} s ago, after {took:.1} s: {}", self.said)
    }
}

/// Clients at work. Dropped, they end.
pub(super) struct AtWork<'l>(&'l Load);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.done.store(true, Relaxed);
    }
}

impl AtWork<'_> {
    /// Ends a run as soon as it has failed.
    pub(super) fn check(&self, crashes: &[Instant]) -> Result<()> {
        let failures = self.0.failures();
        let is_excused = |failure: &Failure| {
            crashes
                .iter()
                .any(|&crash| failure.is_of(crash, SEEN_WITHIN))
        };
        let failed = failures.iter().find(|failure| !is_excused(failure));
        ensure!(failed.is_none(), "a request failed");
        Ok(())
    }
}

impl Load {
    pub(super) fn start<'s>(&'s self, scope: &'s Scope<'s, '_>, site: &Site) -> AtWork<'s> {
        for url in URLS {
            let client = site.lab.host("client").clone();
            scope.spawn(move || self.pages(&client, url));
            let client = site.lab.host("client").clone();
            scope.spawn(move || self.download(&client, url));
        }
        AtWork(self)
    }

    pub(super) fn failures(&self) -> Vec<Failure> {
        let failures = self.failures.lock();
        failures.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn done(&self) -> (u64, u64) {
        (self.pages.load(Relaxed), self.downloads.load(Relaxed))
    }

    fn pages(&self, client: &Host, url: &str) {
        let list = client.dir().join(format!("{}-pages", url.len()));
        let written = fs::write(&list, format!("url = \"{url}\"\n").repeat(PAGES));
        let list = list.display().to_string();
        let curl = [
            "curl",
            "-gsS",
            "--fail-early",
            "--max-time",
            "10",
            "-H",
            "Connection: close",
        ];
        let words = [&curl[..], &["-K", &list]].concat();
        if let Err(error) = written {
            return self.failed(Instant::now(), error.to_string());
        }
        while !self.done.load(Relaxed) {
            if self.fetch(client, &words) {
                self.pages.fetch_add(PAGES as u64, Relaxed);
            }
        }
    }

    fn download(&self, client: &Host, url: &str) {
        let url = format!("{url}slow");
        let words = ["curl", "-gsSf", "--max-time", "60", "-o", "/dev/null", &url];
        while !self.done.load(Relaxed) {
            if self.fetch(client, &words) {
                self.downloads.fetch_add(1, Relaxed);
            }
        }
    }

    fn fetch(&self, client: &Host, words: &[&str]) -> bool {
        let began = Instant::now();
        let fetched = client.run_within(Duration::from_secs(90), words);
        match fetched.and_then(super::super::Output::success) {
            Ok(_) => true,
            Err(error) => {
                self.failed(began, format!("{error:#}"));
                false
            }
        }
    }

    fn failed(&self, began: Instant, said: String) {
        let failure = Failure {
            began,
            ended: Instant::now(),
            said,
        };
        let failures = self.failures.lock();
        failures
            .unwrap_or_else(PoisonError::into_inner)
            .push(failure);
    }
}
