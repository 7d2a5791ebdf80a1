//! Events on their way to whoever listens, and the last of them, for who comes later.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::sync::broadcast;

use super::Event;

/// Events that wait for a slow listener; of more, the oldest are lost to it, and it is told so.
const WAITING_MAX: usize = 1024;
/// Events that are remembered, some hundred octets each.
const REMEMBERED_MAX: usize = 256;

/// An event, and which one of this daemon's it is, from 1 on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub number: u64,
    pub event: Event,
}

/// Where events go, and whoever listens gets them.
#[derive(Clone, Debug)]
pub struct Events {
    sender: broadcast::Sender<Told>,
    last: Arc<Mutex<Last>>,
    /// When this daemon began, in microseconds: what its numbers are told from another's by.
    epoch: u128,
}

#[derive(Debug, Default)]
struct Last {
    count: u64,
    events: VecDeque<Told>,
}

impl Default for Events {
    fn default() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            sender: broadcast::channel(WAITING_MAX).0,
            last: Arc::default(),
            epoch: epoch.unwrap_or_default().as_micros(),
        }
    }
}

impl Events {
    /// Tells whoever listens; nobody may.
    pub fn send(&self, event: Event) {
        let mut last = self.last();
        last.count += 1;
        let told = Told {
            number: last.count,
            event,
        };
        if last.events.len() == REMEMBERED_MAX {
            last.events.pop_front();
        }
        last.events.push_back(told.clone());
        // Under the lock: so that nobody who begins to listen gets it twice, or not at all.
        let _ = self.sender.send(told);
    }

    /// What is told from now on, and, of what is remembered, what came after the event of this id: all of it
    /// if the id is not one of this daemon's, nothing without an id.
    pub fn listen(&self, after: Option<&str>) -> (Vec<Told>, broadcast::Receiver<Told>) {
        let last = self.last();
        let number = after.map(|id| self.number(id).unwrap_or_default());
        let missed = last
            .events
            .iter()
            .filter(|told| number.is_some_and(|number| told.number > number));
        (missed.cloned().collect(), self.sender.subscribe())
    }

    pub fn remembered(&self) -> Vec<Event> {
        let last = self.last();
        last.events.iter().map(|told| told.event.clone()).collect()
    }

    /// Which event it is, for a listener that comes again.
    pub fn id(&self, told: &Told) -> String {
        format!("{}-{}", self.epoch, told.number)
    }

    fn number(&self, id: &str) -> Option<u64> {
        let (epoch, number) = id.split_once('-')?;
        let is_own = epoch.parse() == Ok(self.epoch);
        number.parse().ok().filter(|_| is_own)
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::events::What;

    #[test]
    fn the_last_are_remembered_and_nobody_gets_one_twice() {
        let events = Events::default();
        let how = |i: usize| i.to_string();
        for i in 1..=REMEMBERED_MAX + 2 {
            events.send(Event::now(What::Config { how: how(i) }));
        }
        let numbers = |after: Option<&str>| -> Vec<u64> {
            let missed = events.listen(after).0;
            missed.iter().map(|told| told.number).collect()
        };
        let all: Vec<u64> = (3..=REMEMBERED_MAX as u64 + 2).collect();
        let own = |number: u64| format!("{}-{number}", events.epoch);
        for (id, expected) in [
            (None, &[][..]),
            (Some("0".to_owned()), &all),
            (Some(format!("{}-9", events.epoch + 1)), &all),
            (Some(own(0)), &all),
            (Some(own(256)), &[257, 258]),
            (Some(own(258)), &[]),
        ] {
            assert_eq!(numbers(id.as_deref()), expected, "{id:?}");
        }
        assert_eq!(events.remembered().len(), REMEMBERED_MAX);
        let (_, mut listener) = events.listen(Some(&own(258)));
        events.send(Event::now(What::Config { how: how(0) }));
        let told = listener.try_recv().unwrap();
        assert_eq!(events.id(&told), own(259));
        assert!(listener.try_recv().is_err(), "once");
    }
}
