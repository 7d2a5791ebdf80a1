//! A service as packets see it.

use crate::{
    hash::{Destination, Flow, Seed},
    shared::Shared,
};

/// Written whole before the directory names it, except the shared words.
///
/// The first cache line is all that a packet of a hash service reads.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Service {
    pub destination: Destination,
    _reserved: u8,
    pub layout: Shared,
    pub seed: Seed,
    /// Whether a packet without an eligible member is dropped, not left to the director's stack.
    drops: Shared,
    _line: [u8; 24],
    /// New flows so far: the next slot of a service that takes them in turn.
    pub cursor: Shared,
    /// The layout whose slots' `base` keeps flows without a record that are older than a change to
    /// tracking; 0 when there is none.
    pub before: Shared,
    /// For the daemon: the [`Settings`](super::Settings) clock's second at which moving slots
    /// settle; 0 when none move.
    pub settles: Shared,
    /// For the daemon: whether it put the VIP on an interface.
    pub owns_vip: Shared,
    /// For the daemon: the scheduler, by its number there.
    pub scheduler: Shared,
    _line2: [u8; 24],
}

impl Service {
    pub fn new(destination: Destination, drops: bool, layout: Layout, seed: Seed) -> Self {
        Self {
            destination,
            _reserved: 0,
            drops: Shared::new(drops.into()),
            layout: Shared::new(layout.pack()),
            seed,
            _line: [0; 24],
            cursor: Shared::new(0),
            before: Shared::new(0),
            settles: Shared::new(0),
            owns_vip: Shared::new(0),
            scheduler: Shared::new(0),
            _line2: [0; 24],
        }
    }
}

impl Service {
    pub fn drops(&self) -> bool {
        self.drops.load() != 0
    }

    pub fn set_drops(&self, drops: bool) {
        self.drops.store(drops.into());
    }
}

/// Where a service's slots are and how they are used: one word, so that all of it changes at once.
///
/// First slot in 30 bits, number of slots in 30, `pick` in 2, then `tracked`.
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
    /// That of the flow's hash. A service has one destination, so this is the client's address
    /// and port.
    Flow,
    /// That of the client's address.
    Client,
    /// That of the destination: the same for all of a service's flows.
    Destination,
}

impl Pick {
    /// The hash that `slot_of` takes: of `flow` or of what it is picked by.
    ///
    /// Without a branch, as the verifier follows each of them to the program's end.
    #[inline(always)]
    pub fn hash(self, flow: &Flow, seed: Seed) -> u64 {
        let number = self as u64;
        let port = (number >> 1).wrapping_sub(1);
        let client = (number >> 1 & number).wrapping_sub(1);
        flow.hash_of(client, port, seed)
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

const _: () = assert!(size_of::<Service>() == 128);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Ports, Protocol};

    #[test]
    fn layouts_are_packed_and_unpacked() {
        for pick in [Pick::Turn, Pick::Flow, Pick::Client, Pick::Destination] {
            for tracked in [false, true] {
                let layout = Layout {
                    first: (1 << 30) - 1,
                    slots: 1021,
                    pick,
                    tracked,
                };
                assert_eq!(Layout::unpack(layout.pack()), layout);
            }
        }
        assert_eq!(Layout::unpack(0), Layout::default());
    }

    /// Whether two flows have the same hash that differ in the client's port, and in its address.
    #[test]
    fn what_is_hashed_is_what_is_picked_by() {
        let flow = Flow {
            client: [10, 0, 0, 9],
            vip: [10, 0, 0, 100],
            ports: Ports {
                source: [4, 0],
                destination: [0, 80],
            },
            protocol: Protocol::TCP,
        };
        let mut port = flow;
        port.ports.source = [4, 1];
        let client = Flow {
            client: [10, 0, 0, 8],
            ..flow
        };
        let vip = Flow {
            vip: [10, 0, 0, 101],
            ..flow
        };
        let seed = [1, 2];
        for (pick, same) in [
            (Pick::Turn, [false, false, false]),
            (Pick::Flow, [false, false, false]),
            (Pick::Client, [true, false, false]),
            (Pick::Destination, [true, true, false]),
        ] {
            let hash = |flow: Flow| pick.hash(&flow, seed);
            let found = [port, client, vip].map(|other| hash(other) == hash(flow));
            assert_eq!(found, same, "{pick:?}: by port, client, VIP");
        }
    }
}
