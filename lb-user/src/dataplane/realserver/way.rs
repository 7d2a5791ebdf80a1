//! One way of one interface, in or out: where its link is pinned, and its filter if there are no links.

use std::{
    fs, io, mem,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use aya::programs::{
    SchedClassifier, TcAttachType,
    links::FdLink,
    tc::{self, NlOptions, SchedClassifierLink, TcAttachOptions, TcError, TcHandle},
};
use rustix::io::Errno;

use super::{
    CLSACT, EGRESS, INGRESS,
    hooks::{EGRESS_TC, INGRESS_TC},
};
use crate::{dataplane::pins::make_dir, net::links::Link};

/// Where our filters are among those of a clsact qdisc: first, as others may end the search.
const PRIORITY: u16 = 1;
const HANDLE: TcHandle = TcHandle::new(0, 0xd0);

pub(super) struct Way<'a> {
    pub(super) link: &'a Link,
    pub(super) dir: &'a Path,
    pub(super) hook: TcAttachType,
}

impl Way<'_> {
    fn is_way_in(&self) -> bool {
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
        let pin = self.pin();
        let aside = pin.with_file_name("new");
        remove(&aside)?;
        link.pin(&aside)
            .with_context(|| format!("cannot pin the link {}", aside.display()))?;
        fs::rename(&aside, &pin).with_context(|| format!("cannot pin the link {}", pin.display()))
    }

    /// Makes the program a filter of the clsact qdisc, or replaces the one that is there.
    pub(super) fn filter(&self, program: &mut SchedClassifier, is_there: bool) -> Result<()> {
        let name = &self.link.name;
        if is_there {
            let old = SchedClassifierLink::attached(name, self.hook, PRIORITY, HANDLE, None)?;
            let id = program.attach_to_link(old)?;
            mem::forget(program.take_link(id)?);
            return Ok(());
        }
        match tc::qdisc_add_clsact(name) {
            Ok(()) => make_dir(&self.dir.join(CLSACT))?,
            Err(TcError::NetlinkError(error))
                if error.raw_os_error() == Some(Errno::EXIST.raw_os_error()) => {}
            Err(error) => return Err(error).context("cannot add the clsact qdisc"),
        }
        let options = NlOptions {
            priority: PRIORITY,
            handle: HANDLE,
            classid: None,
        };
        let options = TcAttachOptions::Netlink(options);
        let id = program.attach_with_options(name, self.hook, options)?;
        // Dropped, it would detach; there is nothing that could be pinned.
        mem::forget(program.take_link(id)?);
        remove(&self.pin())
    }

    pub(super) fn remove_filter(&self) -> Result<()> {
        let (name, program) = (&self.link.name, self.program());
        match tc::qdisc_detach_program(name, self.hook, program) {
            Ok(()) => Ok(()),
            Err(TcError::IoError(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => {
                Err(error).with_context(|| format!("cannot remove the filter {program} of {name}"))
            }
        }
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
