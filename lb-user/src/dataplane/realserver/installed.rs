//! What is attached to an interface now, by the kernel's word and not by what is pinned.

use std::{fmt, path::Path};

use anyhow::Result;
use aya::programs::{
    SchedClassifier, TcAttachType,
    links::{FdLink, LinkType, PinnedLink},
};

use super::{EGRESS, INGRESS, way::Way};
use crate::net::{Handle, links::Link};

/// Where a program is on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingress {
    /// In the driver.
    Xdp,
    Tc(Tc),
}

/// How a program is attached to tc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tc {
    Tcx,
    Clsact,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    pub ingress: Option<Ingress>,
    pub egress: Option<Tc>,
}

impl Installed {
    /// Looks at an interface whose pins are in `dir`.
    pub async fn on(link: &Link, dir: &Path, netlink: &Handle) -> Result<Self> {
        let way = |hook| Way { link, dir, hook };
        let ingress = match pinned(&dir.join(INGRESS)) {
            Some((LinkType::Xdp, program)) if has_xdp(link, program) => Some(Ingress::Xdp),
            Some((LinkType::Tcx, program)) if has_tcx(link, TcAttachType::Ingress, program) => {
                Some(Ingress::Tc(Tc::Tcx))
            }
            _ if way(TcAttachType::Ingress).has_filter(netlink).await? => {
                Some(Ingress::Tc(Tc::Clsact))
            }
            _ => None,
        };
        let egress = match pinned(&dir.join(EGRESS)) {
            Some((LinkType::Tcx, program)) if has_tcx(link, TcAttachType::Egress, program) => {
                Some(Tc::Tcx)
            }
            _ if way(TcAttachType::Egress).has_filter(netlink).await? => Some(Tc::Clsact),
            _ => None,
        };
        Ok(Self { ingress, egress })
    }
}

/// As operators name them.
impl fmt::Display for Ingress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xdp => f.pad("xdp"),
            Self::Tc(tc) => tc.fmt(f),
        }
    }
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

/// The kind of a pinned link, and its program.
fn pinned(pin: &Path) -> Option<(LinkType, u32)> {
    let link = FdLink::from(PinnedLink::from_pin(pin).ok()?);
    let info = link.info().ok()?;
    Some((info.link_type().ok()?, info.program_id()))
}

/// Whether the program is in the driver of this interface.
fn has_xdp(link: &Link, program: u32) -> bool {
    link.xdp
        .is_some_and(|xdp| xdp.is_native && xdp.program == program)
}

/// Whether the program is at a hook of this interface; a link outlives its interface.
fn has_tcx(link: &Link, hook: TcAttachType, program: u32) -> bool {
    SchedClassifier::query_tcx(&link.name, hook)
        .is_ok_and(|(_, programs)| programs.iter().any(|info| info.id() == program))
}
