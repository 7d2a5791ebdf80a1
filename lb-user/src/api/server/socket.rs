//! The socket itself: where nobody else listens, and for whom.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown},
    path::Path,
};

use anyhow::{Context as _, Result, ensure};
use tokio::net::UnixListener;

/// Opens the socket: in place of one that nobody listens on, for root and the group `drover`.
pub fn listen(path: &Path) -> Result<UnixListener> {
    let what = || format!("cannot listen on {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(what)?;
    }
    if let Ok(there) = fs::symlink_metadata(path) {
        ensure!(
            there.file_type().is_socket(),
            "{} is not a socket; name another path with --socket",
            path.display()
        );
        ensure!(
            std::os::unix::net::UnixStream::connect(path).is_err(),
            "another daemon answers on {}; name another path with --socket",
            path.display()
        );
        fs::remove_file(path).with_context(what)?;
    }
    let listener = UnixListener::bind(path).with_context(what)?;
    let group = group_id("drover");
    if group.is_some() {
        chown(path, None, group).with_context(what)?;
    }
    let mode = if group.is_some() { 0o660 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).with_context(what)?;
    Ok(listener)
}

/// Finds a group's number in /etc/group.
fn group_id(name: &str) -> Option<u32> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    let mut lines = groups.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        (fields.next() == Some(name))
            .then(|| fields.nth(1)?.parse().ok())
            .flatten()
    })
}
