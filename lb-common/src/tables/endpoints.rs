//! Whose flow a record is: for listings, as the record itself has only a hash.

use crate::{address::Address, hash::Kind, shared::Shared};

/// Kept beside a way of a set, and written once per flow: the fingerprint last, so that what is
/// half written is not taken for the record's.
///
/// Half a cache line. The VIP is not in it: the service's record has that.
#[repr(C, align(32))]
#[derive(Debug, Default)]
pub struct Endpoints {
    client: [Shared; 2],
    /// A [`Kind`] in 48 bits, the service's id in 16.
    place: Shared,
    fingerprint: Shared,
}

/// What is kept of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whose {
    pub client: Address,
    pub kind: Kind,
    /// The id of the record of its destination.
    pub service: u16,
}

impl Endpoints {
    pub fn write(&self, whose: &Whose, fingerprint: u64) {
        self.fingerprint.store(0);
        let [first, second] = whose.client.0;
        self.client[0].store(first);
        self.client[1].store(second);
        let place = whose.kind.0 & KIND | u64::from(whose.service) << KIND_BITS;
        self.place.store(place);
        self.fingerprint.store(fingerprint);
    }

    /// Returns what is kept, if it is of `fingerprint`.
    pub fn read(&self, fingerprint: u64) -> Option<Whose> {
        if self.fingerprint.load() != fingerprint {
            return None;
        }
        let place = self.place.load();
        let whose = Whose {
            client: Address([self.client[0].load(), self.client[1].load()]),
            kind: Kind(place & KIND),
            service: (place >> KIND_BITS) as u16,
        };
        // Another may have been written meanwhile.
        (self.fingerprint.load() == fingerprint).then_some(whose)
    }
}

const KIND_BITS: u32 = 48;
const KIND: u64 = (1 << KIND_BITS) - 1;

const _: () = assert!(size_of::<Endpoints>() == 32);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        address::Version,
        wire::{Ports, Protocol},
    };

    #[test]
    fn what_is_written_is_read_by_its_fingerprint_alone() {
        let ports = Ports {
            source: [0x9c, 0x40],
            destination: [0, 80],
        };
        let whose = Whose {
            client: Address::v6([7; 16]),
            kind: Kind::new(ports, Protocol::SCTP, Version::V6),
            service: u16::MAX,
        };
        let endpoints = Endpoints::default();
        endpoints.write(&whose, 0x1235);
        assert_eq!(endpoints.read(0x1235), Some(whose));
        assert_eq!(endpoints.read(0x1237), None);
    }
}
