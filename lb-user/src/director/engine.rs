//! The daemon's model of the site, and every event that changes it.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::{Instant, SystemTime},
};

use anyhow::Result;
use tokio::sync::mpsc;

use super::{
    Paths,
    conditions::{Conditions, Key},
    explain, flows,
    health::Health,
    heard::Leaks,
    interfaces,
    links::Interface,
    metrics::{self, Counts},
    neighbours::Neighbours,
    passive::Reals,
    report, states,
    totals::Totals,
    zeroed::Zeroed,
};
use crate::{
    api::{
        events::Events,
        server::{Ask, Pages},
    },
    config::{
        director::{Config, Real, Service},
        kept::Kept,
        places::Places,
    },
    dataplane::director::Director,
    health::{
        agent::{Agents, Answer},
        runner::Finding,
    },
    install::{Installed, Usage},
    net::{self, Handle, neighbours::Event},
};

/// Ticks between two sweeps of the flow records.
const SWEEP: u64 = 5;
/// The same while a scheduler goes by connections: each sweep makes it a new batch of turns; or while some real server is
/// judged by them.
const LIVE: u64 = 1;
/// Ticks until all is listed again after something was lost. What the queue did hold is older, and read by then.
const LOST: u64 = 2;

/// What others hear of the engine by, and it of them.
pub(super) struct Ends {
    pub(super) events: Events,
    pub(super) findings: mpsc::Sender<Finding>,
    pub(super) answers: mpsc::Sender<Answer>,
    pub(super) pages: Pages,
}

#[derive(Debug)]
pub(super) struct Engine {
    pub(super) path: PathBuf,
    pub(super) pins: PathBuf,
    pub(super) config: Config,
    /// What says so: the file's text when it was read, or written.
    pub(super) text: String,
    pub(super) kept: Kept,
    /// When a change is taken back that has not been confirmed.
    pub(super) unconfirmed: Option<Instant>,
    /// Given on the command line, in place of the file's.
    pub(super) interfaces_given: Vec<String>,
    pub(super) kernel: Director,
    pub(super) installed: Installed,
    pub(super) neighbours: Neighbours,
    pub(super) usage: Usage,
    pub(super) conditions: Conditions,
    /// What clients' attempts to connect have come to.
    pub(super) attempts: Reals,
    pub(super) leaks: Leaks,
    pub(super) interfaces: interfaces::Conditions,
    /// Where states are kept for the next daemon.
    pub(super) states: PathBuf,
    pub(super) zeroed: Zeroed,
    pub(super) events: Events,
    pub(super) health: Option<Health>,
    /// Where checks say what they have found.
    pub(super) findings: mpsc::Sender<Finding>,
    pub(super) agents: Agents,
    /// What each agent has answered last.
    pub(super) last_words: HashMap<Key, Answer>,
    pub(super) netlink: Handle,
    pub(super) pages: Pages,
    /// Why pages are not served, as was told.
    pub(super) no_pages: Option<String>,
    pub(super) counts: Counts,
    /// What systemd was last told.
    pub(super) status: String,
    ticks: u64,
    /// The tick at which all is listed again.
    lists_at: Option<u64>,
}

impl Engine {
    /// Takes over what is in the kernel, and brings it to what `config` says.
    pub(super) async fn new(
        paths: &Paths,
        (config, text): (Config, String),
        interfaces_given: &[String],
        pins: &Path,
        kernel: Director,
        ends: Ends,
    ) -> Result<Self> {
        let netlink = net::connect()?;
        let kept = Kept::beside(&paths.config);
        let interfaces = Interface::find_all(&netlink, &config).await?;
        let mut neighbours = Neighbours::new(interfaces);
        // Until the kernel says otherwise, real servers are where they were.
        neighbours.remember(&kernel.tables);
        for neighbour in net::neighbours::list(&netlink).await? {
            neighbours.learn(neighbour);
        }
        let installed = Installed::of(&kernel.tables);
        let totals = Totals::kept(&paths.socket, &installed);
        let zeroed = Zeroed::kept(&paths.socket, &kernel);
        let mut engine = Self {
            path: paths.config.clone(),
            text,
            unconfirmed: unconfirmed(&kept)?,
            kept,
            pins: pins.to_owned(),
            interfaces_given: interfaces_given.to_vec(),
            config,
            kernel,
            installed,
            neighbours,
            usage: Usage::default(),
            conditions: Conditions::default(),
            attempts: Reals::default(),
            leaks: Leaks::new(),
            interfaces: interfaces::Conditions::default(),
            states: states::path(&paths.socket),
            events: ends.events,
            zeroed,
            health: None,
            findings: ends.findings,
            agents: Agents::new(ends.answers),
            last_words: HashMap::new(),
            netlink,
            pages: ends.pages,
            no_pages: None,
            counts: Counts::new(totals),
            status: String::new(),
            ticks: 0,
            lists_at: None,
        };
        engine.conditions.remember(states::kept(&engine.states));
        engine.check(&engine.config)?;
        engine.attach()?;
        engine.kernel.finish()?;
        engine.kernel.thaw();
        // They have been told of.
        engine.config.places = Places::default();
        // Of members that were let go by a daemon that did not live to sweep.
        engine.sweep()?;
        engine.bring_all().await?;
        if let Err(error) = engine.resize(engine.config.limits) {
            tracing::warn!("the tables keep the sizes they have: {error:#}");
        }
        engine.neighbours.probe_all(&engine.netlink).await;
        engine.serve_pages().await;
        engine.tell();
        Ok(engine)
    }

    pub(super) async fn answer(&mut self, ask: Ask) {
        // Nobody waits for the answer any more if it cannot be sent.
        match ask {
            Ask::List { all, reply } => drop(reply.send(report::list(self, all))),
            Ask::Status { reply } => drop(reply.send(report::status(self).await)),
            Ask::Metrics { reply } => drop(reply.send(metrics::snapshot(self).await)),
            Ask::Flows { query, reply } => drop(reply.send(flows::list(self, &query))),
            Ask::Timeouts { reply } => drop(reply.send(Ok(report::timeouts(self)))),
            Ask::Text { reply } => drop(reply.send(Ok(self.text.clone()))),
            Ask::Explain { question, reply } => {
                drop(reply.send(explain::answer(self, &question).await));
            }
            Ask::Diff { text, reply } => drop(reply.send(self.diff_text(text.as_ref()))),
            Ask::Apply { apply, reply } => drop(reply.send(self.apply_text(&apply).await)),
            Ask::Undo { reply } => drop(reply.send(self.undo().await)),
            Ask::Confirm { reply } => drop(reply.send(self.confirm())),
            Ask::Change { changes, reply } => drop(reply.send(self.change(&changes).await)),
            Ask::Zero { service, reply } => drop(reply.send(self.zero(service))),
            Ask::Reload { reply } => drop(reply.send(self.reload().await)),
        }
    }

    /// Takes up what has come in together: a VIP in each of a hundred events is one change.
    pub(super) async fn changed(&mut self, events: &[Event]) {
        let mut others = HashSet::new();
        let mut interfaces = false;
        for &event in events {
            match event {
                Event::Neighbour(neighbour) => {
                    if self.neighbours.learn(neighbour) {
                        others.insert(neighbour.address);
                    }
                }
                Event::Interfaces => interfaces = true,
                Event::Lost => self.lists_at = Some(self.ticks + LOST),
                Event::Gone(index) => {
                    self.interface_gone(index);
                    interfaces = true;
                }
            }
        }
        let is_other = |service: &Service| {
            let mut addresses = service.addresses();
            addresses.any(|address| others.contains(&address))
        };
        let brought = match others.is_empty() {
            true => Ok(()),
            false => self.bring(is_other),
        };
        self.neighbours.probe_suspects(&self.netlink).await;
        let mut followed = Ok(());
        if interfaces {
            followed = self.interfaces_changed().await;
            followed = followed.and(self.look_at_interfaces().await);
        }
        for error in brought.err().into_iter().chain(followed.err()) {
            tracing::error!("{error:#}");
        }
        self.tell();
    }

    /// Makes up for what the kernel had to tell and could not.
    async fn list_again(&mut self) {
        tracing::warn!("the kernel had more to tell than its queue takes; all is looked at again");
        match net::neighbours::list(&self.netlink).await {
            Ok(all) => {
                let mut events: Vec<Event> = all.into_iter().map(Event::Neighbour).collect();
                events.push(Event::Interfaces);
                self.changed(&events).await;
            }
            Err(error) => tracing::error!("{error:#}"),
        }
    }

    pub(super) async fn tick(&mut self) {
        self.ticks += 1;
        if self.lists_at == Some(self.ticks) {
            self.list_again().await;
        }
        self.take_back_unconfirmed().await;
        self.neighbours.look_after(&self.netlink, self.ticks).await;
        let counts = |real: &Real| real.thresholds.upper > 0;
        let is_live = |service: &Service| {
            service.scheduler.is_live()
                || service.passive.is_some()
                || service.reals.iter().any(counts)
        };
        let sweep = match self.config.services.iter().any(is_live) {
            true => LIVE,
            false => SWEEP,
        };
        if self.ticks.is_multiple_of(sweep)
            && let Err(error) = self.sweep()
        {
            tracing::error!("{error:#}");
        }
        self.judge_attempts();
        let warmer = self.conditions.warm(&self.config.services);
        if !warmer.is_empty()
            && let Err(error) = self.bring(|service| warmer.contains(&service.listen))
        {
            tracing::error!("{error:#}");
        }
        if let Err(error) = self.look_at_interfaces().await {
            tracing::error!("{error:#}");
        }
        self.serve_pages().await;
        self.expel();
        self.check_leaks(self.ticks);
        self.tell();
    }

    pub(super) fn sweep(&mut self) -> Result<()> {
        let now = self.kernel.now()?;
        let begun = Instant::now();
        self.usage = self.installed.sweep(&self.kernel.tables, now);
        self.counts.sweep = begun.elapsed();
        self.note_attempts();
        self.note_gone()
    }
}

/// When a change is taken back that an earlier daemon has made, if it has not been confirmed.
fn unconfirmed(kept: &Kept) -> Result<Option<Instant>> {
    let left = |deadline: SystemTime| deadline.duration_since(SystemTime::now());
    let left = kept.deadline()?.map(left);
    Ok(left.map(|left| Instant::now() + left.unwrap_or_default()))
}
