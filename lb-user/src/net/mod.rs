//! The kernel's network configuration, by netlink. Each function is one question or one change.

pub mod addresses;
pub mod announce;
pub mod ask;
pub mod claims;
pub mod clsact;
pub mod ethtool;
pub mod links;
pub mod neighbours;
pub mod netdev;
pub mod routes;

use anyhow::Context as _;
pub use rtnetlink::Handle;
use rustix::io::Errno;

/// Opens a netlink socket in the network namespace of this thread, served by a task of the current
/// runtime for as long as there are handles.
pub fn connect() -> anyhow::Result<Handle> {
    let (connection, handle, _) =
        rtnetlink::new_connection().context("cannot open a netlink socket")?;
    tokio::spawn(connection);
    Ok(handle)
}

/// The kernel's error, if it was the kernel that refused.
fn errno(error: &rtnetlink::Error) -> Option<i32> {
    if let rtnetlink::Error::NetlinkError(message) = error {
        Some(message.raw_code().abs())
    } else {
        None
    }
}

/// Says what the kernel said, without the protocol around it.
fn explained(error: rtnetlink::Error) -> anyhow::Error {
    match errno(&error) {
        Some(errno) => std::io::Error::from_raw_os_error(errno).into(),
        None => error.into(),
    }
}

/// Whether it was the kernel that refused, for one of these reasons.
fn is_one_of(error: &rtnetlink::Error, errors: &[Errno]) -> bool {
    errno(error).is_some_and(|errno| errors.iter().any(|one| one.raw_os_error() == errno))
}
