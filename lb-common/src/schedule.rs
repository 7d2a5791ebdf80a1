//! Which member a service's packet goes to.
//!
//! A clean slot tells by itself. Everything else starts from the flow's record: of a flow that
//! lived through a change of members, or of any flow of a tracked service.

use crate::{
    director::Tables,
    flow_table::{Hit, fingerprint},
    fragments,
    packet::{Event, Packet},
    persistence,
    reason::Reason,
    tables::{Layout, Member, Pick, Record, Service, Site, SlotValue, State, WAYS, slot_of},
    verifier::forgotten,
};

/// A member chosen for a packet, and above its 24 bits whether the packet begins a flow.
///
/// One word, as a BPF function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice(pub u64);

impl Choice {
    const NEW: u64 = 1 << 32;
    /// None yet; or nobody knows.
    const OPEN: Self = Self(1 << 33);

    pub(crate) fn new(member: u32, begins: bool) -> Self {
        Self(u64::from(member) | if begins { Self::NEW } else { 0 })
    }

    pub fn member(self) -> u32 {
        self.0 as u32
    }

    pub fn is_new(self) -> bool {
        self.0 & Self::NEW != 0
    }
}

/// Chooses the member of a packet, 0 if there is none.
#[inline(always)] // Else its answer goes through memory.
pub fn choose<T: Tables>(
    packet: &Packet,
    service: &Service,
    site: &Site,
    tables: &T,
) -> Result<Choice, Reason> {
    let word = service.layout.load();
    let layout = Layout::unpack(word);
    let mut choice = Choice::OPEN;
    let mut moved = 0;
    if Layout::is_by_slots(word) && !packet.is_later() {
        let index = match layout.pick {
            // Before the others, and without their masks.
            Pick::Flow => slot_of(packet.flow.hash(service.seed), layout.slots),
            Pick::Turn => turn(packet, service, layout.slots, site)?,
            pick @ (Pick::Client | Pick::Destination) => {
                slot_of(pick.hash(&packet.flow, service.seed), layout.slots)
            }
        };
        let slot = site.slot(layout.first + index).load();
        if let Some(member) = SlotValue::clean_member(slot) {
            choice = Choice::new(member, packet.event().is_syn());
            if packet.is_whole() {
                return Ok(choice);
            }
        }
        moved = slot | Arrival::MOVED;
    }
    let hash = packet.flow.hash(service.seed);
    let moved = forgotten(moved, hash);
    let now = tables.now();
    let event = packet.event();
    let mut has_record = false;
    if choice == Choice::OPEN && !packet.is_later() {
        let set = tables.flow_set(hash).ok_or(Reason::NoMember)?;
        let hit = set.find(fingerprint(hash));
        has_record = hit.is_some();
        if let Some(hit) = hit
            && continues(hit, event, now, site)?
        {
            choice = Choice::new(hit.record.member, false);
            let is_noted = !event.is_none() && set.renew(hit, event, now);
            if packet.is_whole() && !(is_noted && is_persistent(service)) {
                return Ok(choice);
            }
        }
    }
    // One place, and a copy: what a function is told of by its address is in memory.
    let arrival = Arrival {
        packet: *packet,
        choice: choice.0,
        hash,
        layout: word,
        moved,
        now: now.into(),
        has_record: has_record.into(),
    };
    match tables.settle(&arrival, service.chain().owner) {
        Choice::OPEN => Err(Reason::NoFlow),
        choice => Ok(choice),
    }
}

fn is_persistent(service: &Service) -> bool {
    service.options().persistence != 0
}

/// Takes a service's next turn: one-packet scheduling, so whose an error is nobody knows.
fn turn(packet: &Packet, service: &Service, slots: u32, site: &Site) -> Result<u32, Reason> {
    if packet.event().is_none() {
        return Err(Reason::NoFlow);
    }
    let owner = site.service(service.chain().owner);
    Ok(next_turn(owner, slots))
}

/// Of no slots, which there never are, the first.
fn next_turn(owner: &Service, slots: u32) -> u32 {
    let turn = owner.cursor.increment();
    turn.checked_rem(slots.into()).unwrap_or(0) as u32
}

/// Whether the packet is of the same connection as the record, and its member can be sent to.
///
/// A SYN after the end of a connection begins another; so does a datagram after its time-out.
/// A segment after it does not: the client still holds the connection.
fn continues(hit: Hit, event: Event, now: u32, site: &Site) -> Result<bool, Reason> {
    let record = hit.record;
    let member = site.member(record.member);
    let is_expelled = member.is(Member::EXPELLED);
    if event.is_syn() || event.is_datagram() {
        let timeouts = &site.settings.timeouts;
        if is_expelled || record.state.is_over() || record.has_expired(now, timeouts) {
            return Ok(false);
        }
    }
    if is_expelled {
        return Err(Reason::Expelled);
    }
    Ok(member.link().is_some())
}

/// A packet with which more is to be done than to forward it: what the rules below all need.
#[repr(C)]
pub struct Arrival {
    packet: Packet,
    /// The [`Choice`], if a slot or a record has told.
    choice: u64,
    hash: u64,
    /// The [`Layout`], and if that has changed the [`SlotValue`], packed: most packets do without
    /// what is in them.
    layout: u64,
    moved: u64,
    now: u64,
    /// Whether it has a record, which is of no more use.
    has_record: u64,
}

impl Arrival {
    /// There is a slot, of 49 bits.
    const MOVED: u64 = 1 << 63;

    /// Chooses a member if none is chosen, and has the rest of its datagram, and the client of a
    /// persistent service, come to it.
    pub fn settle<T: Tables>(&self, service: u16, tables: &T) -> Choice {
        let Some(site) = tables.site() else {
            return Choice::OPEN;
        };
        let service = site.service(service);
        let choice = match Choice(self.choice) {
            Choice::OPEN if self.packet.is_later() => {
                Choice::new(fragments::follow(&self.packet, service, tables), false)
            }
            Choice::OPEN => self.assign(service, site, tables),
            choice => choice,
        };
        let member = choice.member();
        if member == 0 {
            return choice;
        }
        if self.packet.is_first() {
            fragments::lead(&self.packet, member, tables);
        }
        if is_persistent(service) && !self.packet.event().is_none() {
            // A datagram is not the first if its flow had a record.
            let is_known = self.choice != Choice::OPEN.0;
            let lasting = !self.begins() || self.packet.event().is_datagram() && is_known;
            persistence::note(&self.packet, service, member, lasting, tables);
        }
        choice
    }

    /// Assigns a member to the flow, 0 if there is none.
    ///
    /// Without `moved` every flow has a record, so a change of members touches none of them. With
    /// it the slot's member has changed, and flows from before it keep the member they had.
    #[inline(always)] // A part of `settle`, which has a frame.
    fn assign<T: Tables>(&self, service: &Service, site: &Site, tables: &T) -> Choice {
        let begins = self.packet.event().is_syn();
        let is_about = self.packet.event().is_none();
        let slot = SlotValue::unpack(self.moved & !Self::MOVED);
        let (member, new, recorded) = match self.moved != 0 {
            false if is_about => match Layout::unpack(service.before.load()).slots {
                0 => return Choice::OPEN,
                // The flow is older than the tracking.
                _ => (self.pick(service, site), false, false),
            },
            true if is_about => (slot.base, false, false),
            false => (self.tracked(service, site, tables), true, true),
            true if slot.current == slot.base => (slot.current, begins, self.has_record != 0),
            true if begins => (slot.current, true, true),
            true => (slot.base, false, true),
        };
        if recorded && member != 0 {
            self.record(member, tables);
        }
        Choice::new(member, new)
    }

    fn record<T: Tables>(&self, member: u32, tables: &T) {
        let state = State::first(self.packet.event());
        let now = self.now as u32;
        let record = Record::new(fingerprint(self.hash), member, now, state).pack();
        let way = tables.enter(self.hash, record, now);
        if way < WAYS {
            tables.note(self.hash, way, &self.packet.flow);
        }
    }

    /// Picks the member of a flow of a tracked service: where its client, or the rest of its
    /// datagram, has gone, else the next one's.
    fn tracked<T: Tables>(&self, service: &Service, site: &Site, tables: &T) -> u32 {
        let owner = service.chain().owner;
        let mut member = 0;
        if is_persistent(service) {
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
            member = self.pick(service, site);
        }
        member
    }

    /// Whether it is a first packet, as far as it tells.
    fn begins(&self) -> bool {
        let event = self.packet.event();
        event.is_syn() || event.is_datagram()
    }

    /// Picks the member of a flow that has no record; 0 if there is none.
    fn pick(&self, service: &Service, site: &Site) -> u32 {
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
        match slot.base {
            base if !begins && base != 0 => base,
            _ => slot.current,
        }
    }
}
