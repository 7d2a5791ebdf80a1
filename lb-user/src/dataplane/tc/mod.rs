//! Programs at the tc hooks of an interface: by links (TCX), or, before Linux 6.6, as filters of a
//! clsact qdisc.
//!
//! In the interface's directory lie `ingress` and `egress`, the links, which hold the programs; or
//! `ingress-filter` and `egress-filter`, the programs, and `clsact`, an empty directory, if the qdisc
//! is ours.

mod detach;
mod filter;
mod way;

use std::fmt;

use aya::programs::{ProgramError, xdp::XdpError};
use rustix::io::Errno;

pub(super) use self::{detach::detach, way::Way};

pub(super) const INGRESS: &str = "ingress";
pub(super) const EGRESS: &str = "egress";
const CLSACT: &str = "clsact";

/// What the programs of an object's two ways are called, and which filters are theirs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    pub(super) ingress: &'static str,
    pub(super) egress: &'static str,
    /// The minor number of the filters' handle.
    pub(super) filter: u16,
}

/// How a program is attached to tc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tc {
    Tcx,
    Clsact,
}

/// As operators name them.
impl fmt::Display for Tc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        })
    }
}

/// What the kernel said, if it was the kernel.
pub(super) fn errno(error: &ProgramError) -> Option<Errno> {
    let code = if let ProgramError::SyscallError(error) = error {
        error.io_error.raw_os_error()
    } else if let ProgramError::XdpError(XdpError::NetlinkError(error)) = error {
        error.raw_os_error()
    } else {
        None
    };
    code.map(Errno::from_raw_os_error)
}
