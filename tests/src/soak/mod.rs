//! An operator's bad days, one after the other: commands, files with errors, crashes of the daemon and of web servers,
//! other MACs and other tables, by chance, under a load of real connections.
//!
//! What chance does is told by a seed, and a run with the same seed does the same. At the end no request may have
//! failed, but those to a web server that was killed, and those until that was seen.

mod acts;
mod load;
mod site;

use std::{
    thread::{self, sleep},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use self::{
    acts::Acts,
    load::{Failure, Load},
    site::Site,
};

/// From a crash on, how long requests may fail: some checks of 0.2 s, and a slow machine.
const SEEN_WITHIN: Duration = Duration::from_secs(4);

/// What was done.
#[derive(Debug, Default)]
pub struct Summary {
    pub acts: usize,
    pub pages: u64,
    pub downloads: u64,
    pub crashes: usize,
    /// Requests that failed as a web server was killed.
    pub excused: usize,
}

/// Runs for so long; prints what it does.
pub fn run(time: Duration, seed: u64) -> Result<Summary> {
    println!("soak: seed {seed}, {} s", time.as_secs());
    let mut site = Site::new()?;
    let load = Load::default();
    let start = Instant::now();
    let mut summary = Summary::default();
    let (crashes, acted) = thread::scope(|scope| {
        let load = load.start(scope, &site);
        let mut acts = Acts::new(seed);
        let acted = (|| -> Result<()> {
            while start.elapsed() < time {
                let what = acts.act(&mut site)?;
                println!("{:7.1} s  {what}", start.elapsed().as_secs_f64());
                summary.acts += 1;
                sleep(acts.pause());
                load.check(&acts.crashes)?;
            }
            acts.settle(&mut site)
        })();
        drop(load);
        (acts.crashes, acted)
    });
    let failed = load.failures();
    let excused = |failure: &&Failure| {
        crashes
            .iter()
            .any(|&crash| failure.is_of(crash, SEEN_WITHIN))
    };
    let (excused, failed): (Vec<_>, Vec<_>) = failed.iter().partition(excused);
    summary.excused = excused.len();
    summary.crashes = crashes.len();
    (summary.pages, summary.downloads) = load.done();
    println!("soak: seed {seed}: {summary:?}");
    if let Some(first) = failed.first() {
        println!("{}", site.told());
        bail!(
            "seed {seed}: {} requests failed, first {first}",
            failed.len()
        );
    }
    acted.map_err(|error| error.context(format!("seed {seed}")))?;
    Ok(summary)
}
