//! Whose flow a record is: for listings, as the record itself has only a hash.

use crate::{
    address::Address,
    hash::{Flow, Kind},
    shared::Shared,
};

/// Kept beside a way of a set, and written once per flow: the fingerprint last, so that what is
/// half written is not taken for the record's.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Endpoints {
    client: [Shared; 2],
    vip: [Shared; 2],
    /// A [`Kind`].
    kind: Shared,
    fingerprint: Shared,
}

impl Endpoints {
    pub fn write(&self, flow: &Flow, fingerprint: u64) {
        self.fingerprint.store(0);
        let words = [&self.client[0], &self.client[1], &self.vip[0], &self.vip[1]];
        let [client, vip] = [flow.client.0, flow.vip.0];
        for (word, value) in words
            .into_iter()
            .zip([client[0], client[1], vip[0], vip[1]])
        {
            word.store(value);
        }
        self.kind.store(flow.kind().0);
        self.fingerprint.store(fingerprint);
    }

    /// Returns the flow, if it is that of `fingerprint`.
    pub fn read(&self, fingerprint: u64) -> Option<Flow> {
        if self.fingerprint.load() != fingerprint {
            return None;
        }
        let address = |words: &[Shared; 2]| Address([words[0].load(), words[1].load()]);
        let kind = Kind(self.kind.load());
        let flow = Flow::new(address(&self.client), address(&self.vip), kind);
        // Another may have been written meanwhile.
        (self.fingerprint.load() == fingerprint).then_some(flow)
    }
}

const _: () = assert!(size_of::<Endpoints>() == 48);

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
        let kind = Kind::new(ports, Protocol::SCTP, Version::V6);
        let flow = Flow::new(Address::v6([7; 16]), Address::v6([9; 16]), kind);
        let endpoints = Endpoints::default();
        endpoints.write(&flow, 0x1235);
        assert_eq!(endpoints.read(0x1235), Some(flow));
        assert_eq!(endpoints.read(0x1237), None);
    }
}
