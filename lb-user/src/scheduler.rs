//! How new flows are spread. What a scheduler means to the kernel is a [`Pick`]; how it fills a
//! table is in `fill`.
//!
//! The names are IPVS's, and so is what they mean, but for two things. `mh` hashes the whole flow
//! and gives an ineligible member's share to the others, as IPVS's does with both its flags; by the
//! client's address it is `sh`, which is Maglev too. And what goes by connections counts them
//! between batches of new flows, not at each: see `fill::live`.

mod flag;

use std::{fmt, str::FromStr};

use lb_common::tables::Pick;
use serde::{Deserialize, Serialize, de};

pub use self::flag::{Flag, listed};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Scheduler {
    /// Each real server in turn
    Rr,
    /// In turn, as often as the weights say, evenly interleaved
    #[default]
    Wrr,
    /// To the one with fewest connections
    Lc,
    /// To the one with fewest connections for its weight
    Wlc,
    /// Shortest expected delay: fewest active connections, the new one counted, for its weight
    Sed,
    /// Never queue: to an idle one, else as sed
    Nq,
    /// By the client's address (Maglev), by weight
    Sh,
    /// By the destination's address: all of a service to one real server
    Dh,
    /// Maglev: by a keyed hash of the flow, by weight; few flows move when real servers do
    Mh,
    /// To one real server until it is overloaded, then to another by wlc
    Lblc,
    /// To a set of real servers that grows when its least loaded is overloaded
    Lblcr,
    /// Fail-over: to the one with the highest weight
    Fo,
    /// Overflow: to the highest weight that has no more active connections than its weight
    Ovf,
    /// Of two at random by weight, to the one with fewer connections for its weight
    Twos,
}

impl Scheduler {
    pub const ALL: [Self; 14] = [
        Self::Rr,
        Self::Wrr,
        Self::Lc,
        Self::Wlc,
        Self::Sed,
        Self::Nq,
        Self::Sh,
        Self::Dh,
        Self::Mh,
        Self::Lblc,
        Self::Lblcr,
        Self::Fo,
        Self::Ovf,
        Self::Twos,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Rr => "rr",
            Self::Wrr => "wrr",
            Self::Lc => "lc",
            Self::Wlc => "wlc",
            Self::Sed => "sed",
            Self::Nq => "nq",
            Self::Sh => "sh",
            Self::Dh => "dh",
            Self::Mh => "mh",
            Self::Lblc => "lblc",
            Self::Lblcr => "lblcr",
            Self::Fo => "fo",
            Self::Ovf => "ovf",
            Self::Twos => "twos",
        }
    }

    /// Which slot a new flow falls on.
    pub fn pick(self, flags: &[Flag]) -> Pick {
        match self {
            Self::Mh => Pick::Flow,
            Self::Sh if flags.contains(&Flag::ShPort) => Pick::Flow,
            Self::Sh => Pick::Client,
            Self::Dh => Pick::Destination,
            Self::Rr | Self::Wrr | Self::Fo => Pick::Turn,
            Self::Lc | Self::Wlc | Self::Sed | Self::Nq => Pick::Turn,
            Self::Lblc | Self::Lblcr | Self::Ovf | Self::Twos => Pick::Turn,
        }
    }

    /// Whether the slot is that of a hash, not the next in turn.
    pub fn is_hashed(self) -> bool {
        self.pick(&[]) != Pick::Turn
    }

    /// Whether it goes by the members' connections, so that its table is filled again and again.
    pub fn is_live(self) -> bool {
        !self.is_hashed() && !matches!(self, Self::Rr | Self::Wrr | Self::Fo)
    }

    /// Whether a member's weight tells how many of the new flows are its.
    pub fn has_shares(self) -> bool {
        !matches!(self, Self::Rr | Self::Lc | Self::Dh | Self::Fo | Self::Ovf)
    }

    /// The number in a service's record, which outlives the daemon.
    pub fn number(self) -> u64 {
        match self {
            Self::Rr => 1,
            Self::Wrr => 2,
            Self::Mh => 3,
            Self::Lc => 4,
            Self::Wlc => 5,
            Self::Sed => 6,
            Self::Nq => 7,
            Self::Sh => 8,
            Self::Dh => 9,
            Self::Lblc => 10,
            Self::Lblcr => 11,
            Self::Fo => 12,
            Self::Ovf => 13,
            Self::Twos => 14,
        }
    }

    pub fn of_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|this| this.number() == number)
    }
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scheduler {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|this| this.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("unknown scheduler `{text}`; there are {names}")
        })
    }
}

impl Serialize for Scheduler {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Scheduler {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
