//! The loop: what is wanted, what is due, what has come of it, what is to be told.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{
        mpsc::{self, Permit, error::SendError},
        watch,
    },
    task::{AbortHandle, Id, JoinError, JoinSet},
    time::{Instant, sleep_until},
};

use super::{
    Finding, Key, Latest, Load, Seen, Target, lock,
    queue::{Jitter, Queue},
};
use crate::health::{
    Ports,
    check::{Bad, Good, Probe},
    judge::Judge,
};

/// Checks that are due within so long of each other are begun together: fewer wakes, and nobody's interval is shorter.
const TOGETHER: Duration = Duration::from_millis(5);

pub(super) struct Work {
    wanted: watch::Receiver<Arc<[Target]>>,
    seen: Arc<Seen>,
    ports: Ports,
    in_flight_max: usize,
    /// By number; a number is never given twice.
    checked: HashMap<u64, Checked>,
    numbers: HashMap<Key, u64>,
    last: u64,
    queue: Queue,
    jitter: Jitter,
    running: JoinSet<Done>,
    untold: Untold,
    load: Load,
}

/// A target, and what has come of its checks.
struct Checked {
    target: Target,
    judge: Judge,
    running: Option<AbortHandle>,
    begun: Instant,
}

/// A check that has ended.
struct Done {
    id: u64,
    result: Result<Good, Bad>,
    took: Duration,
}

impl Work {
    pub(super) fn new(
        wanted: watch::Receiver<Arc<[Target]>>,
        seen: Arc<Seen>,
        ports: Ports,
        in_flight_max: usize,
    ) -> Self {
        Self {
            wanted,
            seen,
            ports,
            in_flight_max,
            checked: HashMap::new(),
            numbers: HashMap::new(),
            last: 0,
            queue: Queue::default(),
            jitter: Jitter::new(),
            running: JoinSet::new(),
            untold: Untold::default(),
            load: Load::default(),
        }
    }

    /// Ends when nobody can want anything any more.
    pub(super) async fn run(mut self, findings: mpsc::Sender<Finding>) {
        let mut timer = pin!(sleep_until(Instant::now()));
        loop {
            let is_full = self.begin();
            self.publish();
            let next = self.queue.next().filter(|_| !is_full);
            if let Some(due) = next.map(|due| due.max(Instant::now() + TOGETHER))
                && (timer.deadline() > due || timer.is_elapsed())
            {
                timer.as_mut().reset(due);
            }
            tokio::select! {
                changed = self.wanted.changed() => match changed {
                    Ok(()) => self.follow(),
                    Err(_closed) => return,
                },
                Some(done) = self.running.join_next_with_id() => {
                    self.ended(done);
                    while let Some(done) = self.running.try_join_next_with_id() {
                        self.ended(done);
                    }
                }
                () = &mut timer, if next.is_some() => {}
                permit = findings.reserve(), if !self.untold.is_empty() => self.untold.tell(permit),
            }
        }
    }

    /// Begins what is due; returns whether no more may be in flight.
    fn begin(&mut self) -> bool {
        let now = Instant::now();
        while self.running.len() < self.in_flight_max {
            let Some((due, id)) = self.queue.pop(now) else {
                return false;
            };
            let Some(checked) = self.checked.get_mut(&id) else {
                continue;
            };
            self.load.made += 1;
            // Beyond what comes of beginning several together.
            self.load.waited += u64::from(now - due > TOGETHER * 4);
            let Target {
                service,
                real,
                vip,
                probe,
                port,
                ref check,
                ..
            } = checked.target;
            let to = SocketAddr::new(probe, port);
            let mut probe = Probe::new((service, real, vip), to, self.ports.clone());
            let check = check.clone();
            let running = self.running.spawn(async move {
                let begun = Instant::now();
                let result = check.run(&mut probe).await;
                let took = begun.elapsed();
                Done { id, result, took }
            });
            checked.running = Some(running);
            checked.begun = now;
        }
        true
    }

    /// Takes up what is wanted now.
    fn follow(&mut self) {
        let wanted = self.wanted.borrow_and_update().clone();
        let keys: HashMap<Key, &Target> = wanted.iter().map(|it| (it.key(), it)).collect();
        let gone = self.numbers.extract_if(|key, _| !keys.contains_key(key));
        for (key, id) in gone.collect::<Vec<_>>() {
            self.stop(id);
            self.untold.forget(key);
            lock(&self.seen.latest).remove(&key);
        }
        let now = Instant::now();
        for (key, target) in keys {
            let mut before = target.before;
            if let Some(&id) = self.numbers.get(&key) {
                let same = |it: &Checked| it.target.is_checked_as(target);
                match self.checked.get(&id) {
                    Some(checked) if same(checked) => continue,
                    // What is known of it is known still.
                    Some(checked) => before = checked.judge.is_up().or(before),
                    None => {}
                }
                self.stop(id);
            }
            let check = &target.check;
            let spread = match before {
                None => check.warmup,
                // Of one that is known, nothing is urgent.
                Some(_) => check.interval.max(check.warmup),
            };
            self.last += 1;
            let checked = Checked {
                target: target.clone(),
                judge: Judge::new(before),
                running: None,
                begun: now,
            };
            self.checked.insert(self.last, checked);
            self.numbers.insert(key, self.last);
            self.queue.push(now + self.jitter.part(spread), self.last);
        }
        self.queue.retain(|id| self.checked.contains_key(&id));
    }

    fn stop(&mut self, id: u64) {
        let checked = self.checked.remove(&id);
        if let Some(running) = checked.and_then(|it| it.running) {
            running.abort();
        }
    }

    fn ended(&mut self, done: Result<(Id, Done), JoinError>) {
        let done = match done {
            Ok((_, done)) => done,
            // Of a target that has gone.
            Err(error) if error.is_cancelled() => return,
            Err(error) => match self.broken(&error) {
                Some(done) => done,
                None => return,
            },
        };
        let Some(checked) = self.checked.get_mut(&done.id) else {
            return;
        };
        checked.running = None;
        let due = checked.begun + self.jitter.about(checked.target.check.interval);
        self.queue.push(due, done.id);
        let (is_good, words) = match done.result {
            Ok(Good(words)) => (true, words),
            Err(Bad(words)) => (false, words),
        };
        let check = &checked.target.check;
        let told = checked.judge.take(is_good, (check.rise, check.fall));
        let key = checked.target.key();
        if let Some(is_up) = told {
            let ((service, real), why) = (key, words.clone().into_owned());
            self.untold.add(Finding {
                service,
                real,
                is_up,
                why,
            });
        }
        let latest = Latest {
            is_up: checked.judge.is_up(),
            is_good,
            words,
            took: done.took,
            at: std::time::Instant::now(),
            in_a_row: checked.judge.in_a_row(),
        };
        lock(&self.seen.latest).insert(key, latest);
    }

    /// A check that panicked must not be the last of its target.
    fn broken(&self, error: &JoinError) -> Option<Done> {
        tracing::error!("a health check has a fault of its own: {error}");
        let is_it = |it: &Checked| it.running.as_ref().is_some_and(|it| it.id() == error.id());
        let (&id, _) = self.checked.iter().find(|(_, it)| is_it(it))?;
        Some(Done {
            id,
            result: Err("the check has a fault of its own; see the daemon's log".into()),
            took: Duration::ZERO,
        })
    }

    fn publish(&mut self) {
        self.load.targets = self.checked.len();
        self.load.in_flight = self.running.len();
        *lock(&self.seen.load) = self.load;
    }
}

impl Target {
    fn key(&self) -> Key {
        (self.service, self.real)
    }

    fn is_checked_as(&self, other: &Self) -> bool {
        let of = |it: &Self| (it.vip, it.probe, it.port);
        of(self) == of(other)
            && (Arc::ptr_eq(&self.check, &other.check) || self.check == other.check)
    }
}

/// What has not been told: of each real server the last finding, in the order of the first.
#[derive(Default)]
struct Untold {
    findings: HashMap<Key, Finding>,
    order: VecDeque<Key>,
}

impl Untold {
    fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn add(&mut self, finding: Finding) {
        let key = (finding.service, finding.real);
        if self.findings.insert(key, finding).is_none() {
            self.order.push_back(key);
        }
    }

    fn forget(&mut self, key: Key) {
        if self.findings.remove(&key).is_some() {
            self.order.retain(|&it| it != key);
        }
    }

    fn tell(&mut self, permit: Result<Permit<'_, Finding>, SendError<()>>) {
        let key = self.order.pop_front();
        let finding = key.and_then(|key| self.findings.remove(&key));
        // Without a listener the checks go on, for those who ask for the latest.
        if let (Ok(permit), Some(finding)) = (permit, finding) {
            permit.send(finding);
        }
    }
}
