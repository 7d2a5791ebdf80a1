//! Another configuration: by command, or from the file. Checked, then written, then applied; all of
//! it or nothing.

use anyhow::{Context as _, Result, ensure};

use super::engine::Engine;
use crate::{
    api::Change,
    config::{
        Source,
        director::Config,
        edit,
        places::{Named, Places},
    },
};

impl Engine {
    /// Applies changes, all or none, and writes them to the file.
    pub(super) async fn change(&mut self, changes: &[Change]) -> Result<()> {
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
}
