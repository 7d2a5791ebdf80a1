//! Which service a destination belongs to.

use crate::{hash::Destination, shared::Shared, tables::DIRECTORY_BUCKETS};

/// One cache line of the directory: the entries of all destinations that hash to it.
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
        let tag = tag(hash);
        self.entries
            .iter()
            .map(|entry| Entry(entry.load()))
            .find(|entry| entry.0 & TAG == tag && entry.service() != 0)
            .map(Entry::service)
    }
}

/// Returns the bucket that a destination of this hash is in.
pub fn bucket_of(hash: u64) -> u32 {
    hash as u32 & (DIRECTORY_BUCKETS - 1) as u32
}

impl Destination {
    pub fn bucket(&self) -> u32 {
        bucket_of(self.hash())
    }
}

const TAG: u64 = !0xffff;

fn tag(hash: u64) -> u64 {
    hash & TAG
}

const _: () = assert!(size_of::<Bucket>() == 64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Protocol;

    #[test]
    fn a_bucket_finds_what_was_entered_and_nothing_else() {
        let destination = |port: u16| Destination {
            vip: [10, 0, 0, 100],
            port: port.to_be_bytes(),
            protocol: Protocol::TCP,
        };
        let bucket = Bucket::default();
        for (entry, port) in bucket.entries.iter().zip(1..) {
            entry.store(Entry::new(&destination(port), port).0);
        }
        for port in 1..=8 {
            assert_eq!(bucket.find(destination(port).hash()), Some(port));
        }
        assert_eq!(bucket.find(destination(9).hash()), None);
        assert_eq!(
            Bucket::default().find(0),
            None,
            "a zero hash in a vacant bucket"
        );
    }
}
