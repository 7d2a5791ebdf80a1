//! Watching: one line for each frame that is dropped or mangled, as it happens.

use std::{
    fmt::Write as _,
    future::poll_fn,
    path::Path,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use lb_common::realserver::TOLD_PER_SECOND;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval},
};
use tracing_subscriber::fmt::{
    format::Writer,
    time::{FormatTime as _, SystemTime},
};

use crate::{
    cli::output,
    dataplane::{
        pins::{Pins, Role},
        realserver::Watch,
    },
};

/// One interface.
struct Site {
    name: String,
    watch: Watch,
}

/// Prints until it is interrupted, nobody reads it, or nothing is attached any more.
pub(super) async fn watch(only: &[String], root: Option<&Path>) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut sites = begin(only, root)?;
    let names: Vec<&str> = sites.iter().map(|site| site.name.as_str()).collect();
    eprintln!("watching {}", names.join(", "));
    let mut second = interval(Duration::from_secs(1));
    // A reader that was slow is not owed the lines of the seconds it missed.
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_new_second = tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = second.tick() => true,
            ready = poll_fn(|context| any(&sites, context)) => ready.map(|()| false)?,
        };
        let mut text = String::new();
        for Site { name, watch } in &mut sites {
            for line in watch.lines() {
                tell(&mut text, name, &line)?;
            }
            let lost = if is_new_second { watch.renew()? } else { 0 };
            if lost > 0 {
                let most = format!("{lost} more; {TOLD_PER_SECOND} a second are shown");
                tell(&mut text, name, &most)?;
            }
        }
        if !output::is_read(&text)? {
            return Ok(());
        }
        sites.retain(|site| site.watch.is_attached());
        ensure!(!sites.is_empty(), "nothing is attached any more");
    }
}

fn begin(only: &[String], root: Option<&Path>) -> Result<Vec<Site>> {
    let pins = Pins::find(root, Role::RealServer)?.context("nothing is attached")?;
    let _lock = pins.lock()?;
    let mut names = pins.interfaces()?;
    ensure!(!names.is_empty(), "nothing is attached");
    if let Some(name) = only.iter().find(|name| !names.contains(name)) {
        bail!("{name} is not attached");
    }
    names.retain(|name| only.is_empty() || only.contains(name));
    let site = |name: String| {
        let watch = Watch::begin(&pins.interface(&name)).with_context(|| name.clone())?;
        Ok(Site { name, watch })
    };
    names.into_iter().map(site).collect()
}

/// Whether one of the interfaces has something to tell.
fn any(sites: &[Site], context: &mut TaskContext<'_>) -> Poll<Result<()>> {
    let mut polls = sites.iter().map(|site| site.watch.poll(context));
    polls.find(Poll::is_ready).unwrap_or(Poll::Pending)
}

fn tell(text: &mut String, name: &str, line: &str) -> Result<()> {
    SystemTime.format_time(&mut Writer::new(text))?;
    Ok(writeln!(text, " {name} {line}")?)
}
