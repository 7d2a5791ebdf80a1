//! Where a role keeps its pins: `ROOT/ROLE/net-INODE`, one directory per network namespace, so that
//! interfaces of the same name do not meet. What lies in it is the role's affair.

use std::{
    fmt, fs, io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use rustix::{
    fd::OwnedFd,
    fs::{FlockOperation, Mode, OFlags, flock, fstat, open},
    io::Errno,
};

use super::bpffs;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Director,
    RealServer,
}

/// The directory of one role in the network namespace of this thread.
#[derive(Clone, Debug)]
pub struct Pins {
    role: Role,
    dir: PathBuf,
    /// A root that was given is left where it is.
    is_default: bool,
}

/// Keeps others from changing the pins. Let go when it is dropped, or its process ends.
#[derive(Debug)]
pub struct Lock {
    _dir: OwnedFd,
}

impl Pins {
    /// Makes the directory, below `root` or the default root. What is missing is mounted and created.
    pub fn make(root: Option<&Path>, role: Role) -> Result<Self> {
        let pins = Self::below(&bpffs::make_root(root)?, role, root.is_none())?;
        make_dir(&pins.dir)?;
        Ok(pins)
    }

    /// Finds the directory; `None` if it was never made. Changes nothing.
    pub fn find(root: Option<&Path>, role: Role) -> Result<Option<Self>> {
        let Some(found) = bpffs::root(root)? else {
            return Ok(None);
        };
        let pins = Self::below(&found, role, root.is_none())?;
        match pins.dir.try_exists() {
            Ok(exists) => Ok(exists.then_some(pins)),
            Err(error) => {
                Err(error).with_context(|| format!("cannot look at {}", pins.dir.display()))
            }
        }
    }

    fn below(root: &Path, role: Role, is_default: bool) -> Result<Self> {
        // Of this thread: a process may be in several.
        const NAMESPACE: &str = "/proc/thread-self/ns/net";
        let namespace =
            fs::metadata(NAMESPACE).with_context(|| format!("cannot look at {NAMESPACE}"))?;
        let dir = root
            .join(role.to_string())
            .join(format!("net-{}", namespace.ino()));
        Ok(Self {
            role,
            dir,
            is_default,
        })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory of an interface.
    pub fn interface(&self, name: &str) -> PathBuf {
        self.dir.join(file_name(name))
    }

    /// Names the interfaces that have a directory, in order.
    pub fn interfaces(&self) -> Result<Vec<String>> {
        let names = || -> io::Result<Vec<String>> {
            fs::read_dir(&self.dir)?
                .map(|entry| Ok(interface_name(&entry?.file_name().to_string_lossy())))
                .collect()
        };
        let mut names = names().with_context(|| format!("cannot list {}", self.dir.display()))?;
        names.sort();
        Ok(names)
    }

    /// Takes the directory for this process alone; an error says who has it.
    pub fn lock(&self) -> Result<Lock> {
        loop {
            make_dir(&self.dir)?;
            let dir = match open(
                &self.dir,
                OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            ) {
                Err(Errno::NOENT) => continue,
                dir => dir.with_context(|| format!("cannot open {}", self.dir.display()))?,
            };
            match flock(&dir, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => bail!("{}", self.role.busy()),
                Err(error) => bail!("cannot lock {}: {error}", self.dir.display()),
            }
            // Whoever had it may have removed it, and another may have made it again.
            let is_there = fs::metadata(&self.dir)
                .is_ok_and(|there| fstat(&dir).is_ok_and(|locked| locked.st_ino == there.ino()));
            if is_there {
                return Ok(Lock { _dir: dir });
            }
        }
    }

    /// Removes the directory and those above it, as far as they are empty and ours.
    pub fn remove_if_empty(&self) {
        // The namespace's, the role's, the root.
        let count = if self.is_default { 3 } else { 2 };
        for dir in self.dir.ancestors().take(count) {
            if fs::remove_dir(dir).is_err() {
                break;
            }
        }
    }
}

impl Role {
    fn busy(self) -> &'static str {
        match self {
            Self::Director => "another `drover director` runs in this network namespace",
            Self::RealServer => {
                "another `drover realserver` is at work in this network namespace; try again when it is done"
            }
        }
    }
}

/// As directories are named.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Director => "director",
            Self::RealServer => "realserver",
        })
    }
}

/// Makes a directory for root's eyes only, with those above it.
pub(super) fn make_dir(dir: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot make the directory {}", dir.display()))
}

/// A bpffs keeps names with a dot for itself, and interfaces of VLANs have one.
pub fn file_name(interface: &str) -> String {
    interface.replace('%', "%25").replace('.', "%2e")
}

/// Undoes [`file_name`].
pub fn interface_name(file: &str) -> String {
    file.replace("%2e", ".").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_keeps_its_name() {
        for (interface, file) in [
            ("eth0", "eth0"),
            ("eth0.100", "eth0%2e100"),
            ("a%2eb", "a%252eb"),
            ("a%25.b", "a%2525%2eb"),
        ] {
            assert_eq!(file_name(interface), file);
            assert_eq!(interface_name(file), interface);
        }
    }
}
