//! How a state is to be taken, and its colour.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use crate::api::State;

/// Better before worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    Good,
    Restricted,
    Bad,
}

impl Mood {
    pub fn of(state: State) -> Self {
        match state {
            State::Active => Self::Good,
            State::Warming | State::Standby | State::Quiesced | State::Draining => Self::Restricted,
            State::Down | State::Unresolved | State::Overloaded => Self::Bad,
        }
    }

    /// Of what a director's interface is said to be.
    pub fn of_xdp(condition: &str) -> Self {
        match condition {
            "native" => Self::Good,
            "generic" => Self::Restricted,
            _ => Self::Bad,
        }
    }

    /// A word in its colour; what prints it takes that off where none is wanted.
    pub fn paint(self, word: impl Display) -> String {
        let colour = match self {
            Self::Good => AnsiColor::Green,
            Self::Restricted => AnsiColor::Yellow,
            Self::Bad => AnsiColor::Red,
        };
        let style: Style = colour.on_default();
        format!("{style}{word}{style:#}")
    }
}

pub fn painted(state: State) -> String {
    Mood::of(state).paint(state)
}
