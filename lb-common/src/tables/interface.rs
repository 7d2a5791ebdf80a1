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
        Self {
            mac: Shared::new(mac.word()),
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
        MacAddr::from_word(self.mac.load())
    }
}

const _: () = assert!(size_of::<Interface>() == 16);
