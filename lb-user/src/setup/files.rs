//! A role's files: what they say, where they go, and how they get there.

use std::{
    borrow::Cow,
    fs::{self, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::Role;

#[derive(Debug)]
pub(super) struct File {
    /// From the root that is installed to.
    pub(super) path: PathBuf,
    content: Cow<'static, [u8]>,
    mode: u32,
    /// The operator's, once it is there.
    is_theirs: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Put,
    Same,
    Kept,
}

macro_rules! packaged {
    ($path:literal) => {
        include_str!(concat!("../../../packaging/", $path))
    };
}

pub(super) fn of(role: Role, prefix: &Path) -> Result<Vec<File>> {
    let program = fs::read("/proc/self/exe").context("cannot read this program's file")?;
    let mut files = vec![File {
        path: prefix.join("bin/drover"),
        content: program.into(),
        mode: 0o755,
        is_theirs: false,
    }];
    let (unit, config) = match role {
        Role::Director => (
            packaged!("systemd/drover-director.service"),
            packaged!("etc/director.toml"),
        ),
        Role::Realserver => (
            packaged!("systemd/drover-realserver.service"),
            packaged!("etc/realserver.toml"),
        ),
    };
    let program = format!("={}", files[0].path.display());
    let unit = unit.replace("=/usr/bin/drover", &program);
    let name = role.name();
    let units = prefix.join("lib/systemd/system");
    files.push(File::text(
        units.join(format!("drover-{name}.service")),
        unit,
    ));
    if role == Role::Director {
        let group = packaged!("sysusers.d/drover.conf");
        files.push(File::text(prefix.join("lib/sysusers.d/drover.conf"), group));
    }
    files.push(File {
        is_theirs: true,
        ..File::text(format!("/etc/drover/{name}.toml"), config)
    });
    Ok(files)
}

impl File {
    fn text(path: impl Into<PathBuf>, text: impl Into<Cow<'static, str>>) -> Self {
        let content = match text.into() {
            Cow::Borrowed(text) => text.as_bytes().into(),
            Cow::Owned(text) => text.into_bytes().into(),
        };
        Self {
            path: path.into(),
            content,
            mode: 0o644,
            is_theirs: false,
        }
    }

    pub(super) fn below(&self, root: &Path) -> PathBuf {
        // It is absolute, and would replace the root.
        root.join(self.path.strip_prefix("/").unwrap_or(&self.path))
    }

    /// Puts the file in its place below `root`, unless that is only to be tried.
    pub(super) fn put(&self, root: &Path, dry_run: bool) -> Result<Outcome> {
        let path = self.below(root);
        let cannot = || format!("cannot install {}", path.display());
        match fs::metadata(&path) {
            Ok(_) if self.is_theirs => return Ok(Outcome::Kept),
            Ok(there) => {
                let mode = there.permissions().mode() & 0o7777;
                if mode == self.mode && fs::read(&path).with_context(cannot)? == *self.content {
                    return Ok(Outcome::Same);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(cannot),
        }
        if !dry_run {
            self.write(&path).with_context(cannot)?;
        }
        Ok(Outcome::Put)
    }

    /// Replaced by one rename: the binary may be running, and a half-written one would not.
    fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let written = (|| {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(self.mode)
                .open(&new)?;
            file.write_all(&self.content)?;
            // Whatever the umask is.
            file.set_permissions(Permissions::from_mode(self.mode))?;
            file.sync_all()?;
            fs::rename(&new, path)
        })();
        if written.is_err() {
            // What there is of it is no use; the error that counts is the first.
            let _ = fs::remove_file(&new);
        }
        written
    }
}
