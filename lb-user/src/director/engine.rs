//! The daemon's model of the site, and what becomes of it in the kernel.

use std::{
    collections::HashSet,
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use lb_common::tables::Interface as InterfaceRecord;

use super::{
    Paths,
    neighbours::{Interface, Neighbours},
    report, vips,
};
use crate::{
    api::{Change, server::Ask},
    config::{
        Source,
        director::{Config, NoMember, Service, VipMode},
        edit,
        places::{Named, Places},
    },
    dataplane::director::Director,
    install::{Installed, Usage, Wanted, WantedMember},
    net::{self, Handle, neighbours::Event},
};

/// Ticks between two sweeps of the flow records.
const SWEEP: u64 = 5;
/// The same while a scheduler goes by connections: each sweep makes it a new batch of turns.
const LIVE: u64 = 1;

#[derive(Debug)]
pub(super) struct Engine {
    pub(super) path: PathBuf,
    pub(super) pins: PathBuf,
    pub(super) config: Config,
    /// Given on the command line, in place of the file's.
    interfaces_given: Vec<String>,
    pub(super) kernel: Director,
    pub(super) installed: Installed,
    pub(super) neighbours: Neighbours,
    pub(super) usage: Usage,
    netlink: Handle,
    ticks: u64,
}

impl Engine {
    /// Takes over what is in the kernel, and brings it to what `config` says.
    pub(super) async fn new(
        paths: &Paths,
        config: Config,
        interfaces_given: &[String],
        pins: &Path,
        kernel: Director,
    ) -> Result<Self> {
        let netlink = net::connect()?;
        let interfaces = Interface::find_all(&netlink, &config).await?;
        let mut neighbours = Neighbours::new(interfaces);
        // Until the kernel says otherwise, real servers are where they were.
        neighbours.remember(&kernel.tables);
        for neighbour in net::neighbours::list(&netlink).await? {
            neighbours.learn(neighbour);
        }
        let installed = Installed::of(&kernel.tables);
        let mut engine = Self {
            path: paths.config.clone(),
            pins: pins.to_owned(),
            interfaces_given: interfaces_given.to_vec(),
            config,
            kernel,
            installed,
            neighbours,
            usage: Usage::default(),
            netlink,
            ticks: 0,
        };
        engine.check(&engine.config)?;
        engine.attach()?;
        // Of members that were let go by a daemon that did not live to sweep.
        engine.sweep()?;
        engine.bring_all().await?;
        engine.neighbours.look_after(&engine.netlink, 0).await;
        Ok(engine)
    }

    pub(super) async fn answer(&mut self, ask: Ask) {
        // Nobody waits for the answer any more if it cannot be sent.
        match ask {
            Ask::List { all, reply } => drop(reply.send(report::list(self, all))),
            Ask::Status { reply } => drop(reply.send(report::status(self, &self.netlink).await)),
            Ask::Change { changes, reply } => drop(reply.send(self.change(&changes).await)),
            Ask::Reload { reply } => drop(reply.send(self.reload().await)),
        }
    }

    pub(super) async fn changed(&mut self, event: Event) {
        let done = match event {
            Event::Neighbour(neighbour) => {
                if !self.neighbours.learn(neighbour) {
                    return self.neighbours.probe_suspects(&self.netlink).await;
                }
                self.bring()
            }
            Event::Interfaces => self.interfaces_changed().await,
        };
        if let Err(error) = done {
            tracing::error!("{error:#}");
        }
    }

    pub(super) async fn tick(&mut self) {
        self.ticks += 1;
        self.neighbours.look_after(&self.netlink, self.ticks).await;
        let is_live = |service: &Service| service.scheduler.is_live();
        let sweep = match self.config.services.iter().any(is_live) {
            true => LIVE,
            false => SWEEP,
        };
        if self.ticks.is_multiple_of(sweep)
            && let Err(error) = self.sweep()
        {
            tracing::error!("{error:#}");
        }
    }

    pub(super) fn sweep(&mut self) -> Result<()> {
        let now = self.kernel.now()?;
        self.usage = self.installed.sweep(&self.kernel.tables, now);
        Ok(())
    }

    /// Applies changes, all or none, and writes them to the file.
    async fn change(&mut self, changes: &[Change]) -> Result<()> {
        let text = Source::read(&self.path)?.into_text();
        let before = Config::parse(&self.path, &text)?;
        let edited = edit::edited(&text, &before, changes)?;
        let mut config = self.with_interfaces(Config::parse(&self.path, &edited)?);
        // Those of a text that is in no file yet.
        config.places = Places::default();
        self.check(&config)?;
        edit::replace(&self.path, &edited)?;
        let applied = self.apply(config).await;
        if applied.is_err() {
            edit::replace(&self.path, &text).context("and the file could not be put back")?;
        }
        if applied.is_ok() {
            for change in changes {
                tracing::info!("{change}");
            }
        }
        applied
    }

    pub(super) async fn reload(&mut self) -> Result<()> {
        let config = self.with_interfaces(Config::read(&self.path)?);
        self.check(&config)?;
        self.apply(config).await?;
        tracing::info!("reloaded {}", self.path.display());
        Ok(())
    }

    fn with_interfaces(&self, mut config: Config) -> Config {
        if !self.interfaces_given.is_empty() {
            config.interfaces.clone_from(&self.interfaces_given);
        }
        config
    }

    /// Brings the kernel to `config`; on an error, back to what it was.
    async fn apply(&mut self, config: Config) -> Result<()> {
        let before = std::mem::replace(&mut self.config, config);
        let applied = self.bring_all().await;
        if applied.is_err() {
            self.config = before;
            let taken_back = self.bring_all().await;
            taken_back.context("and the change could not be taken back")?;
        }
        self.neighbours.probe_unresolved(&self.netlink).await;
        applied
    }

    async fn bring_all(&mut self) -> Result<()> {
        self.neighbours.watch(&self.config);
        // While the services' records still say which VIPs are ours.
        self.withdraw_vips().await?;
        self.bring()?;
        self.own_vips().await
    }

    /// Checks what only this host can tell.
    fn check(&self, config: &Config) -> Result<()> {
        ensure!(
            config.interfaces == self.config.interfaces,
            "`interfaces` is taken up by a restart of the daemon, which no connection notices"
        );
        ensure!(
            config.xdp == self.config.xdp,
            "`xdp` is taken up when the director is stopped, detached and started"
        );
        for service in &config.services {
            for real in &service.reals {
                let checked = self.neighbours.check_real(real.address);
                checked
                    .with_context(|| format!("service {}", service.listen))
                    .map_err(|error| {
                        let named = Named::Real(service.listen, real.address);
                        config.places.told(&named, error)
                    })?;
            }
        }
        Ok(())
    }

    fn attach(&mut self) -> Result<()> {
        for interface in self.neighbours.interfaces() {
            let element = InterfaceRecord::element(interface.index) as usize;
            let record = &self.kernel.tables.interfaces[element];
            let taken = record.index() != 0 && record.index() != interface.index;
            let is_ours = self
                .neighbours
                .interfaces()
                .any(|other| other.index == record.index());
            ensure!(
                !(taken && is_ours),
                "interfaces {} and {} have the same index modulo 256; make one of them anew",
                record.index(),
                interface.index
            );
            let record = InterfaceRecord::new(interface.index, interface.mac);
            self.kernel.tables.interfaces.write(element, record);
        }
        for name in &self.config.interfaces {
            self.kernel.attach(name, self.config.xdp)?;
        }
        for name in Director::attached(&self.pins)? {
            if !self.config.interfaces.contains(&name) {
                Director::detach(&self.pins, &name)?;
            }
        }
        Ok(())
    }

    /// Brings the services to what is wanted of them.
    fn bring(&mut self) -> Result<()> {
        if self.installed.is_to_be_swept() {
            self.sweep()?;
        }
        let now = self.kernel.now()?;
        let names: HashSet<_> = self.config.services.iter().map(|it| it.listen).collect();
        let gone: Vec<_> = self
            .installed
            .services()
            .filter(|name| !names.contains(name))
            .collect();
        let mut fresh = Vec::new();
        for service in &self.config.services {
            let wanted = self.wanted(service);
            let tables = &self.kernel.tables;
            self.installed.bring(tables, &wanted, now, &mut fresh)?;
        }
        for name in gone {
            self.installed.remove(&self.kernel.tables, name, now);
        }
        for member in fresh {
            self.kernel.reset_counters(member)?;
        }
        Ok(())
    }

    fn wanted(&self, service: &Service) -> Wanted {
        let member = |real: &crate::config::director::Real| WantedMember {
            address: real.address,
            weight: real.weight,
            interface: self.neighbours.interface_of(real.address),
            mac: self.neighbours.mac(real.address),
        };
        Wanted {
            name: service.listen,
            scheduler: service.scheduler,
            flags: service.flags.clone(),
            drops: service.no_member == NoMember::Drop,
            members: service.reals.iter().map(member).collect(),
        }
    }

    async fn interfaces_changed(&mut self) -> Result<()> {
        let interfaces = Interface::find_all(&self.netlink, &self.config).await?;
        if self.neighbours.interfaces().eq(&interfaces) {
            return Ok(());
        }
        self.neighbours.set_interfaces(interfaces);
        self.attach()?;
        self.bring_all().await
    }

    async fn own_vips(&self) -> Result<()> {
        let ids = self.installed.services().filter_map(|name| {
            let id = self.installed.service(name)?;
            Some((name, id))
        });
        let (tables, neighbours) = (&self.kernel.tables, &self.neighbours);
        vips::own(
            &self.netlink,
            neighbours,
            tables,
            &ids.collect(),
            &self.vips(),
        )
        .await
    }

    async fn withdraw_vips(&self) -> Result<()> {
        vips::withdraw(&self.netlink, &self.kernel.tables.services, &self.vips()).await
    }

    /// The VIPs that the daemon is to have put on the director.
    fn vips(&self) -> HashSet<Ipv4Addr> {
        match self.config.vip {
            VipMode::Own => self
                .config
                .services
                .iter()
                .map(|it| it.listen.vip)
                .collect(),
            VipMode::External => HashSet::new(),
        }
    }
}
