//! Which member a service's packet goes to.
//!
//! A clean slot tells by itself. Everything else starts from the flow's record: of a flow that
//! lived through a change of members, or of any flow of a tracked service.

use crate::{
    director::Tables,
    flow_table::{Hit, fingerprint},
    packet::{Event, Packet},
    reason::Reason,
    tables::{FlowSet, Layout, Member, Pick, Record, Service, SlotValue, State, slot_of},
};

/// A member chosen for a packet.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'t> {
    pub id: u32,
    pub member: &'t Member,
    /// Whether the packet begins a flow.
    pub new: bool,
}

impl<'t> Choice<'t> {
    /// Member 0 is none: nobody takes new flows.
    fn of<T: Tables>(id: u32, new: bool, service: &Service, tables: &'t T) -> Result<Self, Reason> {
        if id == 0 {
            return Err(match service.drops() {
                true => Reason::NoMember,
                false => Reason::Refused,
            });
        }
        let member = tables.member(id).ok_or(Reason::NoMember)?;
        Ok(Self { id, member, new })
    }
}

pub fn choose<'t, T: Tables>(
    packet: &Packet,
    service: &Service,
    tables: &'t T,
) -> Result<Choice<'t>, Reason> {
    let word = service.layout.load();
    let layout = Layout::unpack(word);
    let mut moved = None;
    if !layout.tracked && layout.slots != 0 {
        let key = layout.pick.hash(&packet.flow, service.seed);
        let index = layout.first + slot_of(key, layout.slots);
        let slot = tables.slot(index).ok_or(Reason::NoMember)?.load();
        let value = SlotValue::unpack(slot);
        if value.is_clean() {
            return Choice::of(value.current, packet.event.is_syn(), service, tables);
        }
        moved = Some(slot);
    }
    let hash = packet.flow.hash(service.seed);
    let now = tables.now();
    let set = tables.flow_set(hash).ok_or(Reason::NoMember)?;
    let hit = set.find(fingerprint(hash));
    if let Some(hit) = hit
        && let Some(choice) = continued(hit, packet.event, now, tables)
    {
        if !packet.event.is_error() {
            set.renew(hit, packet.event, now);
        }
        return Ok(choice);
    }
    let arrival = Arrival {
        packet,
        hash,
        service,
        layout: word,
        moved,
        now,
        set,
    };
    let (id, new) = arrival.assign(hit.is_some(), tables)?;
    Choice::of(id, new, service, tables)
}

/// Returns the member of the flow's record, if the packet is of the same connection and the member
/// can be sent to.
///
/// A SYN after the end of a connection begins another; so does a datagram after its time-out.
/// A segment after it does not: the client still holds the connection.
fn continued<'t, T: Tables>(hit: Hit, event: Event, now: u32, tables: &'t T) -> Option<Choice<'t>> {
    let record = hit.record;
    if event.is_syn() || event.is_datagram() {
        let timeouts = &tables.settings()?.timeouts;
        if record.state.is_over() || record.has_expired(now, timeouts) {
            return None;
        }
    }
    let member = tables.member(record.member)?;
    member.mac()?;
    Some(Choice {
        id: record.member,
        member,
        new: false,
    })
}

/// A packet that neither a slot nor a record tells the member of: what the rules below all need.
struct Arrival<'t> {
    packet: &'t Packet,
    hash: u64,
    service: &'t Service,
    /// The [`Layout`] and, if it has changed, the [`SlotValue`], packed: most packets do without
    /// what is in them.
    layout: u64,
    moved: Option<u64>,
    now: u32,
    set: &'t FlowSet,
}

impl Arrival<'_> {
    /// Assigns a member to the flow, 0 if there is none, and tells whether the flow begins. It may
    /// have a record that is of no more use.
    ///
    /// Without `moved` every flow has a record, so a change of members touches none of them. With
    /// it the slot's member has changed, and flows from before it keep the member they had.
    fn assign<T: Tables>(&self, has_record: bool, tables: &T) -> Result<(u32, bool), Reason> {
        let begins = self.packet.event.is_syn();
        let (member, new, recorded) = match self.moved.map(SlotValue::unpack) {
            None if self.packet.event.is_error() => (self.untracked(tables)?, false, false),
            Some(slot) if self.packet.event.is_error() => (slot.base, false, false),
            None => (self.pick(tables), true, true),
            Some(slot) if slot.current == slot.base => (slot.current, begins, has_record),
            Some(slot) if begins => (slot.current, true, true),
            Some(slot) => (slot.base, false, true),
        };
        if recorded && member != 0 {
            self.record(member, tables);
        }
        Ok((member, new))
    }

    fn record<T: Tables>(&self, member: u32, tables: &T) {
        let fingerprint = fingerprint(self.hash);
        let state = State::first(self.packet.event);
        let record = Record::new(fingerprint, member, self.now, state);
        if let Some(hit) = self.set.find(fingerprint) {
            self.set.replace(hit, record);
        } else if let Some(settings) = tables.settings() {
            // A set full of established flows costs this one its record, not its packet.
            self.set
                .enter(fingerprint, record, self.now, &settings.timeouts);
        }
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
        let event = self.packet.event;
        let begins = event.is_syn() || event.is_datagram();
        // A connection first seen in its middle takes no turn: its hash is what the directors of a
        // site agree on, and what tells its member if the service was not tracked before.
        let before = Layout::unpack(self.service.before.load());
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
            (self.service.cursor.increment() % u64::from(slots)) as u32
        } else {
            slot_of(pick.hash(&self.packet.flow, self.service.seed), slots)
        };
        let slot = tables.slot(first + index);
        match slot.map(|slot| SlotValue::unpack(slot.load())) {
            Some(slot) if !begins && slot.base != 0 => slot.base,
            Some(slot) => slot.current,
            None => 0,
        }
    }
}
