//! IPv4 (RFC 791 section 3.1).

use core::mem::offset_of;

use super::{Protocol, headers};

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Ipv4 {
    version_ihl: u8,
    _tos: u8,
    total_len: [u8; 2],
    pub id: [u8; 2],
    flags_fragment: [u8; 2],
    ttl: u8,
    pub protocol: Protocol,
    checksum: [u8; 2],
    pub source: [u8; 4],
    pub destination: [u8; 4],
}

impl Ipv4 {
    pub const CHECKSUM: usize = offset_of!(Self, checksum);

    /// Octets of the header with its options, or `None` if it is not IPv4 or shorter than this.
    pub fn header_len(&self) -> Option<usize> {
        let len = usize::from(self.version_ihl & 0xf) * 4;
        matches!(self.version_ihl, 0x45..=0x4f).then_some(len)
    }

    /// Whether it is the whole of a datagram, without options.
    pub fn is_plain(&self) -> bool {
        self.version_ihl == 0x45 && !self.is_fragment()
    }

    /// Whether this is a fragment, the first included.
    pub fn is_fragment(&self) -> bool {
        // More fragments follow, or others come before.
        u16::from_be_bytes(self.flags_fragment) & 0x3fff != 0
    }

    /// Octets with this header, as it says itself.
    pub fn total_len(&self) -> usize {
        usize::from(u16::from_be_bytes(self.total_len))
    }

    /// Whether this is a fragment that begins with the transport's header, or none.
    pub fn begins_transport(&self) -> bool {
        u16::from_be_bytes(self.flags_fragment) & 0x1fff == 0
    }

    /// Decrements the time to live, as a router does; `None` if that would end it.
    ///
    /// The checksum follows by RFC 1624 equation 3: the word that has the time to live in its first
    /// octet shrinks by one there, so the complement grows by as much. The sum is the same in either
    /// byte order (RFC 1071 section 2), and in this one no octets are swapped.
    pub fn decrement_ttl(&mut self) -> Option<()> {
        if self.ttl <= 1 {
            return None;
        }
        self.ttl -= 1;
        let sum = u32::from(u16::from_le_bytes(self.checksum)) + 1;
        self.checksum = ((sum + (sum >> 16)) as u16).to_le_bytes();
        Some(())
    }
}

headers!(Ipv4: 20);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::FrameMut as _;

    #[test]
    fn every_ttl_leaves_a_checksum_that_verifies() {
        for ttl in 2..=255 {
            for id in [0, 0x1234, 0xfefe, 0xffff_u16] {
                let mut bytes = header(ttl, id);
                assert_eq!(sum(&bytes), 0xffff, "before");
                bytes
                    .header_mut::<Ipv4>(0)
                    .unwrap()
                    .decrement_ttl()
                    .unwrap();
                assert_eq!(bytes[8], ttl - 1);
                assert_eq!(sum(&bytes), 0xffff, "ttl {ttl}, id {id:#x}");
            }
        }
    }

    #[test]
    fn a_ttl_that_ends_changes_nothing() {
        for ttl in [0, 1] {
            let mut bytes = header(ttl, 7);
            let before = bytes;
            let ended = bytes.header_mut::<Ipv4>(0).unwrap().decrement_ttl();
            assert_eq!((ended, bytes), (None, before));
        }
    }

    fn header(ttl: u8, id: u16) -> [u8; 20] {
        let [high, low] = id.to_be_bytes();
        let mut bytes = [
            0x45, 0, 0, 40, high, low, 0, 0, ttl, 6, 0, 0, 10, 0, 0, 9, 10, 0, 0, 100,
        ];
        let checksum = !sum(&bytes);
        bytes[10..12].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    /// The one's complement sum of RFC 1071 section 1, from scratch.
    fn sum(bytes: &[u8]) -> u16 {
        let mut sum: u32 = bytes
            .chunks(2)
            .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
            .sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }
}
