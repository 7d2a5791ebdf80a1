//! Finding, renewing and entering the record of a flow in its set.
//!
//! Several CPUs, and the daemon's sweep, do this at once without a lock: a way belongs to whoever
//! replaced its record, the record is written before the fingerprint, and carries a tag of it.

use crate::{
    director::Tables,
    packet::Event,
    tables::{FlowSet, Packed, Record, State, Timeouts, WAYS},
    verifier::{forgotten, unseen},
};

/// A record that was found, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub record: Record,
    way: usize,
    word: u64,
}

impl Hit {
    /// Whether a further packet of this second tells nothing new: of an established connection, or
    /// one more datagram.
    pub fn is_steady(self, event: Event, now: u32) -> bool {
        let state = match event {
            Event::ACK => State::Established,
            Event::DATAGRAM => State::Udp,
            _ => return false,
        };
        self.record.state == state && self.record.seen == Record::second(now)
    }
}

/// Returns the fingerprint of a flow's hash; never 0, which is a vacant way.
pub fn fingerprint(hash: u64) -> u64 {
    hash | 1
}

impl State {
    /// Returns the state of a connection after the first packet of it that is seen.
    ///
    /// One that is seen in its middle is established, as in IPVS (`tcp_states`): a record of
    /// the time of a change must not go sooner than its connection. A flood of such segments gets
    /// no more than one of SYN and ACK does.
    pub fn first(event: Event) -> Self {
        if event.is_rst() {
            Self::Closed
        } else if event.is_fin() {
            Self::Closing
        } else if event.is_syn() || event.is_datagram() {
            Self::Embryonic
        } else {
            Self::Established
        }
    }

    /// Returns the state after a further packet.
    ///
    /// The one-sided table of IPVS (`tcp_states`, input only, in ip_vs_proto_tcp.c), reduced to
    /// the states that differ in what happens to the flow.
    pub fn next(self, event: Event) -> Self {
        if event.is_rst() {
            Self::Closed
        } else if event.is_datagram() {
            Self::Udp
        } else if self.is_over() || event.is_syn() || event.is_none() {
            self
        } else if event.is_fin() {
            Self::Closing
        } else {
            Self::Established
        }
    }

    /// Whether a SYN is the client's next connection from the same port, not the last one's again.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closing | Self::Closed)
    }
}

/// Makes `record` the one of the flow of this hash, see [`FlowSet::put`].
pub fn enter<T: Tables>(hash: u64, record: u64, now: u32, tables: &T) -> usize {
    match (tables.flow_set(hash), tables.site()) {
        (Some(set), Some(site)) => set.put(fingerprint(hash), record, now, &site.settings.timeouts),
        _ => WAYS,
    }
}

impl FlowSet {
    pub fn find(&self, fingerprint: u64) -> Option<Hit> {
        let ways = self.fingerprints.iter().zip(&self.records).enumerate();
        for (way, (key, word)) in ways {
            if key.load() != fingerprint {
                continue;
            }
            let word = word.load();
            let record = Record::unpack(word);
            if record.is_of(fingerprint) {
                // Else the verifier follows each way to the end.
                let way = forgotten(way as u64, word) as usize & (WAYS - 1);
                return Some(Hit { record, way, word });
            }
        }
        None
    }

    /// Notes a further packet of the flow; writes at most once a second and state, and tells
    /// whether it did.
    pub fn renew(&self, hit: Hit, event: Event, now: u32) -> bool {
        let record = Record {
            seen: Record::second(now),
            state: hit.record.state.next(event),
            ..hit.record
        };
        // Lost to another CPU: its packet of this second is as good as ours.
        record != hit.record
            && self
                .records
                .get(hit.way)
                .is_some_and(|word| word.replace(hit.word, record.pack()))
    }

    /// Makes `record` the one of its flow; returns the way that it is in now and was not before, or
    /// [`WAYS`] if there is none.
    ///
    /// A flow that has no record takes a vacant way, else an expired one, else the one that has been
    /// idle longest of those that give way: embryonic flows and fragments. Established flows never
    /// give way, so no flood of first packets costs one; a set full of them costs this one its
    /// record, not its packet. Of two CPUs that want the same way, the one that loses it tries again,
    /// once.
    pub fn put(&self, fingerprint: u64, record: u64, now: u32, timeouts: &Timeouts) -> usize {
        for _ in 0..2 {
            let mut best = Rank::NONE;
            let mut way = 0;
            while way < WAYS {
                let (key, word) = (self.fingerprints[way].load(), self.records[way].load());
                let rank = Rank::of(key, word, fingerprint, now, timeouts);
                best = best.or(rank.at(way as u64));
                // Not unrolled, as that takes a third of the stack.
                way = unseen(way as u64 + 1) as usize;
            }
            if best.is_none() {
                return WAYS;
            }
            let way = best.way();
            let (key, word) = (&self.fingerprints[way], &self.records[way]);
            if word.replace(best.word, record) {
                if key.load() == fingerprint {
                    return WAYS;
                }
                key.store(fingerprint);
                return way;
            }
        }
        WAYS
    }
}

/// How readily a way is taken, and which: the highest is. The class in the bits from 40 on, then the
/// seconds it has been idle, then the way.
///
/// Computed without a branch: of a choice among ways the verifier follows each outcome.
#[derive(Clone, Copy)]
struct Rank {
    rank: u64,
    /// The record that has it.
    word: u64,
}

impl Rank {
    const NONE: Self = Self { rank: 0, word: 0 };
    const GIVES_WAY: u64 = 1 << 40;
    const EXPIRED: u64 = 1 << 41;
    const VACANT: u64 = 1 << 42;
    const SAME: u64 = 1 << 43;

    fn of(key: u64, word: u64, fingerprint: u64, now: u32, timeouts: &Timeouts) -> Self {
        let Packed { idle, state, other } = Packed::of(word, fingerprint, now);
        let gives_way = (1 << State::Embryonic as u64) | (1 << State::Fragments as u64);
        let overdue = timeouts.of_bits(state).wrapping_sub(idle);
        let class = is_zero((key ^ fingerprint) | other) * Self::SAME
            + is_zero(key) * Self::VACANT
            + unseen(overdue >> 63) * Self::EXPIRED
            + unseen((gives_way >> state) & 1) * Self::GIVES_WAY;
        let rank = class | (idle << 8);
        Self { rank, word }
    }

    fn at(self, way: u64) -> Self {
        let rank = self.rank | way;
        Self { rank, ..self }
    }

    fn or(self, other: Self) -> Self {
        let less = unseen(self.rank.wrapping_sub(other.rank) >> 63).wrapping_neg();
        let higher = |this: u64, that: u64| this ^ ((this ^ that) & less);
        Self {
            rank: higher(self.rank, other.rank),
            word: higher(self.word, other.word),
        }
    }

    /// Whether nobody gives way.
    fn is_none(self) -> bool {
        self.rank < Self::GIVES_WAY
    }

    fn way(self) -> usize {
        self.rank as usize & (WAYS - 1)
    }
}

/// 1 if it is 0, else 0.
fn is_zero(word: u64) -> u64 {
    unseen((word | unseen(word.wrapping_neg())) >> 63) ^ 1
}
