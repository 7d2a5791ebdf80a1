//! A service as packets see it.

use crate::{
    hash::{Destination, Seed},
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
/// First slot in 30 bits, number of slots in 30, then `hashed`, then `tracked`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub first: u32,
    /// 0 when no member is eligible.
    pub slots: u32,
    /// New flows fall on the slot of their hash, else on the next in turn.
    pub hashed: bool,
    /// Every flow has a record.
    pub tracked: bool,
}

const INDEX_BITS: u32 = 30;
const INDEX: u64 = (1 << INDEX_BITS) - 1;

impl Layout {
    pub fn pack(self) -> u64 {
        u64::from(self.first)
            | u64::from(self.slots) << INDEX_BITS
            | u64::from(self.hashed) << 60
            | u64::from(self.tracked) << 61
    }

    pub fn unpack(word: u64) -> Self {
        Self {
            first: (word & INDEX) as u32,
            slots: (word >> INDEX_BITS & INDEX) as u32,
            hashed: word >> 60 & 1 != 0,
            tracked: word >> 61 & 1 != 0,
        }
    }
}

const _: () = assert!(size_of::<Service>() == 128);
