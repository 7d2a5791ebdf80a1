//! Changes as transactions: a text takes the place of the file's, can be taken back, and is taken
//! back by itself unless it is confirmed in time.

use std::{
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, Result, bail, ensure};

use super::engine::Engine;
use crate::{
    api::diff::{Apply, CONFIRM_MAX, Diff, Text},
    config::{
        Source,
        director::Config,
        kept::{self, Kept},
    },
};

/// Until another try of what could not be taken back.
const AGAIN: Duration = Duration::from_secs(10);

/// Takes back the change that was to be confirmed while no daemon ran.
pub(super) fn take_back_overdue(path: &Path) -> Result<()> {
    let kept = Kept::beside(path);
    let before = kept.before()?;
    let before = before.with_context(|| nothing_kept(path))?;
    kept::replace(path, &before, path)?;
    tracing::warn!("the last change was not confirmed in time, and is taken back");
    kept.confirm()
}

/// Whether a change was to be confirmed by now.
pub(super) fn is_overdue(path: &Path) -> Result<bool> {
    let deadline = Kept::beside(path).deadline()?;
    Ok(deadline.is_some_and(|deadline| deadline <= SystemTime::now()))
}

impl Engine {
    /// Returns what a text would change, or the file as it is now.
    pub(super) fn diff_text(&mut self, text: Option<&Text>) -> Result<Diff> {
        let config = match text {
            Some(Text { name, text }) => Config::parse(Path::new(name), text)?,
            None => Config::read(&self.path)?,
        };
        let config = self.with_interfaces(config);
        self.check(&config)?;
        self.diff(&config)
    }

    /// Puts a text in the place of the file's, and returns what that has changed.
    pub(super) async fn apply_text(&mut self, apply: &Apply) -> Result<Diff> {
        self.check_confirmed()?;
        let within = apply.confirm_within;
        ensure!(
            within.is_none_or(|it| (1..=CONFIRM_MAX).contains(&it)),
            "a change can be confirmed within 1 to {CONFIRM_MAX} seconds (a day)"
        );
        let Text { name, text } = &apply.file;
        let config = Config::parse(Path::new(name), text)?;
        let config = self.with_interfaces(config);
        self.check(&config)?;
        let file = self.unedited(text)?;
        let diff = self.diff(&config)?;
        let within_seconds = within.map(u64::from);
        self.commit(file, (text.clone(), config), within_seconds)
            .await?;
        self.tell_config(match within {
            Some(within) => format!("applied {name}, to be confirmed within {within} s"),
            None => format!("applied {name}"),
        });
        Ok(diff)
    }

    /// Goes back to what was in force before the last change, and returns what that has changed.
    pub(super) async fn undo(&mut self) -> Result<Diff> {
        let before = self.kept.before()?;
        let before = before.with_context(|| nothing_kept(&self.path))?;
        let file = self.unedited(&before)?;
        let diff = self.take_back(file, before).await?;
        self.tell_config("the last change is taken back".to_owned());
        Ok(diff)
    }

    pub(super) fn confirm(&mut self) -> Result<()> {
        ensure!(
            self.unconfirmed.is_some(),
            "no change waits to be confirmed"
        );
        self.kept.confirm()?;
        self.unconfirmed = None;
        self.tell_config("the last change is confirmed".to_owned());
        Ok(())
    }

    /// Takes a change back that was to be confirmed by now.
    pub(super) async fn take_back_unconfirmed(&mut self) {
        if self.unconfirmed.is_none_or(|due| due > Instant::now()) {
            return;
        }
        let taken_back = async {
            let before = self.kept.before()?;
            let before = before.with_context(|| nothing_kept(&self.path))?;
            let file = Source::read(&self.path)?;
            self.take_back(file, before).await
        };
        match taken_back.await {
            Ok(_) => {
                let how = "the last change was not confirmed in time, and is taken back";
                self.tell_config(how.to_owned());
            }
            Err(error) => {
                tracing::error!(
                    "the last change was not confirmed, and cannot be taken back: {error:#}"
                );
                self.unconfirmed = Some(Instant::now() + AGAIN);
            }
        }
    }

    async fn take_back(&mut self, file: Source, before: String) -> Result<Diff> {
        let name = self.path.with_extension("toml.undo");
        let config = self.with_interfaces(Config::parse(&name, &before)?);
        self.check(&config)?;
        let diff = self.diff(&config)?;
        self.commit(file, (before, config), None).await?;
        self.kept.confirm()?;
        self.unconfirmed = None;
        Ok(diff)
    }

    /// Writes a text in the place of the file's and brings the kernel to it, which may have to be
    /// confirmed within so many seconds; or leaves all as it was.
    pub(super) async fn commit(
        &mut self,
        file: Source,
        (text, mut config): (String, Config),
        within: Option<u64>,
    ) -> Result<()> {
        config.stamp = file.stamp();
        let file = file.into_text();
        let undo = self.kept.before()?;
        let is_kept = text != self.text || within.is_some();
        let path = self.path.clone();
        let kept = self.kept.clone();
        let committed = async {
            if is_kept {
                kept.keep(&self.text)?;
            }
            let due = within.map(Duration::from_secs);
            if let Some(due) = due {
                kept.wait_until(SystemTime::now() + due)?;
            }
            if text != file {
                config.stamp = Some(kept::replace(&path, &text, &path)?);
            }
            self.apply(config).await?;
            self.unconfirmed = due.map(|due| Instant::now() + due).or(self.unconfirmed);
            self.text.clone_from(&text);
            self.counts.in_force = SystemTime::now();
            self.counts.reloaded = true;
            Ok(())
        };
        let committed: Result<()> = committed.await;
        if committed.is_err() {
            let put_back = || -> Result<()> {
                if text != file {
                    kept::replace(&path, &file, &path)?;
                }
                if within.is_some() {
                    kept.confirm()?;
                }
                if is_kept {
                    kept.keep_again(undo.as_deref())?;
                }
                Ok(())
            };
            // A file system that takes nothing has taken nothing, either.
            if let Err(error) = put_back() {
                tracing::error!("the file could not be put back: {error:#}");
            }
        }
        committed
    }

    /// Refuses while a change waits to be confirmed: there is one step back, and it is that one's.
    pub(super) fn check_confirmed(&self) -> Result<()> {
        if let Some(left) = self.unconfirmed_left() {
            bail!(
                "the last change waits to be confirmed, {} s more: `drover confirm` keeps it, `drover undo` takes it back",
                left.as_secs()
            );
        }
        Ok(())
    }

    /// Returns how long a change still waits to be confirmed, if one does.
    pub(super) fn unconfirmed_left(&self) -> Option<Duration> {
        let due = self.unconfirmed?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    /// Reads the file that a text is to take the place of; refuses to write over what was written by
    /// hand and is not in force.
    fn unedited(&self, text: &str) -> Result<Source> {
        let file = Source::read(&self.path)?;
        let is_known = file.stamp() == self.config.stamp;
        ensure!(
            is_known || file.text() == self.text || file.text() == text,
            "{} has been edited since it was read; see `drover diff`, then `drover reload`, or put it back",
            self.path.display()
        );
        Ok(file)
    }
}

fn nothing_kept(path: &Path) -> String {
    format!(
        "there is nothing to take back: no change has been made yet to {}",
        path.display()
    )
}
