//! Ethernet II (IEEE 802.3 clause 3) and its VLAN tags (IEEE 802.1Q clause 9).

use core::fmt;

use super::headers;

#[repr(transparent)]
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr {
    pub octets: [u8; 6],
}

impl MacAddr {
    pub const UNSPECIFIED: Self = Self { octets: [0; 6] };
    pub const BROADCAST: Self = Self { octets: [0xff; 6] };

    /// Of the low 48 bits, the low octet first.
    pub fn from_word(word: u64) -> Self {
        let [a, b, c, d, e, f, _, _] = word.to_le_bytes();
        Self {
            octets: [a, b, c, d, e, f],
        }
    }

    /// Returns the octets as a word, the low one first.
    pub fn word(self) -> u64 {
        let [a, b, c, d, e, f] = self.octets;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }

    /// Whether this is a virtual router's address (RFC 9568 section 7.3), which a director
    /// answers to while it holds the virtual router.
    pub fn is_virtual_router(self) -> bool {
        let [a, b, c, d, e, _] = self.octets;
        [a, b, c, d] == [0x00, 0x00, 0x5e, 0x00] && (e == 1 || e == 2)
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.octets;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EtherType([u8; 2]);

impl EtherType {
    pub const IPV4: Self = Self([0x08, 0x00]);
    pub const ARP: Self = Self([0x08, 0x06]);
    pub const IPV6: Self = Self([0x86, 0xdd]);
    /// A customer tag.
    pub const VLAN: Self = Self([0x81, 0x00]);
    /// A service tag.
    pub const SERVICE_VLAN: Self = Self([0x88, 0xa8]);

    pub fn is_vlan(self) -> bool {
        self == Self::VLAN || self == Self::SERVICE_VLAN
    }
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Ethernet {
    pub destination: MacAddr,
    pub source: MacAddr,
    pub ether_type: EtherType,
}

/// What follows an EtherType of [`EtherType::is_vlan`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Vlan {
    control: [u8; 2],
    pub ether_type: EtherType,
}

/// A frame's head with one tag.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Tagged {
    pub destination: MacAddr,
    pub source: MacAddr,
    pub tag_type: EtherType,
    pub vlan: Vlan,
}

/// A VLAN's number, of 12 bits; 0 is none: a tag that has it tells a priority alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VlanId(u16);

impl VlanId {
    pub const NONE: Self = Self(0);
    const BITS: u16 = 0xfff;

    pub fn new(number: u16) -> Self {
        Self(number & Self::BITS)
    }

    pub fn number(self) -> u16 {
        self.0
    }
}

impl Vlan {
    pub fn id(&self) -> VlanId {
        VlanId::new(u16::from_be_bytes(self.control))
    }

    /// Sets the VLAN; the priority stays.
    pub fn set_id(&mut self, id: VlanId) {
        let priority = u16::from_be_bytes(self.control) & !VlanId::BITS;
        self.control = (priority | id.0).to_be_bytes();
    }

    /// Makes it a tag of no priority.
    pub fn begin(&mut self, id: VlanId) {
        self.control = id.0.to_be_bytes();
    }
}

headers!(Ethernet: 14, Vlan: 4, Tagged: 18);
