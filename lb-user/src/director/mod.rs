//! The daemon: one task owns everything, and every event enters through its loop.

mod agents;
mod bring;
mod changes;
mod conditions;
mod diff;
mod engine;
mod explain;
mod flows;
mod health;
mod heard;
mod interfaces;
mod leaks;
mod links;
mod metrics;
mod neighbours;
mod notify;
mod pages;
mod passive;
mod report;
mod states;
mod totals;
mod transaction;
mod vips;
mod zeroed;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, stream};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use self::engine::{Ends, Engine};
use crate::{
    api::{events::Events, server},
    config::{Source, director::Config},
    dataplane::{
        director::Director,
        pins::{Pins, Role},
        privileges,
        verifier::Refused,
    },
    health::path,
    net,
};

/// Where things are.
#[derive(Clone, Debug)]
pub struct Paths {
    pub config: PathBuf,
    pub socket: PathBuf,
    /// Unless it is the default.
    pub pins: Option<PathBuf>,
}

/// Events of the kernel that are taken up together, so that others are heard in between.
const EVENTS_MAX: usize = 1024;
/// How often flow records are swept and real servers' neighbours looked after.
const TICK: Duration = Duration::from_secs(1);

/// Runs the daemon until it is told to stop. Packets go on after that.
pub fn run(paths: &Paths, interfaces: &[String]) -> Result<()> {
    let is_overdue = transaction::is_overdue(&paths.config)?;
    let read = || -> Result<(Config, String)> {
        let source = Source::read(&paths.config)?;
        Ok((Config::of(&source)?, source.into_text()))
    };
    // What is wrong with one that is to be taken back does not matter.
    let told = match is_overdue {
        true => None,
        false => Some(read()?),
    };
    privileges::check()?;
    let pins = Pins::make(paths.pins.as_deref(), Role::Director)?;
    let _lock = pins.lock()?;
    if is_overdue {
        transaction::take_back_overdue(&paths.config)?;
    }
    let (mut config, text) = told.map_or_else(read, Ok)?;
    if !interfaces.is_empty() {
        config.interfaces = interfaces.to_vec();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ran = runtime.block_on(serve(paths, (config, text), &pins, interfaces));
    pins.remove_if_empty();
    ran
}

async fn serve(
    paths: &Paths,
    (config, text): (Config, String),
    pins: &Pins,
    interfaces: &[String],
) -> Result<()> {
    // Subscribed before anything is listed, so that nothing that changes in between is missed.
    let mut changed = net::neighbours::subscribe()?.ready_chunks(EVENTS_MAX);
    // Before anything is changed: it is what can still fail for want of a right or a directory.
    let listener = server::listen(&paths.socket)?;
    let events = Events::default();
    let is_first = !pins.dir().join("maps").exists();
    let (findings, mut found) = health::findings();
    let (answers, mut answered) = mpsc::channel(agents::ANSWERS_MAX);
    let (door, mut asked) = mpsc::channel(server::WAITING_MAX);
    let started = async {
        let kernel = Director::load(Some(pins.dir()), config.limits)?;
        Engine::new(
            paths,
            (config, text),
            interfaces,
            pins.dir(),
            kernel,
            Ends {
                events: events.clone(),
                findings,
                answers,
                pages: server::Pages::new(door.clone(), events.clone()),
            },
        )
        .await
    };
    let mut engine = match started.await {
        Ok(engine) => engine,
        Err(error) => {
            remove_socket(&paths.socket);
            // An earlier daemon's work goes on without this one; half of one's own does not.
            if is_first {
                let taken_away = take_away(pins).await;
                taken_away.with_context(|| format!("{error:#}; and what was done stays"))?;
            }
            return Err(with_log(error, &paths.socket));
        }
    };
    let mut server = tokio::spawn(server::serve(listener, door, events));
    let mut reload = signal(SignalKind::hangup())?;
    let mut stop = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut heard = match net::claims::listen() {
        Ok(claims) => claims.ready_chunks(EVENTS_MAX).boxed_local(),
        Err(error) => {
            tracing::warn!("{error:#}; nobody is heard who leaks");
            stream::pending().boxed_local()
        }
    };
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut findings = Vec::new();
    let mut answers = Vec::new();
    let mut pace = notify::pace();
    notify::ready();
    tracing::info!("ready");
    loop {
        tokio::select! {
            Some(ask) = asked.recv() => engine.answer(ask).await,
            events = changed.next() => {
                let events = events.context("the kernel's netlink socket closed")?;
                engine.changed(&events).await;
            }
            count = found.recv_many(&mut findings, health::FINDINGS_MAX) => {
                debug_assert!(count > 0, "the engine keeps a sender");
                engine.found(std::mem::take(&mut findings));
            }
            _ = answered.recv_many(&mut answers, agents::ANSWERS_MAX) => {
                engine.answered(std::mem::take(&mut answers));
            }
            Some(claims) = heard.next() => engine.heard(&claims),
            _ = pace.tick() => notify::alive(),
            _ = tick.tick() => engine.tick().await,
            Some(()) = reload.recv() => {
                notify::reloading();
                if let Err(error) = engine.reload().await {
                    tracing::error!("not reloaded, all stays as it was: {error:#}");
                }
                notify::ready();
            }
            _ = stop.recv() => break,
            _ = interrupt.recv() => break,
            served = &mut server => match served.context("the API has stopped")? {},
        }
    }
    notify::stopping();
    engine.stop_checks().await;
    tracing::info!("stopped; packets are forwarded as before until `drover director detach`");
    Ok(())
}

/// Writes what a verifier said to a file beside the socket, and says where.
fn with_log(error: anyhow::Error, socket: &Path) -> anyhow::Error {
    let Some(refused) = error.downcast_ref::<Refused>() else {
        return error;
    };
    let path = socket.with_extension("verifier.log");
    match std::fs::write(&path, &refused.log) {
        Ok(()) => anyhow::anyhow!("{error:#}; all that it said is in {}", path.display()),
        Err(_) => error,
    }
}

/// Takes the program, its pins, the path of checks and the VIPs that the daemon put in place away.
pub fn detach(paths: &Paths) -> Result<()> {
    privileges::check()?;
    let pins = Pins::find(paths.pins.as_deref(), Role::Director)?
        .context("no director is attached in this network namespace")?;
    let _lock = pins.lock()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(take_away(&pins))?;
    pins.remove_if_empty();
    remove_socket(&paths.socket);
    Ok(())
}

async fn take_away(pins: &Pins) -> Result<()> {
    path::take_away(&net::connect()?, pins.dir()).await?;
    // The VIPs first: without the program they would be the director's own.
    if let Some(services) = Director::services_below(pins.dir())? {
        let netlink = net::connect()?;
        vips::withdraw(&netlink, &services, &HashSet::new()).await?;
    }
    Director::unpin(pins.dir())
}

fn remove_socket(socket: &Path) {
    // One that a daemon left that was killed; there may be none.
    let _ = std::fs::remove_file(socket);
}
