//! How new flows are spread. What a scheduler means to the kernel is in `Layout`; how it fills a
//! table is in `fill`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Scheduler {
    /// Each real server in turn
    Rr,
    /// In turn, as often as the weights say, evenly interleaved
    #[default]
    Wrr,
    /// Maglev: by a keyed hash of the flow, by weight; few flows move when real servers do
    Mh,
}

impl Scheduler {
    const ALL: [Self; 3] = [Self::Rr, Self::Wrr, Self::Mh];

    pub fn name(self) -> &'static str {
        match self {
            Self::Rr => "rr",
            Self::Wrr => "wrr",
            Self::Mh => "mh",
        }
    }

    /// Whether the slot is that of the flow's hash, not the next in turn.
    pub fn is_hashed(self) -> bool {
        matches!(self, Self::Mh)
    }

    /// The number in a service's record, which outlives the daemon.
    pub fn number(self) -> u64 {
        match self {
            Self::Rr => 1,
            Self::Wrr => 2,
            Self::Mh => 3,
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
        found.ok_or_else(|| format!("unknown scheduler `{text}`; there are rr, wrr and mh"))
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
