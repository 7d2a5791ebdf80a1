//! A packet with which more is to be done than to forward it.

use crate::{
    director::{Step, Tables},
    flow_table::{Hit, fingerprint},
    fragments,
    packet::Packet,
    persistence,
    schedule::{Choice, next_turn},
    tables::{Layout, Member, Pick, Record, Service, Site, SlotValue, State, WAYS, Whose, slot_of},
    verifier::unseen,
};

fn is_persistent(service: &Service) -> bool {
    service.options().persistence != 0
}

/// What the rules below all need.
#[repr(C)]
pub struct Arrival {
    pub(crate) packet: Packet,
    /// The [`Choice`], if a slot or a record has told.
    pub(crate) choice: u64,
    pub(crate) hash: u64,
    /// The [`Layout`], and if that has changed the [`SlotValue`], packed: most packets do without
    /// what is in them.
    pub(crate) layout: u64,
    pub(crate) moved: u64,
    pub(crate) now: u64,
}

impl Arrival {
    /// There is a slot, of 49 bits.
    pub(crate) const MOVED: u64 = 1 << 63;

    /// Chooses a member if none is chosen, and has the rest of its datagram, and the client of a
    /// persistent service, come to it.
    pub fn settle<T: Tables>(&self, service: u16, tables: &T) -> Choice {
        let Some(site) = tables.site() else {
            return Choice::OPEN;
        };
        let service = site.service(service);
        let mut choice = Choice(self.choice);
        let mut is_known = choice != Choice::OPEN;
        if self.packet.is_later() {
            choice = Choice::new(fragments::follow(&self.packet, service, tables), false);
        } else if !is_known {
            let set = tables.flow_set(self.hash);
            let hit = set.and_then(|set| set.find(fingerprint(self.hash)));
            choice = hit.map_or(Choice::OPEN, |hit| self.resume(hit, site));
            if choice == Choice::EXPELLED {
                return choice;
            }
            is_known = choice != Choice::OPEN && !choice.is_new();
            if let (Some(set), Some(hit), true) = (set, hit, is_known) {
                let event = self.packet.event();
                let is_noted = !event.is_none() && set.renew(hit, event, self.now as u32);
                if !is_noted && self.packet.is_whole() {
                    return choice;
                }
            } else if choice.is_new() {
                self.record(service, choice.member(), tables);
            } else {
                choice = self.assign(service, site, hit.is_some(), tables);
            }
        }
        let member = choice.member();
        if member == 0 {
            return choice;
        }
        if self.packet.is_first() {
            fragments::lead(&self.packet, member, tables);
        }
        if is_persistent(service) && !self.packet.event().is_none() {
            // A datagram is not the first if its flow had a record.
            let lasting = !self.begins() || self.packet.event().is_datagram() && is_known;
            persistence::note(&self.packet, service, member, lasting, (site, tables));
        }
        choice
    }

    /// Goes on with a record, if the packet is of the same connection and its member can be sent to.
    ///
    /// A SYN after the end of a connection begins another; so does a datagram after its time-out.
    /// A segment after it does not: the client still holds the connection. While tables are copied
    /// the next connection has the member of the one before, whose record may be in either of them.
    #[inline(always)] // A part of `settle`, which has a frame.
    fn resume(&self, hit: Hit, site: &Site) -> Choice {
        let record = hit.record;
        let member = site.member(record.member);
        let is_expelled = member.is(Member::EXPELLED);
        if self.begins() {
            let timeouts = &site.settings.timeouts;
            if is_expelled || record.has_expired(self.now as u32, timeouts) {
                return Choice::OPEN;
            }
            if record.state.is_over() {
                let stays = site.settings.frozen.load() & u64::from(member.link().is_some());
                // Without a branch, which the verifier would follow.
                let (open, stay) = (Choice::OPEN.0, Choice::new(record.member, true).0);
                return Choice(open ^ (open ^ stay) & unseen(stays).wrapping_neg());
            }
        }
        if is_expelled {
            return Choice::EXPELLED;
        }
        match member.link() {
            Some(_) => Choice::new(record.member, false),
            None => Choice::OPEN,
        }
    }

    /// Assigns a member to the flow, 0 if there is none.
    ///
    /// Without `moved` every flow has a record, so a change of members touches none of them. With
    /// it the slot's member has changed, and flows from before it keep the member they had.
    #[inline(always)] // As `resume`.
    fn assign<T: Tables>(
        &self,
        service: &Service,
        site: &Site,
        has_record: bool,
        tables: &T,
    ) -> Choice {
        let begins = self.packet.event().is_syn();
        let is_about = self.packet.event().is_none();
        let slot = SlotValue::unpack(self.moved & !Self::MOVED);
        let (member, new, recorded) = match self.moved != 0 {
            false if is_about => match Layout::unpack(service.before.load()).slots {
                0 => return Choice::OPEN,
                // The flow is older than the tracking.
                _ => (self.pick(service, site, tables), false, false),
            },
            true if is_about => (slot.base, false, false),
            false => (self.tracked(service, site, tables), true, true),
            true if slot.current == slot.base => (slot.current, begins, has_record),
            true if begins => (slot.current, true, true),
            true => (slot.base, false, true),
        };
        if recorded && member != 0 {
            self.record(service, member, tables);
        }
        Choice::new(member, new)
    }

    fn record<T: Tables>(&self, service: &Service, member: u32, tables: &T) {
        let state = State::first(self.packet.event());
        let now = self.now as u32;
        let record = Record::new(fingerprint(self.hash), member, now, state).pack();
        let way = tables.enter(self.hash, record, now);
        if way < WAYS {
            let flow = &self.packet.flow;
            let whose = Whose {
                client: flow.client,
                kind: flow.kind(),
                service: service.chain().id,
            };
            tables.note(self.hash, way, &whose);
        }
    }

    /// Picks the member of a flow of a tracked service: where its client, or the rest of its
    /// datagram, has gone, else the next one's. A flow from before the tracking has its member.
    fn tracked<T: Tables>(&self, service: &Service, site: &Site, tables: &T) -> u32 {
        let owner = service.chain().owner;
        let mut member = 0;
        let is_older = !self.begins() && service.before.load() != 0;
        if is_persistent(service) && !is_older {
            member = persistence::find(&self.packet, service, site, tables);
        } else if !self.packet.is_whole() {
            let led = fragments::led(&self.packet, tables);
            member = if site.member(led).service() == owner {
                led
            } else {
                0
            };
        }
        if member == 0 {
            member = self.pick(service, site, tables);
        }
        member
    }

    /// Whether it is a first packet, as far as it tells.
    fn begins(&self) -> bool {
        let event = self.packet.event();
        event.is_syn() || event.is_datagram()
    }

    /// Picks the member of a flow that has no record; 0 if there is none.
    fn pick<T: Tables>(&self, service: &Service, site: &Site, tables: &T) -> u32 {
        let begins = self.begins();
        // A connection first seen in its middle takes no turn: its hash is what the directors of a
        // site agree on, and what tells its member if the service was not tracked before.
        let before = Layout::unpack(service.before.load());
        let Layout {
            first, slots, pick, ..
        } = if begins || before.slots == 0 {
            Layout::unpack(self.layout)
        } else {
            before
        };
        if slots == 0 {
            return 0;
        }
        let index = if begins && pick == Pick::Turn {
            let owner = site.service(service.chain().owner);
            next_turn(owner, slots)
        } else {
            slot_of(pick.hash(&self.packet.flow, service.seed), slots)
        };
        let slot = SlotValue::unpack(site.slot(first + index).load());
        tables.took(Step::Slot(first + index));
        match slot.base {
            base if !begins && base != 0 => base,
            _ => slot.current,
        }
    }
}
