//! Which real server a packet is for, how that is, and by which slot.

use lb_common::tables::{Layout, Member, Pick, Service as Found};

use super::Told;

impl Told<'_> {
    pub(super) fn slot(&self, found: &Found) -> Option<String> {
        let Some((index, value)) = self.run.slot else {
            let is_chosen = self.run.member.is_some_and(|id| id != 0);
            return is_chosen.then(|| "not asked, as the record tells".to_owned());
        };
        let layouts = [&found.layout, &found.before].map(|it| Layout::unpack(it.load()));
        let is_in = |it: &&Layout| (it.first..it.first + it.slots).contains(&index);
        let layout = layouts.iter().find(is_in)?;
        let [current, base] = [value.current, value.base].map(|id| self.name_of(id));
        let state = match value.current == value.base {
            true if value.is_clean() => "clean".to_owned(),
            true => "clean but for the records there are".to_owned(),
            false => format!("moving: new connections to {current}, older ones to {base}"),
        };
        let turn = match layout.pick {
            Pick::Turn => ", in turn",
            Pick::Flow | Pick::Client | Pick::Destination => "",
        };
        let slot = index - layout.first;
        Some(format!("{slot} of {}{turn}, {state}", layout.slots))
    }

    pub(super) fn member(&self, id: u32) -> String {
        if id == 0 {
            return "nobody".to_owned();
        }
        let name = self.name_of(id);
        let (Some(service), Some(real)) = (self.service, self.real(id)) else {
            return name;
        };
        let is_removed = self.tables.members[id as usize].is(Member::REMOVED);
        let (state, why) = match is_removed {
            true => self.engine.draining(service, real),
            false => self.engine.state_of(service, real),
        };
        let mut reals = service.reals.iter();
        let weight = reals.find(|it| it.address == real);
        let weight = weight.map_or_else(String::new, |it| format!(", weight {}", it.weight));
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        format!("{name}{weight}, {state}{why}")
    }

    pub(super) fn mac(&self, id: u32) -> String {
        let member = &self.tables.members[id as usize];
        let Some(link) = member.link() else {
            return "not known".to_owned();
        };
        let vlan = match link.vlan.number() {
            0 => String::new(),
            vlan => format!(", VLAN {vlan}"),
        };
        format!("{}, {}{vlan}", link.mac, self.interface(member.interface()))
    }
}
