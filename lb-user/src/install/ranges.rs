//! Which ranges of the slots are free.

use std::collections::BTreeMap;

/// Seconds until a range that was given back is free: a packet may still be reading it.
const REST: u32 = 2;

#[derive(Debug)]
pub(super) struct Ranges {
    /// Length by start; no two touch.
    free: BTreeMap<u32, u32>,
    /// Start, length, and the second it was given back.
    resting: Vec<(u32, u32, u32)>,
}

impl Ranges {
    pub(super) fn new(slots: u32) -> Self {
        Self {
            free: BTreeMap::from([(0, slots)]),
            resting: Vec::new(),
        }
    }

    /// Marks a range as taken that was found to be.
    pub(super) fn take(&mut self, first: u32, len: u32) {
        let free = self.free.range(..=first).next_back();
        let Some((start, size)) = free.map(|(&start, &size)| (start, size)) else {
            return;
        };
        if len == 0 || first + len > start + size {
            return;
        }
        self.free.remove(&start);
        if first > start {
            self.free.insert(start, first - start);
        }
        if start + size > first + len {
            self.free.insert(first + len, start + size - first - len);
        }
    }

    /// Returns the start of a free range, which is now taken; the lowest that fits.
    pub(super) fn find(&mut self, len: u32, now: u32) -> Option<u32> {
        let (rested, resting) = std::mem::take(&mut self.resting)
            .into_iter()
            .partition(|&(_, _, since)| now.wrapping_sub(since) >= REST);
        self.resting = resting;
        for (first, len, _) in rested {
            self.free_again(first, len);
        }
        let found = self.free.iter().find(|&(_, &size)| size >= len);
        let start = *found?.0;
        self.take(start, len);
        Some(start)
    }

    pub(super) fn give_back(&mut self, first: u32, len: u32, now: u32) {
        if len > 0 {
            self.resting.push((first, len, now));
        }
    }

    /// Slots that are not taken, resting ones included.
    pub(super) fn unused(&self) -> u32 {
        let resting = self.resting.iter().map(|&(_, len, _)| len);
        self.free.values().copied().chain(resting).sum()
    }

    fn free_again(&mut self, mut first: u32, mut len: u32) {
        if let Some((&before, &size)) = self.free.range(..first).next_back()
            && before + size == first
        {
            self.free.remove(&before);
            first = before;
            len += size;
        }
        if let Some(after) = self.free.remove(&(first + len)) {
            len += after;
        }
        self.free.insert(first, len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_taken_given_back_and_joined() {
        let mut ranges = Ranges::new(100);
        assert_eq!(ranges.find(40, 0), Some(0));
        assert_eq!(ranges.find(40, 0), Some(40));
        assert_eq!(ranges.find(40, 0), None, "20 are left");
        ranges.give_back(0, 40, 10);
        assert_eq!(ranges.find(40, 11), None, "still resting");
        assert_eq!(ranges.find(40, 12), Some(0));
        ranges.give_back(0, 40, 20);
        ranges.give_back(40, 40, 20);
        assert_eq!(ranges.find(100, 22), Some(0), "joined with the 20");
    }

    #[test]
    fn what_was_found_taken_is_not_given_out() {
        let mut ranges = Ranges::new(100);
        ranges.take(10, 20);
        ranges.take(0, 0);
        assert_eq!(ranges.find(20, 0), Some(30));
        assert_eq!(ranges.find(10, 0), Some(0));
        assert_eq!(ranges.unused(), 50);
    }
}
