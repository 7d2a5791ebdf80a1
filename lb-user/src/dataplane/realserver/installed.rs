//! What is attached to an interface now, by the kernel's word and not by what is pinned.

use std::{fmt, fs, path::Path};

use anyhow::Result;
use aya::programs::{
    TcAttachType,
    links::{FdLink, LinkType, PinnedLink},
};

use super::NAMES;
use crate::{
    dataplane::tc::{EGRESS, INGRESS, Tc, Way},
    net::{Handle, links::Link},
};

/// Where a program is on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingress {
    /// In the driver.
    Xdp,
    Tc(Tc),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    pub ingress: Option<Ingress>,
    pub egress: Option<Tc>,
}

impl Installed {
    /// Looks at an interface whose pins are in `dir`.
    pub async fn on(link: &Link, dir: &Path, netlink: &Handle) -> Result<Self> {
        let way = |hook| Way {
            names: &NAMES,
            link,
            dir,
            hook,
        };
        let ingress = match pinned(&dir.join(INGRESS)) {
            Some((LinkType::Xdp, index)) if index == link.index => Some(Ingress::Xdp),
            Some((LinkType::Tcx, index)) if index == link.index => Some(Ingress::Tc(Tc::Tcx)),
            _ if way(TcAttachType::Ingress).has_filter(netlink).await? => {
                Some(Ingress::Tc(Tc::Clsact))
            }
            _ => None,
        };
        let egress = match pinned(&dir.join(EGRESS)) {
            Some((LinkType::Tcx, index)) if index == link.index => Some(Tc::Tcx),
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

/// The kind of a pinned link, and the interface that it is attached to: none if that is gone.
fn pinned(pin: &Path) -> Option<(LinkType, u32)> {
    let link = FdLink::from(PinnedLink::from_pin(pin).ok()?);
    let info = link.info().ok()?;
    Some((info.link_type().ok()?, interface(info.id())?))
}

/// The interface of a link that this process has open. To ask an interface for its programs takes
/// CAP_SYS_ADMIN.
fn interface(link: u32) -> Option<u32> {
    let field = |text: &str, name: &str| -> Option<u32> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    fs::read_dir("/proc/self/fdinfo")
        .ok()?
        .filter_map(|file| fs::read_to_string(file.ok()?.path()).ok())
        .find(|text| field(text, "link_id:") == Some(link))
        .and_then(|text| field(&text, "ifindex:"))
}
