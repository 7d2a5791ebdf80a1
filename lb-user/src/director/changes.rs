//! Another configuration: by command, or from the file. Checked, then written, then applied; all of
//! it or nothing. Weights are applied first: packets do not wait for a large file to be written.

use anyhow::{Context as _, Result, ensure};

use super::engine::Engine;
use crate::{
    api::{
        Change, RealChange,
        events::{Event, What},
    },
    config::{
        Source, Stamp,
        director::{Config, Service, check_weight},
        edit, kept,
        places::{Named, Places},
    },
    service::ServiceName,
};

impl Engine {
    /// Applies changes, all or none, and writes them to the file.
    pub(super) async fn change(&mut self, changes: &[Change]) -> Result<()> {
        self.check_confirmed()?;
        let changed = match self.reweighted(changes) {
            Some(services) => self.reweigh(services, changes),
            None => self.change_all(changes).await,
        };
        if changed.is_ok() {
            for change in changes {
                self.tell_config(change.to_string());
            }
        }
        changed
    }

    /// Brings all to what the file says with the changes, whatever has been written in it.
    async fn change_all(&mut self, changes: &[Change]) -> Result<()> {
        let file = Source::read(&self.path)?;
        Config::of(&file)?;
        let (edited, config) = edit::edited(file.text(), changes)?;
        let mut config = self.with_interfaces(config);
        // Those of a text that is in no file yet.
        config.places = Places::default();
        self.check(&config)?;
        self.commit(file, (edited, config), None).await
    }

    /// Returns the services that have changed if the changes are of weights alone, and the file
    /// says what it did when it was read.
    fn reweighted(&self, changes: &[Change]) -> Option<Vec<Service>> {
        if self.config.stamp.is_none() || self.config.stamp != Stamp::at(&self.path) {
            return None;
        }
        let mut changed: Vec<Service> = Vec::new();
        for change in changes {
            let Change::EditReal(RealChange {
                service,
                address,
                weight: Some(weight),
                upper_threshold: None,
                lower_threshold: None,
            }) = *change
            else {
                return None;
            };
            check_weight(weight.into()).ok()?;
            if !changed.iter().any(|it| it.listen == service) {
                changed.push(self.config.service(service)?.clone());
            }
            let service = changed.iter_mut().find(|it| it.listen == service)?;
            let mut reals = service.reals.iter_mut();
            reals.find(|real| real.address == address)?.weight = weight;
        }
        Some(changed)
    }

    fn reweigh(&mut self, services: Vec<Service>, changes: &[Change]) -> Result<()> {
        let before = self.exchange(services);
        let names: Vec<ServiceName> = before.iter().map(|service| service.listen).collect();
        let done = self.bring(|service| names.contains(&service.listen));
        let done = done.and_then(|()| self.write(changes));
        if let Err(error) = done {
            self.exchange(before);
            let taken_back = self.bring(|service| names.contains(&service.listen));
            taken_back.context("and the change could not be taken back")?;
            return Err(error);
        }
        self.tell();
        Ok(())
    }

    /// Puts services in the place of those of their names, and returns these.
    fn exchange(&mut self, services: Vec<Service>) -> Vec<Service> {
        let mut before = services;
        for service in &mut before {
            let mut all = self.config.services.iter_mut();
            if let Some(place) = all.find(|it| it.listen == service.listen) {
                std::mem::swap(place, service);
            }
        }
        before
    }

    /// Writes changes to the file, which says what `config` did before them.
    fn write(&mut self, changes: &[Change]) -> Result<()> {
        let source = Source::read(&self.path)?;
        ensure!(
            source.stamp() == self.config.stamp,
            "{} has been written by someone else at this moment; try again",
            self.path.display()
        );
        let edit = |text: String, change| edit::edited_once(&text, change);
        let text = changes.iter().try_fold(source.into_text(), edit)?;
        let undo = self.kept.before()?;
        self.kept.keep(&self.text)?;
        match kept::replace(&self.path, &text, &self.path) {
            Ok(stamp) => self.config.stamp = Some(stamp),
            Err(error) => {
                self.kept.keep_again(undo.as_deref())?;
                return Err(error);
            }
        }
        self.text = text;
        Ok(())
    }

    pub(super) async fn reload(&mut self) -> Result<()> {
        let reloaded = self.reload_file().await;
        self.counts.reloaded = reloaded.is_ok();
        reloaded
    }

    async fn reload_file(&mut self) -> Result<()> {
        self.check_confirmed()?;
        let file = Source::read(&self.path)?;
        let config = self.with_interfaces(Config::of(&file)?);
        self.check(&config)?;
        let text = file.text().to_owned();
        self.commit(file, (text, config), None).await?;
        self.tell_config(format!("reloaded {}", self.path.display()));
        Ok(())
    }

    /// Tells of another configuration that is in force.
    pub(super) fn tell_config(&self, how: String) {
        tracing::info!("{how}");
        self.events.send(Event::now(What::Config { how }));
    }

    pub(super) fn with_interfaces(&self, mut config: Config) -> Config {
        if !self.interfaces_given.is_empty() {
            config.interfaces.clone_from(&self.interfaces_given);
        }
        config
    }

    /// Brings the kernel to `config`; on an error, back to what it was.
    pub(super) async fn apply(&mut self, config: Config) -> Result<()> {
        if config.limits != self.config.limits {
            self.resize(config.limits)?;
        }
        let before = std::mem::replace(&mut self.config, config);
        // They have been told of.
        self.config.places = Places::default();
        let applied = async {
            // One that cannot be had is no reason to refuse what has nothing to do with it.
            if self.config.http != before.http {
                self.pages.serve_at(self.config.http).await?;
            }
            self.bring_all().await
        };
        let applied = applied.await;
        if applied.is_err() {
            self.config = before;
            self.serve_pages().await;
            self.resize(self.config.limits)?;
            let taken_back = self.bring_all().await;
            taken_back.context("and the change could not be taken back")?;
        }
        self.neighbours.probe_unresolved(&self.netlink).await;
        self.tell();
        applied
    }

    /// Checks what only this host can tell.
    pub(super) fn check(&self, config: &Config) -> Result<()> {
        ensure!(
            config.interfaces == self.config.interfaces,
            "`interfaces` is taken up by a restart of the daemon, which no connection notices"
        );
        ensure!(
            config.xdp == self.config.xdp,
            "`xdp` is taken up when the director is stopped, detached and started"
        );
        for service in &config.services {
            for address in service.addresses() {
                let checked = self.neighbours.check_real(address);
                checked
                    .with_context(|| format!("service {}", service.listen))
                    .map_err(|error| {
                        let named = Named::Real(service.listen, address);
                        config.places.told(&named, error)
                    })?;
            }
        }
        Ok(())
    }
}
