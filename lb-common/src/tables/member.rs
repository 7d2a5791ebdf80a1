//! A real server within a service, as packets reach it.

use crate::{
    address::Address,
    shared::Shared,
    wire::{MacAddr, VlanId},
};

/// Half a cache line.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Member {
    /// Where the real server is on its link, see [`Member::link`]; one word, so that it changes whole.
    address: Shared,
    /// Index of the interface the real server is reached through, in 32 bits; in the 16 above, its
    /// service's id, which is the owner's; then flags.
    place: Shared,
    /// The RIP.
    pub rip: Address,
}

/// Where a frame has to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub mac: MacAddr,
    pub vlan: VlanId,
}

impl Member {
    /// The operator has removed it: it is there only for the flows it still has.
    pub const REMOVED: u64 = 1 << 48;
    /// Its weight is 0.
    pub const QUIESCED: u64 = 1 << 49;
    /// Its flows are not to go on.
    pub const EXPELLED: u64 = 1 << 50;

    const KNOWN: u64 = 1 << 63;

    pub fn new(rip: Address, service: u16) -> Self {
        Self {
            place: Shared::new(u64::from(service) << 32),
            rip,
            ..Self::default()
        }
    }

    /// Returns where it is, or `None` if its MAC is not known.
    #[inline]
    pub fn link(&self) -> Option<Link> {
        let word = self.address.load();
        (word & Self::KNOWN != 0).then_some(Link {
            mac: MacAddr::from_word(word),
            vlan: VlanId::new((word >> 48) as u16),
        })
    }

    pub fn set_link(&self, link: Option<Link>) {
        let word = link.map_or(0, |Link { mac, vlan }| {
            mac.word() | u64::from(vlan.number()) << 48 | Self::KNOWN
        });
        self.address.store(word);
    }

    pub fn interface(&self) -> u32 {
        self.place.load() as u32
    }

    pub fn set_interface(&self, interface: u32) {
        let others = self.place.load() & !u64::from(u32::MAX);
        self.place.store(others | u64::from(interface));
    }

    pub fn service(&self) -> u16 {
        (self.place.load() >> 32) as u16
    }

    /// Has another record of its service be the owner.
    pub fn set_service(&self, service: u16) {
        let others = self.place.load() & !(u64::from(u16::MAX) << 32);
        self.place.store(others | u64::from(service) << 32);
    }

    /// Whether it has all of `flags`.
    pub fn is(&self, flags: u64) -> bool {
        self.place.load() & flags == flags
    }

    pub fn set(&self, flags: u64, on: bool) {
        let others = self.place.load() & !flags;
        self.place.store(if on { others | flags } else { others });
    }
}

const _: () = assert!(size_of::<Member>() == 32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_what_is_read_and_nothing_else_changes() {
        let member = Member::new(Address::v4([10, 0, 0, 2]), 0x1234);
        assert_eq!((member.link(), member.interface()), (None, 0));
        let link = Link {
            mac: MacAddr {
                octets: [2, 0, 0, 0, 0, 0xff],
            },
            vlan: VlanId::new(0xfff),
        };
        member.set_link(Some(link));
        member.set_interface(u32::MAX);
        member.set(Member::REMOVED | Member::EXPELLED, true);
        member.set(Member::EXPELLED, false);
        member.set_interface(7);
        member.set_service(0xffff);
        assert_eq!(member.link(), Some(link));
        assert_eq!((member.interface(), member.service()), (7, 0xffff));
        member.set_service(0x4321);
        assert_eq!((member.interface(), member.service()), (7, 0x4321));
        let is = [Member::REMOVED, Member::QUIESCED, Member::EXPELLED].map(|flag| member.is(flag));
        assert_eq!(is, [true, false, false]);
        member.set_link(None);
        assert_eq!(member.link(), None);
    }
}
