//! What happens by chance, and again with the same seed.

use std::{env, time::UNIX_EPOCH};

/// xorshift64 (Marsaglia, 2003): any sequence does, if it is the same again.
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        // 0 would stay 0.
        Self(seed ^ 0x9e37_79b9_7f4a_7c15 | 1)
    }

    /// Returns a number less than `most`, which is not 0.
    pub fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % most
    }

    /// Whether one of so many times has come.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Returns one of them, of which there are some.
    pub fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// How often to try, and the seed, which is told: as `FUZZ_COUNT` and `FUZZ_SEED` have it. Without them it is so often, and
/// always the same; with the first alone, never.
pub fn fuzz(count: u64) -> (u64, u64) {
    let number = |variable: &str| env::var(variable).ok()?.parse().ok();
    let asked = number("FUZZ_COUNT");
    let seed = number("FUZZ_SEED").unwrap_or_else(|| match asked {
        Some(_) => UNIX_EPOCH.elapsed().map_or(1, |it| it.as_nanos() as u64),
        None => 1,
    });
    println!("FUZZ_SEED={seed}");
    (asked.unwrap_or(count), seed)
}
