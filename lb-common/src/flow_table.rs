//! Finding, renewing and entering the record of a flow in its set.
//!
//! Several CPUs, and the daemon's sweep, do this at once without a lock: a way belongs to whoever
//! replaced its record, the record is written before the fingerprint, and carries a tag of it.

use crate::{
    packet::Event,
    shared::Shared,
    tables::{FlowSet, Record, State, Timeouts, WAYS},
};

/// A record that was found, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub record: Record,
    way: usize,
    word: u64,
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
                return Some(Hit { record, way, word });
            }
        }
        None
    }

    /// Notes a further packet of the flow; writes at most once a second and state, and tells
    /// whether it did.
    pub fn renew(&self, hit: Hit, event: Event, now: u32) -> bool {
        let record = Record {
            seen: now & 0xff_ffff,
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
    /// [`WAYS`] if there is none: a BPF function returns one word.
    ///
    /// A flow that has no record takes a vacant way, else an expired one, else the one that has been
    /// idle longest of those that give way: embryonic flows and fragments. Established flows never
    /// give way, so no flood of first packets costs one; a set full of them costs this one its
    /// record, not its packet. Of two CPUs that want the same way, the one that loses it goes on to
    /// the next.
    // Not inlined, as it is rare and long. One question a loop: of a loop that ranks the ways the
    // verifier follows each outcome of all.
    #[inline(never)]
    pub fn put(&self, fingerprint: u64, record: u64, now: u32, timeouts: &Timeouts) -> usize {
        if let Some(hit) = self.find(fingerprint) {
            // Lost to another CPU: its packet is of the same flow.
            if let Some(word) = self.records.get(hit.way) {
                word.replace(hit.word, record);
            }
            return WAYS;
        }
        for (way, (key, word)) in self.ways() {
            let old = word.load();
            if key.load() == 0 && take((key, word), old, fingerprint, record) {
                return way;
            }
        }
        for (way, (key, word)) in self.ways() {
            let old = word.load();
            let has_expired = Record::unpack(old).has_expired(now, timeouts);
            if has_expired && take((key, word), old, fingerprint, record) {
                return way;
            }
        }
        let mut longest = 0;
        for (_, (_, word)) in self.ways() {
            longest = longest.max(patience(word.load(), now));
        }
        for (way, (key, word)) in self.ways() {
            let old = word.load();
            let gives_way = longest > 0 && patience(old, now) >= longest;
            if gives_way && take((key, word), old, fingerprint, record) {
                return way;
            }
        }
        WAYS
    }

    fn ways(&self) -> impl Iterator<Item = (usize, (&Shared, &Shared))> {
        self.fingerprints.iter().zip(&self.records).enumerate()
    }
}

/// Seconds that a record that gives way has been idle, and one; 0 of one that does not.
fn patience(word: u64, now: u32) -> u32 {
    let record = Record::unpack(word);
    if matches!(record.state, State::Embryonic | State::Fragments) {
        record.idle(now) + 1
    } else {
        0
    }
}

/// Takes a way from the record it had, if it still has it.
fn take((key, word): (&Shared, &Shared), old: u64, fingerprint: u64, record: u64) -> bool {
    let taken = word.replace(old, record);
    if taken {
        key.store(fingerprint);
    }
    taken
}
