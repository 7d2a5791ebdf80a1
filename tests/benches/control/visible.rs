//! When a change is visible to packets: a service's slots as they lie in the pinned tables.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use lb_common::{
    shared::Shared,
    tables::{Layout, Site},
};
use lb_user::{
    dataplane::director::{Director, Mapped},
    service::ServiceName,
};

/// Between two looks.
const PAUSE: Duration = Duration::from_micros(20);
/// After which it is not waited for any more.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Slots {
    site: Mapped<Site>,
    id: usize,
}

impl Slots {
    /// Finds a service in the tables pinned below `pins`.
    pub(crate) fn of(service: ServiceName, pins: &Path) -> Result<Self> {
        let site = Director::site_below(pins)?.context("no tables")?;
        let destination = service.destination();
        let mut ids = site[0].services.iter();
        let id = ids.position(|service| service.is_at(&destination));
        Ok(Self {
            id: id.with_context(|| format!("{service} is not in the tables"))?,
            site,
        })
    }

    /// Takes note of what packets find now.
    pub(crate) fn changed(&self) -> Watch<'_> {
        Watch {
            slots: self,
            before: self.now().collect(),
        }
    }

    fn now(&self) -> impl Iterator<Item = u64> {
        let layout = self.site[0].services[self.id].layout.load();
        let Layout { first, slots, .. } = Layout::unpack(layout);
        let slots = self.site[0].slots[first as usize..][..slots as usize].iter();
        std::iter::once(layout).chain(slots.map(Shared::load))
    }
}

/// What the slots were.
pub(crate) struct Watch<'s> {
    slots: &'s Slots,
    before: Vec<u64>,
}

impl Watch<'_> {
    /// Waits until they are others.
    pub(crate) fn wait(&self) -> Result<Instant> {
        let begun = Instant::now();
        while self.slots.now().eq(self.before.iter().copied()) {
            ensure!(begun.elapsed() < LIMIT, "a change is not seen in the slots");
            // The daemon may need this CPU.
            thread::sleep(PAUSE);
        }
        Ok(Instant::now())
    }
}
