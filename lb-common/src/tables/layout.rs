//! Where a service's slots are, and which of them a flow falls on.

use crate::hash::{Flow, Seed};

/// Where a service's slots are and how they are used: one word, so that all of it changes at once.
///
/// First slot in 30 bits, number of slots in 30, `pick` in 2, then `tracked`, then whether there are
/// no slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub first: u32,
    /// 0 when no member is eligible.
    pub slots: u32,
    pub pick: Pick,
    /// Every flow has a record.
    pub tracked: bool,
}

/// Which slot a new flow falls on: all that the kernel knows of a scheduler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pick {
    /// The next in turn.
    #[default]
    Turn,
    /// That of the flow's hash.
    Flow,
    /// That of the client's address, whichever of the service's VIPs and ports it is for.
    Client,
    /// That of the VIP.
    Destination,
}

impl Pick {
    /// The hash that `slot_of` takes: of `flow` or of what it is picked by.
    ///
    /// Without a branch, as the verifier follows each of them to the program's end.
    #[inline(always)]
    pub fn hash(self, flow: &Flow, seed: Seed) -> u64 {
        let number = self as u64;
        let kind = (number >> 1).wrapping_sub(1);
        let client = (number >> 1 & number).wrapping_sub(1);
        let vip = kind | !client;
        flow.hash_of([client, vip, kind], seed)
    }

    fn of(number: u64) -> Self {
        match number & 3 {
            0 => Self::Turn,
            1 => Self::Flow,
            2 => Self::Client,
            _ => Self::Destination,
        }
    }
}

const INDEX_BITS: u32 = 30;
const INDEX: u64 = (1 << INDEX_BITS) - 1;

impl Layout {
    pub fn pack(self) -> u64 {
        u64::from(self.first)
            | u64::from(self.slots) << INDEX_BITS
            | (self.pick as u64) << 60
            | u64::from(self.tracked) << 62
            | u64::from(self.slots == 0) << 63
    }

    /// Whether slots tell the member, of what is packed.
    pub fn is_by_slots(word: u64) -> bool {
        word >> 62 == 0
    }

    pub fn unpack(word: u64) -> Self {
        Self {
            first: (word & INDEX) as u32,
            slots: (word >> INDEX_BITS & INDEX) as u32,
            pick: Pick::of(word >> 60),
            tracked: word >> 62 & 1 != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        address::{Address, Version},
        hash::Kind,
        wire::{Ports, Protocol},
    };

    #[test]
    fn layouts_are_packed_and_unpacked() {
        for pick in [Pick::Turn, Pick::Flow, Pick::Client, Pick::Destination] {
            for tracked in [false, true] {
                for slots in [0, 1021] {
                    let layout = Layout {
                        first: (1 << 30) - 1,
                        slots,
                        pick,
                        tracked,
                    };
                    let word = layout.pack();
                    assert_eq!(Layout::unpack(word), layout);
                    let is_by_slots = !tracked && slots > 0;
                    assert_eq!(Layout::is_by_slots(word), is_by_slots, "{layout:?}");
                }
            }
        }
        assert_eq!(Layout::unpack(0), Layout::default());
    }

    /// Whether two flows have the same hash that differ in the client's port or address, or in the
    /// destination's.
    #[test]
    fn what_is_hashed_is_what_is_picked_by() {
        let with_ports = |source, destination| {
            let ports = Ports {
                source,
                destination,
            };
            let kind = Kind::new(ports, Protocol::TCP, Version::V4);
            let (client, vip) = ([10, 0, 0, 9], [10, 0, 0, 100]);
            Flow::new(Address::v4(client), Address::v4(vip), kind)
        };
        let flow = with_ports([4, 0], [0, 80]);
        let port = with_ports([4, 1], [0, 80]);
        let other = with_ports([4, 0], [0, 81]);
        let client = Flow::new(Address::v4([10, 0, 0, 8]), flow.vip, flow.kind());
        let vip = Flow::new(flow.client, Address::v4([10, 0, 0, 101]), flow.kind());
        let seed = [1, 2];
        for (pick, same) in [
            (Pick::Turn, [false, false, false, false]),
            (Pick::Flow, [false, false, false, false]),
            (Pick::Client, [true, false, true, true]),
            (Pick::Destination, [true, true, true, false]),
        ] {
            let hash = |flow: Flow| pick.hash(&flow, seed);
            let found = [port, client, other, vip].map(|other| hash(other) == hash(flow));
            assert_eq!(found, same, "{pick:?}: by port, client, its port, VIP");
        }
    }
}
