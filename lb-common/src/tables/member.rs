//! A real server within a service, as packets reach it.

use crate::{shared::Shared, wire::MacAddr};

/// Half a cache line.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Member {
    /// The MAC, see [`Member::mac`]; one word, so that a changed MAC is taken up whole.
    pub address: Shared,
    /// Index of the interface the real server is reached through, in 32 bits; for the daemon, its
    /// service's id in the 16 above.
    pub place: Shared,
    /// For the daemon: 1 if the operator has removed it.
    removed: Shared,
    /// For the daemon: the RIP.
    pub rip: [u8; 4],
    _reserved: [u8; 4],
}

impl Member {
    pub fn new(rip: [u8; 4], service: u16) -> Self {
        Self {
            place: Shared::new(u64::from(service) << 32),
            rip,
            ..Self::default()
        }
    }

    /// Returns the MAC, or `None` if it is not known.
    #[inline]
    pub fn mac(&self) -> Option<MacAddr> {
        let word = self.address.load();
        let [a, b, c, d, e, f, known, _] = word.to_le_bytes();
        (known != 0).then_some(MacAddr {
            octets: [a, b, c, d, e, f],
        })
    }

    pub fn set_mac(&self, mac: Option<MacAddr>) {
        let word = mac.map_or(0, |mac| {
            let [a, b, c, d, e, f] = mac.octets;
            u64::from_le_bytes([a, b, c, d, e, f, 1, 0])
        });
        self.address.store(word);
    }

    pub fn interface(&self) -> u32 {
        self.place.load() as u32
    }

    pub fn service(&self) -> u16 {
        (self.place.load() >> 32) as u16
    }

    /// Whether it is there only for the flows it still has.
    pub fn is_removed(&self) -> bool {
        self.removed.load() != 0
    }

    pub fn set_removed(&self, removed: bool) {
        self.removed.store(removed.into());
    }

    pub fn set_interface(&self, interface: u32) {
        self.place
            .store(u64::from(self.service()) << 32 | u64::from(interface));
    }
}

const _: () = assert!(size_of::<Member>() == 32);
