//! A slot: which member takes the flows that fall on it.

/// `current` in 24 bits, in 24 what `base` differs from it by, then the flag: so that a clean slot is
/// the number of its member. Member 0 is none.
///
/// - *clean*, `current == base` and no exceptions: every flow is `current`'s;
/// - *moving*, `current != base`: new flows are `current`'s, flows without a record `base`'s;
/// - *exceptions*: settled, but records that differ from `current` are still live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotValue {
    /// Takes new flows.
    pub current: u32,
    /// Keeps the flows that have no record.
    pub base: u32,
    /// Records have to be looked at first.
    pub exceptions: bool,
}

const ID: u64 = 0xff_ffff;

impl SlotValue {
    pub fn clean(member: u32) -> Self {
        Self {
            current: member,
            base: member,
            exceptions: false,
        }
    }

    pub fn is_clean(self) -> bool {
        self.current == self.base && !self.exceptions
    }

    /// Returns the member of a clean slot, packed; else `None`.
    pub fn clean_member(word: u64) -> Option<u32> {
        (word <= ID).then_some(word as u32)
    }

    #[inline]
    pub fn pack(self) -> u64 {
        let difference = self.current ^ self.base;
        u64::from(self.current) | u64::from(difference) << 24 | u64::from(self.exceptions) << 48
    }

    #[inline]
    pub fn unpack(word: u64) -> Self {
        Self {
            current: (word & ID) as u32,
            base: ((word ^ word >> 24) & ID) as u32,
            exceptions: word >> 48 != 0,
        }
    }
}

/// Returns which of `slots` a hash falls on: its high half scaled to the range, which needs no
/// division, and doubles with the range (slot i becomes 2i or 2i + 1).
pub fn slot_of(hash: u64, slots: u32) -> u32 {
    (((hash >> 32) * u64::from(slots)) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_packed_a_clean_slot_alone_tells_its_member() {
        for (current, base, exceptions, member) in [
            (0, 0, false, Some(0)),
            (7, 7, false, Some(7)),
            (0xff_ffff, 0xff_ffff, false, Some(0xff_ffff)),
            (7, 7, true, None),
            (7, 0, false, None),
            (0, 7, false, None),
            (0xff_ffff, 1, true, None),
        ] {
            let value = SlotValue {
                current,
                base,
                exceptions,
            };
            assert_eq!(SlotValue::unpack(value.pack()), value);
            assert_eq!(SlotValue::clean_member(value.pack()), member, "{value:?}");
            assert_eq!(value.is_clean(), member.is_some());
        }
    }

    #[test]
    fn a_table_of_twice_the_slots_splits_each_slot_in_two() {
        for i in 0..10_000_u64 {
            let hash = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for slots in [1, 7, 1021, 65_344] {
                let slot = slot_of(hash, slots);
                assert!(slot < slots);
                assert_eq!(slot_of(hash, slots * 2) / 2, slot);
            }
        }
    }
}
