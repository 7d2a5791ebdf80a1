//! Which member a service's packet goes to.
//!
//! A clean slot tells by itself. Everything else starts from the flow's record: of a flow that
//! lived through a change of members, or of any flow of a tracked service.

use crate::{
    director::Tables,
    flow_table::{Hit, fingerprint},
    hash::Flow,
    packet::{Event, Packet},
    reason::Reason,
    tables::{FlowSet, Layout, Pick, Record, Service, Settings, SlotValue, State, slot_of},
    wire::Frame,
};

/// A member chosen for a packet.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    pub member: u32,
    /// Whether the packet begins a flow.
    pub new: bool,
}

impl Choice {
    /// Member 0 is none: nobody takes new flows.
    fn of(member: u32, new: bool, service: &Service) -> Result<Self, Reason> {
        match member {
            0 if service.drops() => Err(Reason::NoMember),
            0 => Err(Reason::Refused),
            member => Ok(Self { member, new }),
        }
    }
}

pub fn choose<F: Frame + ?Sized, T: Tables>(
    packet: &Packet,
    service: &Service,
    frame: &F,
    tables: &T,
) -> Result<Choice, Reason> {
    let layout = Layout::unpack(service.layout.load());
    let mut moved = None;
    if !layout.tracked && layout.slots != 0 {
        let key = layout.pick.hash(&packet.flow, service.seed);
        let slot = tables
            .slot(layout.first + slot_of(key, layout.slots))
            .ok_or(Reason::NoMember)?;
        if slot.is_clean() {
            let new = packet.event(frame)? == Event::Syn;
            return Choice::of(slot.current, new, service);
        }
        moved = Some(slot);
    }
    let hash = packet.flow.hash(service.seed);
    let arrival = Arrival {
        event: packet.event(frame)?,
        flow: &packet.flow,
        hash,
        service,
        layout,
        now: tables.now(),
        set: tables.flow_set(hash).ok_or(Reason::NoMember)?,
        settings: tables.settings().ok_or(Reason::NoMember)?,
    };
    arrival.choose(moved, tables)
}

/// A packet on its way through the choice: what the rules below all need.
struct Arrival<'t> {
    event: Event,
    flow: &'t Flow,
    hash: u64,
    service: &'t Service,
    layout: Layout,
    now: u32,
    set: &'t FlowSet,
    settings: &'t Settings,
}

impl Arrival<'_> {
    /// Without `moved` every flow has a record, so a change of members touches none of them. With
    /// it the slot's member has changed, and flows from before it keep the member they had.
    fn choose<T: Tables>(&self, moved: Option<SlotValue>, tables: &T) -> Result<Choice, Reason> {
        let hit = self.set.find(fingerprint(self.hash));
        if let Some(hit) = hit
            && self.continues(hit, tables)
        {
            if self.event != Event::Error {
                self.set.renew(hit, self.event, self.now);
            }
            return Ok(Choice {
                member: hit.record.member,
                new: false,
            });
        }
        let begins = self.event == Event::Syn;
        let (member, new, recorded) = match moved {
            None if self.event == Event::Error => (self.untracked(tables)?, false, false),
            Some(slot) if self.event == Event::Error => (slot.base, false, false),
            None => (self.pick(tables), true, true),
            Some(slot) if slot.current == slot.base => (slot.current, begins, hit.is_some()),
            Some(slot) if begins => (slot.current, true, true),
            Some(slot) => (slot.base, false, true),
        };
        let choice = Choice::of(member, new, self.service)?;
        if recorded {
            self.record(hit, member);
        }
        Ok(choice)
    }

    /// Whether the packet belongs to the connection of `hit`, and its member can be sent to.
    ///
    /// A SYN after the end of a connection begins another; so does a datagram after its time-out.
    /// A segment after it does not: the client still holds the connection.
    fn continues<T: Tables>(&self, hit: Hit, tables: &T) -> bool {
        let record = hit.record;
        let expired = record.has_expired(self.now, &self.settings.timeouts);
        let over = match self.event {
            Event::Syn => record.state.is_over() || expired,
            Event::Datagram => expired,
            Event::Data | Event::Fin | Event::Rst | Event::Error => false,
        };
        let member = tables.member(record.member);
        !over && member.is_some_and(|member| member.mac().is_some())
    }

    fn record(&self, hit: Option<Hit>, member: u32) {
        let fingerprint = fingerprint(self.hash);
        let state = State::first(self.event);
        let record = Record::new(fingerprint, member, self.now, state);
        match hit {
            Some(hit) => self.set.replace(hit, record),
            // A set full of established flows costs this one its record, not its packet.
            None => self
                .set
                .enter(fingerprint, record, self.now, &self.settings.timeouts),
        };
    }

    /// Returns the member that an error is about, if its flow is older than the tracking.
    fn untracked<T: Tables>(&self, tables: &T) -> Result<u32, Reason> {
        match Layout::unpack(self.service.before.load()).slots {
            0 => Err(Reason::NoFlow),
            _ => Ok(self.pick(tables)),
        }
    }

    /// Picks the member of a flow that has no record; 0 if there is none.
    fn pick<T: Tables>(&self, tables: &T) -> u32 {
        let begins = matches!(self.event, Event::Syn | Event::Datagram);
        // A connection first seen in its middle takes no turn: its hash is what the directors of a
        // site agree on, and what tells its member if the service was not tracked before.
        let before = Layout::unpack(self.service.before.load());
        let Layout {
            first, slots, pick, ..
        } = if begins || before.slots == 0 {
            self.layout
        } else {
            before
        };
        if slots == 0 {
            return 0;
        }
        let index = if begins && pick == Pick::Turn {
            (self.service.cursor.increment() % u64::from(slots)) as u32
        } else {
            slot_of(pick.hash(self.flow, self.service.seed), slots)
        };
        match tables.slot(first + index) {
            Some(slot) if !begins && slot.base != 0 => slot.base,
            Some(slot) => slot.current,
            None => 0,
        }
    }
}
