//! What the results of one real server's checks say of it.

/// Up or down, as so many results in a row have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Judge {
    is_up: Option<bool>,
    is_told: bool,
    /// The last result, and how many of the kind there are in a row.
    is_good: bool,
    in_a_row: u32,
}

impl Judge {
    /// `before`: what is known. Of a real server of which nothing is, the first result decides.
    pub(super) fn new(before: Option<bool>) -> Self {
        Self {
            is_up: before,
            is_told: false,
            is_good: false,
            in_a_row: 0,
        }
    }

    /// Takes a result; returns the judgement if it is another one, or the first that a result bears out.
    pub(super) fn take(&mut self, is_good: bool, (rise, fall): (u32, u32)) -> Option<bool> {
        self.in_a_row = match is_good == self.is_good {
            true => self.in_a_row.saturating_add(1),
            false => 1,
        };
        self.is_good = is_good;
        let wanted = if is_good { rise } else { fall };
        let turns = match self.is_up {
            None => true,
            Some(is_up) => is_up != is_good && self.in_a_row >= wanted,
        };
        if turns {
            self.is_up = Some(is_good);
        }
        let tells = turns || !self.is_told && self.is_up == Some(is_good);
        self.is_told |= tells;
        tells.then_some(is_good)
    }

    pub(super) fn is_up(&self) -> Option<bool> {
        self.is_up
    }

    pub(super) fn in_a_row(&self) -> u32 {
        self.in_a_row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Results: `+` good, `-` bad. What is told after each: `U` up, `D` down, `.` nothing.
    #[test]
    fn results_in_a_row_decide() {
        for (before, rise, fall, results, want) in [
            (None, 2, 3, "+++", "U.."),
            (None, 2, 3, "----", "D..."),
            (None, 2, 3, "-+-++", "D...U"),
            (None, 2, 3, "+--+---+-++", "U.....D...U"),
            (None, 1, 1, "+-+-", "UDUD"),
            (Some(true), 2, 3, "+---", "U..D"),
            (Some(true), 2, 3, "---+", "..D."),
            (Some(true), 2, 3, "-+--+---", ".U.....D"),
            (Some(false), 2, 3, "-+-++", "D...U"),
            (Some(false), 2, 3, "++", ".U"),
        ] {
            let mut judge = Judge::new(before);
            let told: String = results
                .chars()
                .map(|result| match judge.take(result == '+', (rise, fall)) {
                    None => '.',
                    Some(true) => 'U',
                    Some(false) => 'D',
                })
                .collect();
            assert_eq!(told, want, "{before:?} {rise} {fall} {results}");
        }
    }

    /// Every sequence of ten results: what has been told is what the last change's results in a row say.
    #[test]
    fn all_sequences_agree_with_their_definition() {
        for (rise, fall) in [(1, 1), (1, 3), (2, 3), (3, 2), (4, 4)] {
            for bits in 0_u32..1 << 10 {
                let results: Vec<bool> = (0..10).map(|i| bits >> i & 1 == 1).collect();
                let mut judge = Judge::new(None);
                let mut state = None;
                for n in 1..=results.len() {
                    let told = judge.take(results[n - 1], (rise, fall));
                    let all = |want: bool, number: u32| {
                        results[..n].len() >= number as usize
                            && results[n - number as usize..n].iter().all(|&it| it == want)
                    };
                    let next = match state {
                        None => results[0],
                        Some(true) => !all(false, fall),
                        Some(false) => all(true, rise),
                    };
                    assert_eq!(told, (state != Some(next)).then_some(next));
                    state = Some(next);
                    assert_eq!(judge.is_up(), state);
                }
            }
        }
    }
}
