//! Detaching: nothing is left of what was attached.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use aya::programs::TcAttachType;

use super::{
    CLSACT, EGRESS, INGRESS, Names,
    way::{Way, remove},
};
use crate::net::{Handle, clsact, links::Link};

/// Detaches what is attached to an interface, if it still is there, and removes its pins.
pub(in crate::dataplane) async fn detach(
    names: &'static Names,
    dir: &Path,
    link: Option<&Link>,
    netlink: &Handle,
) -> Result<()> {
    for pin in [INGRESS, EGRESS] {
        remove(&dir.join(pin))?;
    }
    if let Some(link) = link {
        for hook in [TcAttachType::Ingress, TcAttachType::Egress] {
            let way = Way {
                names,
                link,
                dir,
                hook,
            };
            if way.has_filter(netlink).await? {
                way.remove_filter()?;
            }
        }
        if dir.join(CLSACT).exists() {
            clsact::remove_if_empty(netlink, link.index).await?;
        }
    }
    let entries = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        } else {
            remove(&path)?;
        }
    }
    fs::remove_dir(dir).with_context(|| format!("cannot remove {}", dir.display()))
}
