//! What clients' attempts to connect say of real servers, compared with each other.
//!
//! A flood from forged addresses falls on all of them alike, and so takes none: one goes that has far more attempts
//! without an answer than the others have, of as many.

use std::{
    cmp::Reverse,
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::install::Attempts;

/// When a real server is taken out, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passive {
    /// More of its attempts than this have no answer: per cent.
    pub percent: u32,
    /// As many attempts are needed, of it and of the others.
    pub attempts: u32,
    /// Seconds in which they are counted.
    pub window: u32,
    /// Seconds until it is tried again.
    pub hold: u32,
}

/// The attempts to connect to a real server in the last seconds.
#[derive(Debug, Default)]
pub struct Recent(VecDeque<(Instant, Attempts)>);

impl Recent {
    pub fn add(&mut self, now: Instant, attempts: Attempts) {
        match self.0.back_mut() {
            // So that their number is bounded.
            Some((at, last)) if now.duration_since(*at) < Duration::from_secs(1) => {
                *last += attempts;
            }
            _ => self.0.push_back((now, attempts)),
        }
    }

    /// Sums up those of a window, and forgets older ones.
    pub fn within(&mut self, window: Duration, now: Instant) -> Attempts {
        while let Some((at, _)) = self.0.front()
            && now.duration_since(*at) > window
        {
            self.0.pop_front();
        }
        let mut sum = Attempts::default();
        for &(_, attempts) in &self.0 {
            sum += attempts;
        }
        sum
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl Passive {
    pub fn window(&self) -> Duration {
        Duration::from_secs(self.window.into())
    }

    pub fn hold(&self) -> Duration {
        Duration::from_secs(self.hold.into())
    }

    /// Returns which real servers are to be taken out, by their places in `serving`: the attempts of each that takes
    /// connections. `out`: how many more there are that would, had they not been taken out.
    pub fn judge(&self, serving: &[Attempts], out: usize) -> Vec<usize> {
        let mut all = Attempts::default();
        for &attempts in serving {
            all += attempts;
        }
        let mut failing: Vec<usize> = (0..serving.len())
            .filter(|&i| self.fails(serving[i], all))
            .collect();
        let share = |i: &usize| {
            let it = serving[*i];
            Reverse((it.unanswered * 1000 / it.all().max(1), it.unanswered))
        };
        failing.sort_by_key(share);
        failing.truncate(most(serving.len() + out).saturating_sub(out));
        failing
    }

    fn fails(&self, its: Attempts, all: Attempts) -> bool {
        let others = Attempts {
            answered: all.answered - its.answered,
            unanswered: all.unanswered - its.unanswered,
        };
        let enough = u64::from(self.attempts);
        its.all() >= enough
            && others.all() >= enough
            && its.unanswered * 100 > its.all() * u64::from(self.percent)
            // More than twice the share of the others.
            && its.unanswered * others.all() > 2 * others.unanswered * its.all()
    }

    /// Says why one is taken out.
    pub fn reason(&self, its: Attempts) -> String {
        let (unanswered, all) = (its.unanswered, its.all());
        format!(
            "{unanswered} of {all} connections unanswered in {} s",
            self.window
        )
    }
}

/// Of so many real servers, how many may be out at once.
pub fn most(reals: usize) -> usize {
    reals / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSIVE: Passive = Passive {
        percent: 50,
        attempts: 20,
        window: 10,
        hold: 30,
    };

    /// Of each that takes connections: attempts that were answered, and that were not.
    #[test]
    fn one_goes_that_is_far_worse_than_the_others() {
        for (what, serving, out, want) in [
            (
                "all are well",
                &[(100, 0), (100, 0), (100, 0)][..],
                0,
                &[][..],
            ),
            (
                "one of three is dead",
                &[(100, 0), (0, 25), (100, 0)],
                0,
                &[1],
            ),
            ("one of two", &[(0, 25), (100, 0)], 0, &[0]),
            ("all of two", &[(0, 25), (0, 25)], 0, &[]),
            ("all of three", &[(0, 25), (0, 25), (0, 25)], 0, &[]),
            ("the only one", &[(0, 25)], 0, &[]),
            ("none", &[], 0, &[]),
            ("a flood on all", &[(30, 900), (31, 905), (29, 890)], 0, &[]),
            (
                "a flood on all, one dead",
                &[(0, 930), (31, 905), (29, 890)],
                0,
                &[],
            ),
            (
                "a small flood on all, one dead",
                &[(0, 100), (70, 30), (69, 32)],
                0,
                &[0],
            ),
            ("just the share", &[(20, 20), (100, 0)], 0, &[]),
            ("just above it", &[(20, 21), (100, 0)], 0, &[0]),
            (
                "just twice the others'",
                &[(20, 60), (50, 30), (50, 30)],
                0,
                &[],
            ),
            (
                "just more than that",
                &[(19, 60), (50, 30), (50, 30)],
                0,
                &[0],
            ),
            ("too few attempts", &[(0, 19), (100, 0)], 0, &[]),
            ("enough of them", &[(0, 20), (100, 0)], 0, &[0]),
            ("too few of the others", &[(0, 25), (19, 0)], 0, &[]),
            ("others that have none", &[(0, 25), (0, 0), (0, 0)], 0, &[]),
            (
                "two of five",
                &[(0, 25), (100, 0), (0, 30), (90, 0), (80, 0)],
                0,
                &[2, 0],
            ),
            (
                "half of four",
                &[(0, 25), (0, 30), (90, 0), (80, 0)],
                0,
                &[1, 0],
            ),
            (
                "two of three: the worse",
                &[(10, 50), (0, 30), (900, 0)],
                0,
                &[1],
            ),
            ("one of three, one is out", &[(0, 25), (100, 0)], 1, &[]),
            (
                "one of four, one is out",
                &[(0, 25), (90, 0), (100, 0)],
                1,
                &[0],
            ),
            ("one of four, two are out", &[(0, 25), (100, 0)], 2, &[]),
            ("the last of two", &[(0, 25)], 1, &[]),
        ] {
            let attempts = serving.iter().map(|&(answered, unanswered)| Attempts {
                answered,
                unanswered,
            });
            let found = PASSIVE.judge(&attempts.collect::<Vec<_>>(), out);
            assert_eq!(found, want, "{what}");
        }
    }

    #[test]
    fn attempts_are_those_of_the_window() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let one = Attempts {
            answered: 1,
            unanswered: 2,
        };
        let mut recent = Recent::default();
        for millis in [0, 900, 1000, 5000, 12_000] {
            recent.add(at(millis), one);
        }
        assert_eq!(recent.0.len(), 4, "two are of one second");
        for (millis, want) in [(12_000, 2), (14_999, 2), (15_001, 1), (30_000, 0)] {
            let found = recent.within(PASSIVE.window(), at(millis));
            assert_eq!((found.answered, found.unanswered), (want, 2 * want));
        }
    }
}
