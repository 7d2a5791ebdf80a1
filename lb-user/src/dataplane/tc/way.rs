//! One way of one interface, in or out, and its pins.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use aya::programs::{
    LinkOrder, SchedClassifier, TcAttachType,
    links::{FdLink, PinnedLink},
    tc::TcAttachOptions,
};
use rustix::io::Errno;

use super::{EGRESS, INGRESS, Names, Tc, errno};
use crate::net::links::Link;

pub(in crate::dataplane) struct Way<'a> {
    pub(in crate::dataplane) names: &'static Names,
    pub(in crate::dataplane) link: &'a Link,
    pub(in crate::dataplane) dir: &'a Path,
    pub(in crate::dataplane) hook: TcAttachType,
}

impl Way<'_> {
    pub(super) fn is_way_in(&self) -> bool {
        self.hook == TcAttachType::Ingress
    }

    pub(in crate::dataplane) fn program(&self) -> &'static str {
        if self.is_way_in() {
            self.names.ingress
        } else {
            self.names.egress
        }
    }

    /// Attaches the program, or puts it in the place of what is there. A link that lives is updated
    /// in place: there is no moment without a program.
    pub(in crate::dataplane) fn attach(
        &self,
        program: &mut SchedClassifier,
        before: Option<Tc>,
    ) -> Result<Tc> {
        if before == Some(Tc::Tcx) {
            let old = PinnedLink::from_pin(self.pin())?;
            program.attach_to_link(FdLink::from(old).try_into()?)?;
            return Ok(Tc::Tcx);
        }
        // First: whoever comes before could wave a frame through.
        let options = TcAttachOptions::TcxOrder(LinkOrder::first());
        match program.attach_with_options(&self.link.name, self.hook, options) {
            Ok(id) => {
                self.publish(program.take_link(id)?.try_into()?)?;
                Ok(Tc::Tcx)
            }
            // There is no such hook before Linux 6.6.
            Err(error) if errno(&error) == Some(Errno::INVAL) => {
                self.put_filter(program, before == Some(Tc::Clsact))?;
                Ok(Tc::Clsact)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(in crate::dataplane) fn pin(&self) -> PathBuf {
        self.dir
            .join(if self.is_way_in() { INGRESS } else { EGRESS })
    }

    /// Pins a link in the place of the one that may be there, which then detaches.
    pub(in crate::dataplane) fn publish(&self, link: FdLink) -> Result<()> {
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
