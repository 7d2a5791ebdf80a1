//! When each check is due.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use tokio::time::Instant;

/// Numbers of targets, by time. What is taken out of it may be of a target that has gone.
#[derive(Debug, Default)]
pub(super) struct Queue(BinaryHeap<Reverse<(Instant, u64)>>);

impl Queue {
    pub(super) fn push(&mut self, due: Instant, id: u64) {
        self.0.push(Reverse((due, id)));
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|&Reverse((due, _))| due)
    }

    /// The one that is due first, if it is due.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Instant, u64)> {
        self.next().filter(|&due| due <= now)?;
        self.0.pop().map(|Reverse(due)| due)
    }

    /// Without those that have gone: they would otherwise add up, under a daemon that is told of changes all the time.
    pub(super) fn retain(&mut self, is_there: impl Fn(u64) -> bool) {
        self.0.retain(|&Reverse((_, id))| is_there(id));
    }
}

/// Random enough to keep checks from falling into step (xorshift64*).
#[derive(Debug)]
pub(in crate::health) struct Jitter(u64);

impl Jitter {
    pub(in crate::health) fn new() -> Self {
        let mut seed = [0; 8];
        // Without, all daemons have the same.
        let _ = rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty());
        Self(u64::from_ne_bytes(seed) | 1)
    }

    /// Of the whole, up to all of it.
    pub(in crate::health) fn part(&mut self, whole: Duration) -> Duration {
        whole.mul_f64(self.fraction())
    }

    /// The whole, give or take a tenth.
    pub(in crate::health) fn about(&mut self, whole: Duration) -> Duration {
        whole.mul_f64(0.9 + 0.2 * self.fraction())
    }

    fn fraction(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_first_comes_first_and_not_before() {
        let now = Instant::now();
        let at = |ms| now + Duration::from_millis(ms);
        let mut queue = Queue::default();
        for (ms, id) in [(30, 3), (10, 1), (20, 2), (10, 4)] {
            queue.push(at(ms), id);
        }
        assert_eq!(queue.next(), Some(at(10)));
        assert_eq!(queue.pop(at(9)), None);
        assert_eq!(queue.pop(at(25)), Some((at(10), 1)));
        queue.retain(|id| id != 4);
        assert_eq!(queue.pop(at(25)), Some((at(20), 2)));
        assert_eq!(queue.pop(at(25)), None);
    }

    #[test]
    fn intervals_vary_by_a_tenth() {
        let mut jitter = Jitter::new();
        let whole = Duration::from_secs(10);
        let all: Vec<_> = (0..1000).map(|_| jitter.about(whole)).collect();
        let seconds = |n| Duration::from_secs(n);
        assert!(all.iter().all(|it| (seconds(9)..=seconds(11)).contains(it)));
        let below = all.iter().filter(|&&it| it < whole).count();
        assert!((400..600).contains(&below), "{below} of 1000");
    }
}
