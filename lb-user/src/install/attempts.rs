//! What becomes of attempts to connect: each counts once, when its client goes on or when it has waited too long.
//!
//! Of direct routing a director sees the clients' half alone. A client whose SYN is answered sends an ACK within a round
//! trip; one that is not answered, or refused, leaves a record that stays embryonic.

use lb_common::tables::{Record, State};

/// Seconds without an answer: more than a SYN that is lost once takes (RFC 6298 section 2.1: one second).
const PATIENCE: u32 = 3;

/// Attempts whose outcome a sweep has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    pub answered: u64,
    pub unanswered: u64,
}

impl Attempts {
    pub fn all(self) -> u64 {
        self.answered + self.unanswered
    }
}

impl std::ops::AddAssign for Attempts {
    fn add_assign(&mut self, other: Self) {
        self.answered += other.answered;
        self.unanswered += other.unanswered;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    Unanswered,
}

/// What is known of the flow in each way: of its tag 8 bits, the second it was first seen in in 6, what it was counted
/// as in 2. Two octets, written when that changes; 0 is nothing.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<u16>);

const WAITING: u16 = 1;
const ANSWERED: u16 = 2;
const UNANSWERED: u16 = 3;

impl Notes {
    /// Makes room for so many ways; whether nothing was known before.
    pub(super) fn begin(&mut self, ways: usize) -> bool {
        let is_new = self.0.len() != ways;
        if is_new {
            self.0 = vec![0; ways];
        }
        is_new
    }

    /// Forgets a flow whose record goes: its client may come again by the same port.
    pub(super) fn forget(&mut self, way: usize) {
        if let Some(note) = self.0.get_mut(way) {
            *note = 0;
        }
    }

    /// Sees the record of a flow that is not of datagrams; returns what has become of it, once.
    pub(super) fn see(&mut self, way: usize, record: Record, now: u32) -> Option<Outcome> {
        let note = self.0.get_mut(way)?;
        let its = record.tag << 8;
        let before = match *note & 0xff00 == its {
            true => *note & 3,
            false => 0,
        };
        let second = |second: u32| (second & 63) as u16;
        match record.state {
            State::Embryonic => {
                let begun = match before {
                    UNANSWERED => return None,
                    WAITING => *note >> 2 & 63,
                    // Later it is seen again, whatever its client sends.
                    _ => second(now.wrapping_sub(record.idle(now))),
                };
                let has_waited = second(now.wrapping_sub(begun.into())) >= PATIENCE as u16;
                let kind = if has_waited { UNANSWERED } else { WAITING };
                *note = its | begun << 2 | kind;
                has_waited.then_some(Outcome::Unanswered)
            }
            State::Established | State::Closing | State::Closed => {
                if before == ANSWERED {
                    return None;
                }
                *note = its | ANSWERED;
                // One that was answered late has been counted.
                (before != UNANSWERED).then_some(Outcome::Answered)
            }
            State::Udp | State::Template | State::Fragments => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sweeps: the second, the record's last second, its state. `+` answered, `-` unanswered.
    #[test]
    fn each_attempt_counts_once() {
        use State::{Closed, Closing, Embryonic, Established};
        for (what, sweeps, want) in [
            (
                "answered at once",
                &[(100, 100, Established), (105, 101, Established)][..],
                "+.",
            ),
            (
                "answered, and over between two sweeps",
                &[(100, 98, Closed), (105, 98, Closed)],
                "+.",
            ),
            (
                "answered in the second of a sweep",
                &[(100, 100, Embryonic), (101, 100, Established)],
                ".+",
            ),
            // SYNs after 0, 1, 3 and 7 s, as RFC 6298 has them.
            (
                "never, each second",
                &[
                    (100, 100, Embryonic),
                    (101, 101, Embryonic),
                    (102, 101, Embryonic),
                    (103, 103, Embryonic),
                    (104, 103, Embryonic),
                    (107, 107, Embryonic),
                    (110, 107, Embryonic),
                ],
                "...-...",
            ),
            (
                "never, each fifth second",
                &[
                    (101, 101, Embryonic),
                    (106, 103, Embryonic),
                    (111, 107, Embryonic),
                ],
                ".-.",
            ),
            (
                "a client that gave up",
                &[(105, 101, Embryonic), (110, 101, Embryonic)],
                "-.",
            ),
            (
                "answered late",
                &[
                    (100, 100, Embryonic),
                    (104, 103, Embryonic),
                    (108, 107, Established),
                    (112, 112, Closing),
                ],
                ".-..",
            ),
            (
                "the next from the same port",
                &[
                    (100, 100, Closing),
                    (105, 105, Embryonic),
                    (109, 108, Embryonic),
                    (114, 114, Established),
                ],
                "+.-.",
            ),
            (
                "renewed while the sweep went on",
                &[
                    (100, 101, Embryonic),
                    (101, 101, Embryonic),
                    (104, 103, Embryonic),
                ],
                "..-",
            ),
            (
                "over the end of the clock's bits",
                &[
                    (0xff_fffe, 0xff_fffe, Embryonic),
                    (0x100_0001, 1, Embryonic),
                ],
                ".-",
            ),
        ] {
            let mut notes = Notes::default();
            assert!(notes.begin(4));
            let outcomes = sweeps.iter().map(|&(now, seen, state)| {
                let record = Record::new(0x1234_5678_9abc, 7, seen, state);
                match notes.see(1, record, now) {
                    None => '.',
                    Some(Outcome::Answered) => '+',
                    Some(Outcome::Unanswered) => '-',
                }
            });
            assert_eq!(outcomes.collect::<String>(), want, "{what}");
        }
    }

    #[test]
    fn another_flow_in_the_same_way_is_another_attempt() {
        let mut notes = Notes::default();
        assert!(notes.begin(4) && !notes.begin(4));
        let record = |fingerprint, seen| Record::new(fingerprint, 7, seen, State::Embryonic);
        let (one, two) = (record(1 << 20, 100), record(1 << 21, 104));
        assert_eq!(notes.see(0, one, 103), Some(Outcome::Unanswered));
        assert_eq!(notes.see(0, two, 104), None);
        assert_eq!(notes.see(0, two, 107), Some(Outcome::Unanswered));
        assert_eq!(notes.see(0, two, 108), None);
        notes.forget(0);
        assert_eq!(notes.see(0, two, 109), Some(Outcome::Unanswered));
    }
}
