//! Which member a service's packet goes to.
//!
//! A clean slot tells by itself. Everything else starts from the flow's record: of a flow that
//! lived through a change of members, or of any flow of a tracked service.

use crate::{
    arrival::Arrival,
    director::{Step, Tables},
    flow_table::fingerprint,
    packet::Packet,
    reason::Reason,
    tables::{Layout, Member, Pick, Service, Site, SlotValue, slot_of},
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
    pub(crate) const OPEN: Self = Self(1 << 33);
    /// The flow is not to go on.
    pub(crate) const EXPELLED: Self = Self(1 << 34);

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
        tables.took(Step::Slot(layout.first + index));
        if let Some(member) = SlotValue::clean_member(slot) {
            choice = Choice::new(member, packet.event().is_syn());
            if packet.is_whole() {
                return Ok(choice);
            }
        }
        moved = slot | Arrival::MOVED;
    }
    let hash = packet.flow.hash(service.seed);
    let now = tables.now();
    if choice == Choice::OPEN && packet.is_whole() {
        let set = tables.flow_set(hash).ok_or(Reason::NoMember)?;
        if let Some(hit) = set.find(fingerprint(hash))
            && hit.is_steady(packet.event(), now)
            && can_go_on(site.member(hit.record.member))
        {
            return Ok(Choice::new(hit.record.member, false));
        }
    }
    // One place, and a copy: what a function is told of by its address is in memory.
    let arrival = Arrival {
        packet: *packet,
        choice: choice.0,
        hash,
        layout: word,
        moved: forgotten(moved, hash),
        now: now.into(),
    };
    match tables.settle(&arrival, service.chain().id) {
        Choice::OPEN => Err(Reason::NoFlow),
        Choice::EXPELLED => Err(Reason::Expelled),
        choice => Ok(choice),
    }
}

fn can_go_on(member: &Member) -> bool {
    member.link().is_some() && !member.is(Member::EXPELLED)
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
pub(crate) fn next_turn(owner: &Service, slots: u32) -> u32 {
    let turn = owner.cursor.increment();
    turn.checked_rem(slots.into()).unwrap_or(0) as u32
}
