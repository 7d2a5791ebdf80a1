//! A service's slots: filled anew when its members change, without a flow noticing.

use std::collections::HashMap;

use anyhow::Context as _;
use lb_common::{
    shared::Shared,
    tables::{Layout, Member, Pick, Service, SlotValue, State},
};

use super::{Wanted, ranges::Ranges};
use crate::{
    dataplane::director::Tables,
    fill::{self, Counts, Share},
};

/// Slots of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotCounts {
    pub all: u32,
    /// Those whose new and old flows go to different members.
    pub moving: u32,
    /// Those where a flow's record is looked up first.
    pub exceptions: u32,
    /// By member, those whose new flows go to it.
    pub of_members: HashMap<u32, u32>,
}

/// Fills the slots of a service for `shares`, and makes packets use them.
pub(super) fn bring(
    tables: &Tables,
    ranges: &mut Ranges,
    service: &Service,
    wanted: &Wanted,
    shares: &[Share],
    counts: &mut Counts<'_>,
) -> anyhow::Result<()> {
    let (scheduler, flags) = (wanted.scheduler, &wanted.flags);
    let now = counts.now;
    let old = Layout::unpack(service.layout.load());
    // The slots that tell the member of flows without a record.
    let prior = match old.tracked {
        true => Layout::unpack(service.before.load()),
        false => old,
    };
    let pick = scheduler.pick(flags);
    let hashed = pick != Pick::Turn;
    // Those flows fall on other slots now, which cannot tell theirs: they need records for a while.
    let rehashed = prior.slots > 0 && prior.pick != pick;
    let installed = if hashed { prior.slots } else { 0 };
    let members = fill::fill(scheduler, flags, shares, installed, counts);
    let mut new = Layout {
        pick,
        tracked: wanted.is_tracked() || rehashed && !wanted.policy.one_packet,
        slots: members.len() as u32,
        first: 0,
    };
    let in_place = new.slots == old.slots && kind(new) == kind(old);
    new.first = match in_place {
        true => old.first,
        false => ranges.find(new.slots, now).with_context(|| {
            let most = tables.slots.len();
            format!(
                "no room for {} slots of service {}; all services have {most}",
                new.slots, wanted.name
            )
        })?,
    };
    let mut moving = false;
    for ((i, slot), member) in (0..).zip(slots(tables, new)).zip(members) {
        // Of a hundred thousand, a change is of a few.
        if in_place && !old.tracked && slot.load() == SlotValue::clean(member).pack() {
            continue;
        }
        let value = match new.tracked || wanted.policy.one_packet {
            true => SlotValue::clean(member),
            false => value(tables, old, (prior, i, new.slots), member),
        };
        moving |= value.current != value.base;
        write(slot, value);
    }
    if !in_place {
        replace(ranges, service, (old, new), now);
    }
    service.scheduler.store(wanted.scheduler.number());
    if moving || service.before.load() != 0 {
        service
            .settles
            .store(u64::from(now.wrapping_add(window(tables))) | SET);
    }
    Ok(())
}

/// Fills the slots of a service that goes by connections again, in their place.
pub(super) fn refill(
    tables: &Tables,
    service: &Service,
    wanted: &Wanted,
    shares: &[Share],
    counts: &mut Counts<'_>,
) {
    let members = fill::fill(wanted.scheduler, &wanted.flags, shares, 0, counts);
    let layout = Layout::unpack(service.layout.load());
    if members.len() == layout.slots as usize {
        for (slot, member) in slots(tables, layout).iter().zip(members) {
            write(slot, SlotValue::clean(member));
        }
    }
}

/// The value of slot `i` of `slots`, in the place of `old` and after `prior`, that new flows go to
/// `member` by.
fn value(
    tables: &Tables,
    old: Layout,
    (prior, i, slots): (Layout, u32, u32),
    member: u32,
) -> SlotValue {
    let mut value = SlotValue::clean(member);
    if prior.slots > 0 {
        // A larger table is the old one doubled: see `slot_of`.
        let i = u64::from(i) * u64::from(prior.slots) / u64::from(slots);
        let slot = self::slots(tables, prior).get(i as usize);
        let before = SlotValue::unpack(slot.map_or(0, Shared::load));
        let is_up = |id: u32| {
            let member = &tables.members[id as usize];
            id != 0 && member.link().is_some() && !member.is(Member::EXPELLED)
        };
        value = moved(before, member, is_up);
    }
    // Flows of the time it was tracked have records.
    value.exceptions |= old.tracked;
    value
}

/// The rules of a slot whose flows are to be another member's.
fn moved(old: SlotValue, current: u32, is_up: impl Fn(u32) -> bool) -> SlotValue {
    let base = if is_up(old.base) { old.base } else { current };
    if old.current == current && old.base == base {
        return old;
    }
    SlotValue {
        current,
        base,
        // Back where it was: new flows of the meantime are elsewhere.
        exceptions: old.exceptions || current == base,
    }
}

/// Makes packets use the new slots, and keeps the old ones while flows without a record need them.
fn replace(ranges: &mut Ranges, service: &Service, (old, new): (Layout, Layout), now: u32) {
    let untracked = old.slots > 0 && !old.tracked;
    if untracked && new.tracked {
        service.before.store(old.pack());
        service.layout.store(new.pack());
        return;
    }
    service.layout.store(new.pack());
    ranges.give_back(old.first, old.slots, now);
    if !new.tracked {
        forget_before(ranges, service, now);
    }
}

/// Ends the window of a service, if it is over: every flow from before it has a record by now.
///
/// One that was tracked for the sake of flows that were hashed otherwise is so no longer, unless it
/// `stays_tracked`: those that live have records now.
pub(super) fn settle(
    tables: &Tables,
    ranges: &mut Ranges,
    service: &Service,
    stays_tracked: bool,
    now: u32,
) {
    let settles = service.settles.load();
    let left = (settles as u32).wrapping_sub(now) as i32;
    if settles == 0 || left > 0 {
        return;
    }
    let layout = Layout::unpack(service.layout.load());
    for slot in slots(tables, layout) {
        let value = SlotValue::unpack(slot.load());
        if value.current != value.base {
            let settled = SlotValue {
                exceptions: true,
                ..SlotValue::clean(value.current)
            };
            slot.store(settled.pack());
        }
    }
    if layout.tracked && !stays_tracked {
        for slot in slots(tables, layout) {
            let settled = SlotValue {
                exceptions: true,
                ..SlotValue::unpack(slot.load())
            };
            slot.store(settled.pack());
        }
        let untracked = Layout {
            tracked: false,
            ..layout
        };
        service.layout.store(untracked.pack());
    }
    forget_before(ranges, service, now);
    service.settles.store(0);
}

fn forget_before(ranges: &mut Ranges, service: &Service, now: u32) {
    let before = Layout::unpack(service.before.load());
    service.before.store(0);
    ranges.give_back(before.first, before.slots, now);
}

/// Tells second 0 from none.
const SET: u64 = 1 << 32;

/// Seconds after which a flow that has sent nothing is given up: more than the timeout, as for its
/// record.
fn window(tables: &Tables) -> u32 {
    tables
        .settings()
        .timeouts
        .of(State::Established)
        .saturating_add(1)
}

fn kind(layout: Layout) -> (Pick, bool) {
    (layout.pick, layout.tracked)
}

/// The slots of a layout.
pub(super) fn slots(tables: &Tables, layout: Layout) -> &[Shared] {
    tables
        .slots
        .range(layout.first..layout.first + layout.slots)
}

/// Counts a service's slots.
pub(super) fn counted(tables: &Tables, service: &Service) -> SlotCounts {
    let mut counts = SlotCounts::default();
    for slot in slots(tables, Layout::unpack(service.layout.load())) {
        let value = SlotValue::unpack(slot.load());
        counts.all += 1;
        counts.moving += u32::from(value.current != value.base);
        counts.exceptions += u32::from(value.exceptions);
        *counts.of_members.entry(value.current).or_default() += 1;
    }
    counts
}

fn write(slot: &Shared, value: SlotValue) {
    let value = value.pack();
    if slot.load() != value {
        slot.store(value);
    }
}
