//! A program as a filter of the clsact qdisc, for kernels that have no links at tc (before 6.6).
//!
//! A filter holds its program, but nothing says whose it is: the program is pinned beside, and our
//! filter is the one in our place with that program.

use std::{mem, path::PathBuf};

use anyhow::{Context as _, Result};
use aya::programs::{
    Link as _, ProgramInfo, SchedClassifier,
    tc::{self, NlOptions, SchedClassifierLink, TcAttachOptions, TcError, TcHandle},
};
use rustix::io::Errno;

use super::{
    CLSACT,
    way::{Way, remove, rename},
};
use crate::{
    dataplane::pins::make_dir,
    net::{
        Handle,
        clsact::{self, Direction},
    },
};

/// Where our filters are among those of a clsact qdisc: first, as others may end the search.
const PRIORITY: u16 = 1;

impl Way<'_> {
    /// Whether our filter is there.
    pub(in crate::dataplane) async fn has_filter(&self, netlink: &Handle) -> Result<bool> {
        let direction = if self.is_way_in() {
            Direction::Ingress
        } else {
            Direction::Egress
        };
        // A command that was killed may have left the newer pin aside.
        let pins = [self.filter_pin(), self.dir.join("new")];
        let programs: Vec<u32> = pins
            .iter()
            .filter_map(|pin| Some(ProgramInfo::from_pin(pin).ok()?.id()))
            .collect();
        let filters = clsact::filters(netlink, self.link.index, direction).await?;
        Ok(filters.iter().any(|filter| {
            filter.priority == PRIORITY
                && filter.handle == u32::from(self.handle())
                && programs.contains(&filter.program)
        }))
    }

    /// Makes the program the filter, in the place of ours if that is there. A link of this way goes.
    pub(super) fn put_filter(&self, program: &mut SchedClassifier, is_there: bool) -> Result<()> {
        let name = &self.link.name;
        let aside = self.aside()?;
        program
            .pin(&aside)
            .with_context(|| format!("cannot pin the program {}", aside.display()))?;
        let id = if is_there {
            program.attach_to_link(self.attached_filter()?)?
        } else {
            match tc::qdisc_add_clsact(name) {
                Ok(()) => make_dir(&self.dir.join(CLSACT))?,
                Err(TcError::NetlinkError(error))
                    if error.raw_os_error() == Some(Errno::EXIST.raw_os_error()) => {}
                Err(error) => return Err(error).context("cannot add the clsact qdisc"),
            }
            let options = NlOptions {
                priority: PRIORITY,
                handle: self.handle(),
                classid: None,
            };
            let options = TcAttachOptions::Netlink(options);
            program.attach_with_options(name, self.hook, options)?
        };
        // Dropped, it would detach.
        mem::forget(program.take_link(id)?);
        rename(&aside, &self.filter_pin())?;
        remove(&self.pin())
    }

    pub(in crate::dataplane) fn remove_filter(&self) -> Result<()> {
        let removed = self.attached_filter()?.detach();
        removed.with_context(|| {
            let name = &self.link.name;
            format!("cannot remove the filter {} of {name}", self.program())
        })?;
        remove(&self.filter_pin())
    }

    fn attached_filter(&self) -> Result<SchedClassifierLink> {
        SchedClassifierLink::attached(&self.link.name, self.hook, PRIORITY, self.handle(), None)
            .with_context(|| format!("cannot find the filter of {}", self.link.name))
    }

    fn handle(&self) -> TcHandle {
        TcHandle::new(0, self.names.filter)
    }

    fn filter_pin(&self) -> PathBuf {
        self.dir.join(if self.is_way_in() {
            "ingress-filter"
        } else {
            "egress-filter"
        })
    }
}
