//! A flow table with room for every flow: what the director's rules have to be as good as.
//!
//! It has one entry for each flow, with the member it began on, and none of slots, windows,
//! exceptions or sets. It does not choose members: it is told where a flow went, and says where
//! its next packet must go. What it knows of clients that come back is in `templates`.

mod templates;

use std::collections::HashMap;

use lb_common::tables::Timeouts;
use lb_user::install::Flows;
use tests::frames::{ACK, FIN, RST, SYN};

use self::templates::Templates;
use crate::site::{Client, Says};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Embryonic,
    Established,
    Closing,
    Closed,
    Udp,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) home: u8,
    pub(crate) seen: u32,
    pub(crate) state: State,
    /// Its first packet was seen: of others the director may know an end that this table does not.
    pub(crate) whole: bool,
    /// Its member must have been noted by the director since it began.
    pub(crate) noted: bool,
    /// Datagrams are inactive from their flow's first on.
    is_udp: bool,
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
    pub(crate) templates: Templates,
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
    /// Where a packet has to go for the sake of its flow; `None` if that is not said by it.
    ///
    /// A SYN again on a connection whose SYN left no record is a first one to the director.
    pub(crate) fn home(&self, client: Client, says: Says, now: u32) -> Option<u8> {
        let entry = self.entries.get(&client)?;
        let new = says.is(SYN) && (entry.is_over() || !entry.noted);
        let bound = entry.whole && !entry.has_expired(now) && !new;
        bound.then_some(entry.home)
    }

    /// Notes where a packet went; `persistence`: for how long its client comes back.
    pub(crate) fn went(
        &mut self,
        (client, says, now): (Client, Says, u32),
        home: u8,
        noting: Noting,
        persistence: Option<u32>,
    ) {
        let bound = self.home(client, says, now).is_some();
        let old = self.entries.get(&client).copied();
        let begins = (says.is(SYN) || says.is_datagram()) && !bound;
        let state = match old {
            Some(old) if !begins => old.state.next(says),
            None | Some(_) => State::first(says),
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
            is_udp: says.is_datagram(),
        };
        self.entries.insert(client, entry);
        // Once a second and state, as the flow is, and with each that has fragments to lead.
        let is_other = old.is_none_or(|old| (old.seen, old.state) != (now, state))
            || matches!(says, Says::First(_));
        if let Some(seconds) = persistence
            && (begins || is_other)
        {
            let lasting = !(begins || says.is(SYN));
            self.templates.note(client.0, home, (lasting, seconds), now);
        }
    }

    /// Forgets what has expired, and the clients of whom is not one of `members`.
    pub(crate) fn sweep(&mut self, now: u32, members: &[u8]) {
        self.entries.retain(|_, entry| !entry.has_expired(now));
        self.templates.sweep(now, members);
    }

    /// Counts the flows and the clients of each member as IPVS does.
    pub(crate) fn usage(&self) -> HashMap<u8, Flows> {
        let mut usage: HashMap<u8, Flows> = HashMap::new();
        for entry in self.entries.values() {
            let flows = usage.entry(entry.home).or_default();
            if entry.is_udp || entry.is_over() {
                flows.inactive += 1;
            } else {
                flows.active += 1;
            }
        }
        for home in self.templates.lasting() {
            usage.entry(home).or_default().persistent += 1;
        }
        usage
    }
}

impl State {
    fn first(says: Says) -> Self {
        if says.is(SYN) || says.is_datagram() {
            Self::Embryonic
        } else if says.has(RST) {
            Self::Closed
        } else if says.has(FIN) {
            Self::Closing
        } else {
            Self::Established
        }
    }

    fn next(self, says: Says) -> Self {
        if says.is_datagram() {
            Self::Udp
        } else if says.has(RST) {
            Self::Closed
        } else if says.has(FIN) && matches!(self, Self::Embryonic | Self::Established) {
            Self::Closing
        } else if says.is(ACK) && self == Self::Embryonic {
            Self::Established
        } else {
            self
        }
    }
}
