//! IP addresses of both versions, in a form that costs the older one nothing.

/// A version of IP.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Version(pub u8);

impl Version {
    pub const V4: Self = Self(4);
    pub const V6: Self = Self(6);
}

/// An address as two words of its octets as they lie. IPv4's four come first, and zeros behind
/// them: so the same octets may be an address of either version.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Address(pub [u64; 2]);

impl Address {
    pub fn v4(octets: [u8; 4]) -> Self {
        Self([u32::from_le_bytes(octets).into(), 0])
    }

    pub fn v6(octets: [u8; 16]) -> Self {
        let word = u128::from_le_bytes(octets);
        Self([word as u64, (word >> 64) as u64])
    }

    pub fn octets(self) -> [u8; 16] {
        let [first, second] = self.0.map(u128::from);
        (first | second << 64).to_le_bytes()
    }

    /// The octets of an IPv4 address.
    pub fn octets_v4(self) -> [u8; 4] {
        (self.0[0] as u32).to_le_bytes()
    }

    /// Keeps the bits that `mask` has.
    pub fn masked(self, mask: [u64; 2]) -> Self {
        Self([self.0[0] & mask[0], self.0[1] & mask[1]])
    }

    /// The mask of a prefix of so many bits of any address.
    pub fn prefix_mask(bits: u32) -> [u64; 2] {
        let mask = u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0);
        Self::v6(mask.to_be_bytes()).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_kept_in_their_order() {
        let v6 = core::array::from_fn(|i| i as u8 + 1);
        assert_eq!(Address::v6(v6).octets(), v6);
        assert_eq!(Address::v4([192, 0, 2, 1]).octets_v4(), [192, 0, 2, 1]);
        assert_eq!(Address::v4([192, 0, 2, 1]).octets()[..5], [192, 0, 2, 1, 0]);
    }

    #[test]
    fn a_prefix_keeps_the_leading_bits() {
        let all = Address::v6([0xff; 16]);
        for (bits, kept) in [
            (0, 0),
            (8, 1),
            (24, 3),
            (64, 8),
            (72, 9),
            (128, 16),
            (999, 16),
        ] {
            let octets = all.masked(Address::prefix_mask(bits)).octets();
            let mut expected = [0; 16];
            expected[..kept].fill(0xff);
            assert_eq!(octets, expected, "/{bits}");
        }
        let mask = Address::prefix_mask(28);
        let masked = Address::v4([10, 1, 2, 0x9f]).masked(mask);
        assert_eq!(masked.octets_v4(), [10, 1, 2, 0x90]);
    }
}
