//! What is kept beside `director.toml`: what was in force before, and until when a change waits to be
//! confirmed. Both outlive the daemon, and so does a reboot that a change was the cause of.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};

use super::Stamp;

#[derive(Clone, Debug)]
pub struct Kept {
    config: PathBuf,
    /// The text that was in force before: `director.toml.undo`.
    before: PathBuf,
    /// Until when a change waits, in seconds since 1970: `director.toml.unconfirmed`.
    deadline: PathBuf,
}

impl Kept {
    pub fn beside(config: &Path) -> Self {
        let with = |suffix: &str| {
            let mut name = config.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self {
            config: config.to_owned(),
            before: with(".undo"),
            deadline: with(".unconfirmed"),
        }
    }

    /// Returns the text that was in force before, if anything was.
    pub fn before(&self) -> Result<Option<String>> {
        read(&self.before)
    }

    pub fn keep(&self, text: &str) -> Result<()> {
        replace(&self.before, text, &self.config).map(drop)
    }

    /// Puts back what [`Self::before`] was, for a change that has come to nothing.
    pub fn keep_again(&self, before: Option<&str>) -> Result<()> {
        match before {
            Some(text) => self.keep(text),
            None => remove(&self.before),
        }
    }

    /// Returns until when a change waits to be confirmed, if one does.
    pub fn deadline(&self) -> Result<Option<SystemTime>> {
        let Some(text) = read(&self.deadline)? else {
            return Ok(None);
        };
        // One that nobody can read is over.
        let seconds = text.trim().parse().unwrap_or_default();
        Ok(Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)))
    }

    pub fn wait_until(&self, deadline: SystemTime) -> Result<()> {
        let since = deadline.duration_since(SystemTime::UNIX_EPOCH);
        let seconds = since.unwrap_or_default().as_secs();
        replace(&self.deadline, &format!("{seconds}\n"), &self.config).map(drop)
    }

    pub fn confirm(&self) -> Result<()> {
        remove(&self.deadline)
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Replaces a file in one step, or makes one with the permissions of `like`: after a crash it is the
/// old one or the new one. Returns the stamp of the new one.
pub fn replace(path: &Path, text: &str, like: &Path) -> Result<Stamp> {
    let write = || -> io::Result<Stamp> {
        // A link stays, and what it names is replaced.
        let path = match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            found => found?,
        };
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let written = (|| {
            let mut file = File::create(&name)?;
            file.set_permissions(fs::metadata(like)?.permissions())?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            let stamp = Stamp::of(&file.metadata()?);
            fs::rename(&name, &path)?;
            let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
            Ok(stamp)
        })();
        if written.is_err() {
            // What there is of it is no use; the error that counts is the first.
            let _ = fs::remove_file(&name);
        }
        written
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
