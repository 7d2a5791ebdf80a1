//! A service as packets see it.

use crate::{
    address::{Address, Version},
    hash::{Destination, Seed},
    shared::Shared,
    wire::Protocol,
};

/// Written whole before the directory names it, except the shared words.
///
/// The first cache line is all that a packet of a clean hash service reads. A service of several
/// VIPs or ports has a record for each, with the same words but its own destination: see
/// [`Service::follow`].
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Service {
    /// With the first of its ports.
    pub destination: Destination,
    /// How far the last of its ports is from the first; in most services not at all.
    span: u64,
    pub layout: Shared,
    pub seed: Seed,
    options: Shared,
    /// New flows so far: the next slot of a service that takes them in turn. The owner's counts.
    pub cursor: Shared,
    /// The layout whose slots' `base` keeps flows without a record that are older than a change to
    /// tracking; 0 when there is none.
    pub before: Shared,
    /// A [`Chain`].
    chain: Shared,
    /// Persistence: the bits of a client's address that count.
    pub mask: [Shared; 2],
    /// For the daemon: the [`Settings`](super::Settings) clock's second at which moving slots
    /// settle; 0 when none move.
    pub settles: Shared,
    /// For the daemon: whether it put the VIP on an interface.
    pub owns_vip: Shared,
    /// For the daemon: the scheduler, by its number there.
    pub scheduler: Shared,
}

/// How a service is to be treated, but for its slots: one word.
///
/// Persistence in 32 bits, then a bit for each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Seconds that a client is sent to the member it was last sent to; 0 if it is not persistent.
    pub persistence: u32,
    /// A packet without an eligible member is dropped, not left to the director's stack.
    pub drops: bool,
    /// Clients are not sent to a member of weight 0 for having been sent there before.
    pub expire_quiescent: bool,
}

/// Which service is to be asked next, whose cursor is taken, and which this is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// Of the same VIP and protocol, with other ports; 0 is none.
    pub next: u16,
    /// The first record of the service's own.
    pub owner: u16,
    /// The record itself.
    pub id: u16,
}

impl Service {
    pub fn new(vip: Address, [first, last]: [u16; 2], kind: (Protocol, Version)) -> Self {
        Self {
            destination: Destination::new(vip, first.to_be_bytes(), kind),
            span: last.wrapping_sub(first).into(),
            layout: Shared::new(0),
            seed: [0; 2],
            options: Shared::new(0),
            cursor: Shared::new(0),
            before: Shared::new(0),
            chain: Shared::new(0),
            mask: [Shared::new(0), Shared::new(0)],
            settles: Shared::new(0),
            owns_vip: Shared::new(0),
            scheduler: Shared::new(0),
        }
    }

    pub fn vacant() -> Self {
        Self::new(Address::default(), [0; 2], (Protocol(0), Version(0)))
    }

    pub fn ports(&self) -> [u16; 2] {
        let first = u16::from_be_bytes(self.destination.port());
        [first, first.wrapping_add(self.span as u16)]
    }

    /// Whether `destination` is its first port, as the only one is that the directory has.
    pub fn is_at(&self, destination: &Destination) -> bool {
        self.destination == *destination
    }

    /// Whether the port of `destination`, of which some bits count, is one of its own.
    pub fn has_port(&self, destination: &Destination, bits: u64) -> bool {
        let [first, port] = [self.destination, *destination].map(|it| it.port());
        let above = u16::from_be_bytes(port).wrapping_sub(u16::from_be_bytes(first));
        u64::from(above) & bits <= self.span
    }

    /// Whether `destination` has its VIP and protocol.
    pub fn is_of_vip(&self, destination: &Destination) -> bool {
        self.destination.without_port() == destination.without_port()
    }

    pub fn options(&self) -> Options {
        Options::unpack(self.options.load())
    }

    pub fn set_options(&self, options: Options) {
        self.options.store(options.pack());
    }

    /// Takes over the words that all records of a service have in common, which its owner's are.
    ///
    /// What keeps flows without a record comes before the layout that no longer does, as in the
    /// owner's. The seed is there from the beginning.
    pub fn follow(&self, owner: &Self) {
        let before = owner.before.load();
        if before != 0 {
            change(&self.before, before);
        }
        change(&self.layout, owner.layout.load());
        change(&self.before, before);
        change(&self.options, owner.options.load());
        for (word, mask) in self.mask.iter().zip(&owner.mask) {
            change(word, mask.load());
        }
        change(&self.settles, owner.settles.load());
        change(&self.scheduler, owner.scheduler.load());
    }

    pub fn chain(&self) -> Chain {
        let word = self.chain.load();
        Chain {
            next: word as u16,
            owner: (word >> 16) as u16,
            id: (word >> 32) as u16,
        }
    }

    pub fn set_chain(&self, Chain { next, owner, id }: Chain) {
        let word = u64::from(next) | u64::from(owner) << 16 | u64::from(id) << 32;
        self.chain.store(word);
    }
}

/// Stores what is not there already: packets read these words all the time.
fn change(word: &Shared, value: u64) {
    if word.load() != value {
        word.store(value);
    }
}

impl Options {
    fn pack(self) -> u64 {
        u64::from(self.persistence)
            | u64::from(self.drops) << 32
            | u64::from(self.expire_quiescent) << 33
    }

    fn unpack(word: u64) -> Self {
        Self {
            persistence: word as u32,
            drops: word >> 32 & 1 != 0,
            expire_quiescent: word >> 33 & 1 != 0,
        }
    }
}

const _: () = assert!(size_of::<Service>() == 128);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_packed_and_unpacked() {
        let none = Options::default();
        for options in [
            none,
            Options {
                persistence: u32::MAX,
                ..none
            },
            Options {
                drops: true,
                ..none
            },
            Options {
                expire_quiescent: true,
                ..none
            },
        ] {
            assert_eq!(Options::unpack(options.pack()), options);
        }
    }

    #[test]
    fn a_record_follows_its_owner_and_keeps_what_is_its_own() {
        let of = |vip, ports| Service::new(Address::v4(vip), ports, (Protocol::TCP, Version::V4));
        let owner = of([10, 0, 0, 100], [80, 80]);
        let other = of([10, 0, 0, 101], [1, 9]);
        let words = |of: &Service| {
            let [first, second] = &of.mask;
            let words = [&of.layout, &of.options, &of.before, first, second];
            let daemons = [&of.settles, &of.scheduler];
            let words = words.into_iter().chain(daemons);
            words.map(Shared::load).collect::<std::vec::Vec<_>>()
        };
        let chain = Chain {
            next: 7,
            owner: 3,
            id: 4,
        };
        other.set_chain(chain);
        for round in [1, 100, 0] {
            owner.layout.store(round);
            owner.options.store(round * 2);
            owner.before.store(round * 3);
            owner.mask[0].store(round * 4);
            owner.mask[1].store(round * 5);
            owner.settles.store(round * 6);
            owner.scheduler.store(round * 7);
            owner.cursor.store(round * 8);
            owner.owns_vip.store(round);
            other.follow(&owner);
            assert_eq!(words(&other), words(&owner));
        }
        assert_eq!((other.chain(), other.owns_vip.load()), (chain, 0));
        assert_eq!(other.ports(), [1, 9]);
    }
}
