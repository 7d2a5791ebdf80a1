//! One way of one interface, in or out, and its pins.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use aya::programs::{TcAttachType, links::FdLink};

use super::{
    EGRESS, INGRESS,
    hooks::{EGRESS_TC, INGRESS_TC},
};
use crate::net::links::Link;

pub(super) struct Way<'a> {
    pub(super) link: &'a Link,
    pub(super) dir: &'a Path,
    pub(super) hook: TcAttachType,
}

impl Way<'_> {
    pub(super) fn is_way_in(&self) -> bool {
        self.hook == TcAttachType::Ingress
    }

    pub(super) fn program(&self) -> &'static str {
        if self.is_way_in() {
            INGRESS_TC
        } else {
            EGRESS_TC
        }
    }

    pub(super) fn pin(&self) -> PathBuf {
        self.dir
            .join(if self.is_way_in() { INGRESS } else { EGRESS })
    }

    /// Pins a link in the place of the one that may be there, which then detaches.
    pub(super) fn publish(&self, link: FdLink) -> Result<()> {
        let aside = self.aside()?;
        link.pin(&aside)
            .with_context(|| format!("cannot pin the link {}", aside.display()))?;
        rename(&aside, &self.pin())
    }

    /// Where a pin is made that is to replace another; nothing is there.
    pub(super) fn aside(&self) -> Result<PathBuf> {
        let aside = self.dir.join("new");
        remove(&aside)?;
        Ok(aside)
    }
}

/// Removes a pin, if it is there.
pub(super) fn remove(pin: &Path) -> Result<()> {
    match fs::remove_file(pin) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove the pin {}", pin.display()))
        }
        _ => Ok(()),
    }
}

pub(super) fn rename(aside: &Path, pin: &Path) -> Result<()> {
    fs::rename(aside, pin).with_context(|| format!("cannot put the pin {}", pin.display()))
}
