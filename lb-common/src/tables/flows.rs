//! Records of flows: a table of sets, each one cache line with room for four.

use super::Timeouts;
use crate::{shared::Shared, verifier::unseen};

/// Flows in a set.
pub const WAYS: usize = 4;

/// A fingerprint is the flow's keyed hash; 0 is vacant.
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub struct FlowSet {
    pub fingerprints: [Shared; WAYS],
    pub records: [Shared; WAYS],
}

/// What a director can see of a connection, of which only the client's half passes it.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A SYN or one datagram was seen. Gives way to any other flow.
    Embryonic,
    Established,
    /// The client has sent FIN.
    Closing,
    /// The client has sent RST.
    Closed,
    /// UDP of which more than one packet was seen.
    Udp,
    /// Not a flow: where a persistent service's client is sent. Its second is the one it lasts to.
    Template,
    /// Not a flow, and gives way: where a datagram's fragments are sent, or a persistent service's
    /// client of whom only a first packet was seen. Its second is the one it lasts to.
    Fragments,
}

impl State {
    fn from_bits(bits: u64) -> Self {
        match bits & 7 {
            0 => Self::Embryonic,
            1 => Self::Established,
            2 => Self::Closing,
            3 => Self::Closed,
            4 => Self::Udp,
            5 => Self::Template,
            _ => Self::Fragments,
        }
    }

    /// Whether IPVS counts it in ActiveConn (`tcp_state_active_table` in ip_vs_proto_tcp.c).
    pub fn is_active(self) -> bool {
        matches!(self, Self::Embryonic | Self::Established)
    }

    /// Whether a record of this state is one flow's.
    pub fn is_flow(self) -> bool {
        !matches!(self, Self::Template | Self::Fragments)
    }

    /// The name in listings, that of IPVS where it has one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embryonic => "SYN_RECV",
            Self::Established => "ESTABLISHED",
            Self::Closing => "FIN_WAIT",
            Self::Closed => "CLOSE",
            Self::Udp => "UDP",
            Self::Template => "NONE",
            Self::Fragments => "FRAGMENTS",
        }
    }
}

/// Member in 24 bits, second last seen in 24, state in 3, tag of the fingerprint in 13.
///
/// The tag tells a record from that of the flow that had the way before: the two words of a way
/// cannot be written at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    pub member: u32,
    pub seen: u32,
    pub state: State,
    pub tag: u16,
}

/// 194 days, the half of which is past and the half to come; ages are of seconds to a month.
const SECONDS: u64 = 0xff_ffff;
const MEMBER: u64 = 0xff_ffff;

impl Record {
    pub fn new(fingerprint: u64, member: u32, now: u32, state: State) -> Self {
        Self {
            member,
            seen: Self::second(now),
            state,
            tag: tag(fingerprint),
        }
    }

    /// A second of the clock, as a record has it.
    pub fn second(now: u32) -> u32 {
        now & SECONDS as u32
    }

    pub fn pack(self) -> u64 {
        u64::from(self.member)
            | u64::from(self.seen) << 24
            | (self.state as u64) << 48
            | u64::from(self.tag) << 51
    }

    pub fn unpack(word: u64) -> Self {
        Self {
            member: (word & MEMBER) as u32,
            seen: (word >> 24 & SECONDS) as u32,
            state: State::from_bits(word >> 48),
            tag: (word >> 51) as u16,
        }
    }

    pub fn is_of(self, fingerprint: u64) -> bool {
        self.tag == tag(fingerprint)
    }

    /// Seconds since the flow's last packet. None for one seen after `now`: whoever compares may
    /// have read the clock a while ago, as a sweep has, and the flow has been renewed meanwhile.
    pub fn idle(self, now: u32) -> u32 {
        seconds(self.seen, now)
    }

    /// Seconds until it expires, if no packet comes.
    pub fn expires(self, now: u32, timeouts: &Timeouts) -> u32 {
        match self.state.is_flow() {
            true => timeouts.of(self.state).saturating_sub(self.idle(now)),
            false => seconds(now, self.seen),
        }
    }

    pub fn has_expired(self, now: u32, timeouts: &Timeouts) -> bool {
        self.idle(now) > timeouts.of(self.state)
    }
}

/// Seconds from one second to another, 0 if that was before.
fn seconds(from: u32, to: u32) -> u32 {
    let seconds = to.wrapping_sub(from) & SECONDS as u32;
    if seconds > SECONDS as u32 / 2 {
        0
    } else {
        seconds
    }
}

/// What a record tells, without a branch.
#[derive(Clone, Copy, Debug)]
pub struct Packed {
    /// As [`Record::idle`].
    pub idle: u64,
    /// A [`State`]'s number, of three bits.
    pub state: u64,
    /// 0 if it is of the fingerprint.
    pub other: u64,
}

impl Packed {
    pub fn of(word: u64, fingerprint: u64, now: u32) -> Self {
        let idle = u64::from(now).wrapping_sub(word >> 24) & SECONDS;
        let is_past = unseen(idle >> 23).wrapping_sub(1);
        Self {
            idle: idle & is_past,
            state: word >> 48 & 7,
            other: word >> 51 ^ u64::from(tag(fingerprint)),
        }
    }
}

/// Bits that neither the set's index nor a slot is chosen by alone.
fn tag(fingerprint: u64) -> u16 {
    (fingerprint >> 19) as u16 & 0x1fff
}

const _: () = assert!(size_of::<FlowSet>() == 64);
