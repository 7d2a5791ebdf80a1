//! An interface of the director.

use crate::{shared::Shared, tables::INTERFACES_MAX, wire::MacAddr};

/// MAC and index.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Interface {
    /// The MAC's six octets, low octet first.
    mac: Shared,
    index: Shared,
}

impl Interface {
    pub fn new(index: u32, mac: MacAddr) -> Self {
        let [a, b, c, d, e, f] = mac.octets;
        Self {
            mac: Shared::new(u64::from_le_bytes([a, b, c, d, e, f, 0, 0])),
            index: Shared::new(u64::from(index)),
        }
    }

    /// Returns the element that an interface of this index has.
    pub fn element(index: u32) -> usize {
        index as usize & (INTERFACES_MAX - 1)
    }

    /// 0 if vacant.
    pub fn index(&self) -> u32 {
        self.index.load() as u32
    }

    pub fn mac(&self) -> MacAddr {
        let [a, b, c, d, e, f, _, _] = self.mac.load().to_le_bytes();
        MacAddr {
            octets: [a, b, c, d, e, f],
        }
    }
}

const _: () = assert!(size_of::<Interface>() == 16);
