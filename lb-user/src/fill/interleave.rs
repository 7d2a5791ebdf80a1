//! Turns in proportion to the weights, spread evenly: three turns of a and one of b are `a a b a`,
//! not `a a a b`.
//!
//! The smooth weighted round robin of nginx (`ngx_http_upstream_get_peer`): at each turn every
//! member gains its weight, and the one that has most loses the sum. IPVS's wrr
//! (`ip_vs_wrr.c`) gives the same shares, in bursts.

use super::Share;

/// Turns of a round at the most. Weights that do not fit are scaled, to within one part in 4096.
const TURNS_MAX: u32 = 4096;

/// Returns how many turns each share has in a round: the weights in lowest terms.
pub(super) fn turns(shares: &[Share]) -> Vec<u32> {
    let divisor = shares
        .iter()
        .fold(0, |a, share| gcd(a, share.weight))
        .max(1);
    let sum: u64 = shares
        .iter()
        .map(|share| u64::from(share.weight / divisor))
        .sum();
    let scaled = |share: &Share| {
        let turns = share.weight / divisor;
        if sum <= u64::from(TURNS_MAX) {
            return turns;
        }
        let turns = u64::from(turns) * u64::from(TURNS_MAX) / sum;
        (turns as u32).max(1)
    };
    shares.iter().map(scaled).collect()
}

pub(super) fn fill(shares: &[Share]) -> Vec<u32> {
    let turns = turns(shares);
    let sum: u32 = turns.iter().sum();
    let mut credit = vec![0_i64; shares.len()];
    let next = |_| {
        for (credit, turns) in credit.iter_mut().zip(&turns) {
            *credit += i64::from(*turns);
        }
        // The first of those that have most.
        let best = (0..shares.len()).rev().max_by_key(|&i| credit[i])?;
        credit[best] -= i64::from(sum);
        Some(shares[best].member)
    };
    (0..sum).map_while(next).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_become_evenly_spread_turns() {
        for (weights, expected) in [
            (&[][..], &[][..]),
            (&[1], &[1]),
            (&[7], &[1]),
            (&[1, 1], &[1, 2]),
            (&[2, 2, 2], &[1, 2, 3]),
            (&[3, 1], &[1, 1, 2, 1]),
            // The example of nginx's commit 52327e0627f4.
            (&[5, 1, 1], &[1, 1, 2, 1, 3, 1, 1]),
            (&[10, 20], &[2, 1, 2]),
        ] {
            assert_eq!(fill(&shares(weights)), expected, "{weights:?}");
        }
    }

    #[test]
    fn large_weights_keep_their_proportion() {
        let filled = fill(&shares(&[65535, 21845, 1]));
        assert!(filled.len() <= TURNS_MAX as usize + 1);
        let count = |member| filled.iter().filter(|&&it| it == member).count();
        assert_eq!(count(3), 1);
        let ratio = count(1) as f64 / count(2) as f64;
        assert!((2.98..3.02).contains(&ratio), "{ratio}");
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
