//! A flow table with room for every flow: what the director's rules have to be as good as.
//!
//! It has one entry for each flow, with the member it began on, and none of slots, windows,
//! exceptions or sets. It does not choose members: it is told where a flow went, and says where
//! its next segment must go.

use std::collections::HashMap;

use lb_common::tables::Timeouts;
use lb_user::install::Flows;
use tests::frames::{ACK, FIN, RST, SYN};

use crate::site::Client;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Embryonic,
    Established,
    Closing,
    Closed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) home: u8,
    pub(crate) seen: u32,
    pub(crate) state: State,
    /// Its SYN was seen: of others the director may know an end that this table does not.
    pub(crate) whole: bool,
    /// Its member must have been noted by the director since it began.
    pub(crate) noted: bool,
}

/// Of which flows the director makes records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noting {
    /// Of all, since the service was made.
    Always,
    /// Of all, by now.
    Now,
    /// Of those that lived through a change.
    Rarely,
}

#[derive(Debug, Default)]
pub(crate) struct FullTable {
    pub(crate) entries: HashMap<Client, Entry>,
}

impl Entry {
    pub(crate) fn has_expired(&self, now: u32) -> bool {
        now - self.seen > Timeouts::IPVS[self.state as usize]
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Closing | State::Closed)
    }
}

impl FullTable {
    /// Where a segment has to go; `None` if that is the scheduler's to say.
    ///
    /// A SYN again on a connection whose SYN left no record is a first one to the director.
    pub(crate) fn home(&self, client: Client, flags: u8, now: u32) -> Option<u8> {
        let entry = self.entries.get(&client)?;
        let new = flags == SYN && (entry.is_over() || !entry.noted);
        let bound = entry.whole && !entry.has_expired(now) && !new;
        bound.then_some(entry.home)
    }

    /// Notes where a segment went.
    pub(crate) fn went(&mut self, client: Client, flags: u8, now: u32, home: u8, noting: Noting) {
        let bound = self.home(client, flags, now).is_some();
        let old = self.entries.get(&client).copied();
        let begins = flags == SYN && !bound;
        let state = match old {
            Some(old) if !begins => old.state.next(flags),
            None | Some(_) => State::first(flags),
        };
        let entry = Entry {
            home,
            seen: now,
            state,
            whole: noting == Noting::Always || begins || old.is_some_and(|old| old.whole),
            noted: match old {
                Some(old) if !begins => old.noted,
                None | Some(_) => noting != Noting::Rarely,
            },
        };
        self.entries.insert(client, entry);
    }

    pub(crate) fn sweep(&mut self, now: u32) {
        self.entries.retain(|_, entry| !entry.has_expired(now));
    }

    /// Counts the flows of each member as IPVS does.
    pub(crate) fn usage(&self) -> HashMap<u8, Flows> {
        let mut usage: HashMap<u8, Flows> = HashMap::new();
        for entry in self.entries.values() {
            let flows = usage.entry(entry.home).or_default();
            if entry.is_over() {
                flows.inactive += 1;
            } else {
                flows.active += 1;
            }
        }
        usage
    }
}

impl State {
    fn first(flags: u8) -> Self {
        match flags {
            SYN => Self::Embryonic,
            flags if flags & RST != 0 => Self::Closed,
            flags if flags & FIN != 0 => Self::Closing,
            _ => Self::Established,
        }
    }

    fn next(self, flags: u8) -> Self {
        match (flags, self) {
            (flags, _) if flags & RST != 0 => Self::Closed,
            (flags, Self::Embryonic | Self::Established) if flags & FIN != 0 => Self::Closing,
            (ACK, Self::Embryonic) => Self::Established,
            (_, state) => state,
        }
    }
}
