//! Which service a destination belongs to.

use crate::{hash::Destination, shared::Shared};

/// One cache line of the directory: the entries of all destinations that hash to it, the first ones
/// first: behind a vacant one there is none.
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub struct Bucket {
    pub entries: [Shared; 8],
}

/// Service id in 16 bits, tag of the destination in 48. Zero is vacant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(pub u64);

impl Entry {
    pub const VACANT: Self = Self(0);

    pub fn new(destination: &Destination, service: u16) -> Self {
        Self(tag(destination.hash()) | u64::from(service))
    }

    pub fn service(self) -> u16 {
        self.0 as u16
    }
}

impl Bucket {
    /// Returns the id of the service that `hash` is the destination of, or nearly certainly is:
    /// the service's record tells.
    pub fn find(&self, hash: u64) -> Option<u16> {
        for entry in &self.entries {
            let entry = Entry(entry.load());
            if entry == Entry::VACANT {
                return None;
            }
            if entry.0 ^ hash < TAG_LOWEST {
                return Some(entry.service());
            }
        }
        None
    }

    /// Enters `entry`; `false` if there is no room.
    pub fn enter(&self, entry: Entry) -> bool {
        let vacant = self.entries.iter().find(|it| it.load() == 0);
        vacant.map(|vacant| vacant.store(entry.0)).is_some()
    }

    /// Takes `entry` out, in a way that packets find all others all the while.
    pub fn leave(&self, entry: Entry) {
        let entries = self.entries.iter();
        let last = entries.rev().find(|it| it.load() != 0);
        let it = self.entries.iter().find(|it| it.load() == entry.0);
        if let (Some(it), Some(last)) = (it, last) {
            it.store(last.load());
            last.store(0);
        }
    }
}

const TAG_LOWEST: u64 = 1 << 16;

fn tag(hash: u64) -> u64 {
    hash & !(TAG_LOWEST - 1)
}

const _: () = assert!(size_of::<Bucket>() == 64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        address::{Address, Version},
        wire::Protocol,
    };

    #[test]
    fn a_bucket_finds_what_was_entered_and_nothing_else() {
        let bucket = Bucket::default();
        for port in 1..=8 {
            assert!(bucket.enter(Entry::new(&destination(port), port)));
        }
        assert!(!bucket.enter(Entry::new(&destination(9), 9)), "it is full");
        for gone in [1, 8, 4] {
            bucket.leave(Entry::new(&destination(gone), gone));
            bucket.leave(Entry::new(&destination(gone), gone));
        }
        for port in 1..=9 {
            let found = bucket.find(destination(port).hash());
            let expected = (![1, 8, 4, 9].contains(&port)).then_some(port);
            assert_eq!(found, expected, "{port}");
        }
        let empty = Bucket::default();
        assert_eq!(empty.find(0), None, "a zero hash in a vacant bucket");
    }

    fn destination(port: u16) -> Destination {
        let vip = Address::v4([10, 0, 0, 100]);
        Destination::new(vip, port.to_be_bytes(), (Protocol::TCP, Version::V4))
    }
}
