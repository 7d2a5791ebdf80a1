//! Maglev hashing (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer",
//! NSDI 2016, section 3.4), with weights.
//!
//! Every member has its own permutation of the slots and takes the next free one in it whenever it
//! has its turn; with weights, as often as its weight says. A permutation depends on the member's
//! address alone and turns are taken in the order of addresses, so directors with the same members
//! have the same table, whatever order they were added in. (IPVS takes list order.)

use std::net::IpAddr;

use super::Share;

pub(super) fn fill(shares: &[Share], slots: u32) -> Vec<u32> {
    let mut shares = shares.to_vec();
    shares.sort_by_key(|share| share.address);
    let mut table = vec![0; slots as usize];
    let mut taken = Bits::new(slots);
    let heaviest = shares.iter().map(|share| share.weight).max().unwrap_or(1);
    let mut turns: Vec<_> = shares
        .iter()
        .map(|share| (share, Permutation::new(share, slots), 0))
        .collect();
    let mut free = slots;
    while free > 0 && !shares.is_empty() {
        for (share, permutation, credit) in &mut turns {
            // The heaviest has a turn in each round, the others as often as they weigh.
            *credit += share.weight;
            if *credit < heaviest || free == 0 {
                continue;
            }
            *credit -= heaviest;
            let slot = permutation.next_free(&taken);
            taken.take(slot);
            table[slot as usize] = share.member;
            free -= 1;
        }
    }
    table
}

/// Which slots are taken. Each is looked for a dozen times, so the nearest cache has to hold this.
struct Bits(Vec<u64>);

impl Bits {
    fn new(len: u32) -> Self {
        Self(vec![0; len.div_ceil(64) as usize])
    }

    fn is_free(&self, slot: u32) -> bool {
        self.0[slot as usize / 64] >> (slot % 64) & 1 == 0
    }

    fn take(&mut self, slot: u32) {
        self.0[slot as usize / 64] |= 1 << (slot % 64);
    }
}

/// Visits every slot once: steps of a width that has no divisor in common with their number.
struct Permutation {
    at: u32,
    step: u32,
    slots: u32,
}

impl Permutation {
    fn new(share: &Share, slots: u32) -> Self {
        let address = match share.address {
            IpAddr::V4(address) => address.to_bits().into(),
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                spread((bits >> 64) as u64) ^ bits as u64
            }
        };
        let slots = u64::from(slots);
        let mut step = spread(address ^ 0x7365_7276_6572_7321) % (slots - 1) + 1;
        while gcd(step, slots) != 1 {
            step = step % (slots - 1) + 1;
        }
        Self {
            at: (spread(address) % slots) as u32,
            step: step as u32,
            slots: slots as u32,
        }
    }

    /// Goes on to a slot that is free, and past it.
    fn next_free(&mut self, taken: &Bits) -> u32 {
        let Self { at, step, slots } = *self;
        let mut next = at;
        loop {
            let slot = next;
            // Both are less than the slots: a division would cost more than all else here.
            next += step;
            if next >= slots {
                next -= slots;
            }
            if taken.is_free(slot) {
                self.at = next;
                return slot;
            }
        }
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). Where a member's slots are
/// is no secret: which flows fall on them is what the seed hides.
pub(super) fn spread(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_the_weights() {
        for weights in [
            &[1, 1, 1][..],
            &[1, 2, 3, 4],
            &[100, 1],
            &[65535, 1, 300],
            &[7],
        ] {
            let slots = 1021 * 8;
            let table = fill(&shares(weights), slots);
            let sum: u32 = weights.iter().sum();
            for (member, &weight) in (1..).zip(weights) {
                let count = table.iter().filter(|&&it| it == member).count() as f64;
                let share = f64::from(slots) * f64::from(weight) / f64::from(sum);
                assert!(
                    (count - share).abs() <= 2.0,
                    "{weights:?}: {member} has {count} of {share}"
                );
            }
        }
    }

    #[test]
    fn a_member_that_leaves_moves_little_else() {
        let before = fill(&shares(&[1; 10]), 1021);
        let mut rest = shares(&[1; 10]);
        rest.remove(4);
        let after = fill(&rest, 1021);
        let others = before
            .iter()
            .zip(&after)
            .filter(|(before, after)| **before != 5 && before != after);
        // The paper's figure 12: a small part of those that need not move do.
        let moved = others.count();
        assert!(moved < 1021 / 10, "{moved} of 1021");
    }

    #[test]
    fn the_order_of_members_does_not_matter() {
        let mut reversed = shares(&[1, 2, 3]);
        reversed.reverse();
        assert_eq!(fill(&reversed, 2042), fill(&shares(&[1, 2, 3]), 2042));
    }

    #[test]
    fn no_members_leave_the_slots_to_none() {
        assert_eq!(fill(&[], 1021), vec![0; 1021]);
    }

    fn shares(weights: &[u32]) -> Vec<Share> {
        let share = |(member, &weight): (u32, &u32)| Share {
            member,
            address: [10, 0, 0, member as u8].into(),
            weight,
            takes: true,
        };
        (1..).zip(weights).map(share).collect()
    }
}
