//! When nothing has changed and nobody has sent for a while, nothing of the past is left.

use lb_common::tables::{Layout, SlotValue};
use lb_user::install::Installed;

use super::{LIMITS, SERVICES, Served, Trial};
use crate::site::{ESTABLISHED, Site};

impl Trial {
    pub(crate) fn end(&mut self) {
        for _ in 0..2 {
            self.site.pass(ESTABLISHED + 1);
            self.sweep();
        }
        let mut members = 1;
        let mut slots = 0;
        for served in &self.services {
            members += served.reals.len();
            slots += served.end(&mut self.site);
        }
        let site = &self.site;
        assert_eq!(site.usage.flows, 0, "records");
        let spare = site.installed.spare();
        let services = LIMITS.services - 1 - SERVICES.len();
        assert_eq!(spare.services, services, "services");
        assert_eq!(spare.members, LIMITS.members - members, "members");
        assert_eq!(spare.slots, LIMITS.slots as u32 - slots, "slots");
        assert_eq!(Installed::of(&site.tables).spare(), spare, "rebuilt");
    }
}

impl Served {
    /// Returns how many slots it has.
    fn end(&self, site: &mut Site) -> u32 {
        site.name = self.name;
        let reals: Vec<u8> = self.reals.keys().copied().collect();
        assert_eq!(site.members(), reals, "removed members");
        let tables = &site.tables;
        let id = site.installed.service(self.name).unwrap();
        let record = &tables.services[usize::from(id)];
        let Layout { first, slots, .. } = Layout::unpack(record.layout.load());
        let is_clean = |slot: u32| SlotValue::unpack(tables.slots[slot as usize].load()).is_clean();
        assert!((first..first + slots).all(is_clean), "slots");
        assert_eq!((record.before.load(), record.settles.load()), (0, 0));
        slots
    }
}
