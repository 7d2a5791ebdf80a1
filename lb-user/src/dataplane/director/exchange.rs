//! Tables of other sizes, or of another layout, in the place of those that are in use, while packets use
//! them.
//!
//! 1. New tables are made and pinned beside the old ones, with their program.
//! 2. The old ones are frozen: the member of a flow that begins is one that its hash tells, so that it
//!    is the same by either tables, whichever of them has its record.
//! 3. What is in them is copied. Every flow from before is in the new ones then.
//! 4. The pins change their names, and the new program takes the place of the old on every interface.
//! 5. What came to the old ones since is copied, and they go.
//!
//! A daemon that is killed at any of these steps leaves what the next one goes on with.

use std::{
    cmp::Reverse,
    fmt, fs, io,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use lb_common::{
    director::Tables as _,
    reason::Reason,
    tables::{Layout, Pick, Record, SlotValue, State, WAYS},
};
use rustix::thread::{MembarrierCommand, membarrier};

use super::{
    Counted, Director, Limits, load,
    tables::{At, Tables},
};

/// What is waited where the kernel waits for nothing.
const GRACE: Duration = Duration::from_millis(50);

/// How many records were copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    pub flows: u64,
    /// For which the new tables had no room.
    pub lost: u64,
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} connections taken over", self.flows)?;
        match self.lost {
            0 => Ok(()),
            lost => write!(f, ", {lost} had no room"),
        }
    }
}

/// Where the pins of the maps are.
struct Pinned {
    maps: PathBuf,
    new: PathBuf,
    old: PathBuf,
}

impl Pinned {
    fn below(pins: &Path) -> Self {
        // A bpffs takes no dots.
        let [maps, new, old] = ["maps", "maps-new", "maps-old"].map(|name| pins.join(name));
        Self { maps, new, old }
    }
}

/// Puts right what a daemon left that was killed between two names.
pub(super) fn recover(pins: &Path) -> Result<()> {
    let Pinned { maps, new, old } = Pinned::below(pins);
    if old.exists() && !maps.exists() {
        rename(&old, &maps)?;
    }
    remove(&new)
}

impl Director {
    /// Makes tables of these sizes with all that is in the old ones, and gives them their names; the
    /// old program is attached until [`Director::attach`].
    pub fn successor(pins: &Path, limits: Limits, old: &Tables) -> Result<(Self, Copied)> {
        check(old, limits)?;
        let Pinned {
            maps,
            new,
            old: old_maps,
        } = Pinned::below(pins);
        remove(&new)?;
        remove(&old_maps)?;
        let made = || -> Result<(Self, Copied)> {
            let successor = Self::made(Some(pins), Some(&new), limits)?;
            freeze(old);
            let_packets_pass();
            successor.tables.take_site(old);
            let copied = successor.tables.take_flows(old, successor.now()?);
            rename(&maps, &old_maps)?;
            if let Err(error) = rename(&new, &maps) {
                rename(&old_maps, &maps)?;
                return Err(error);
            }
            Ok((successor, copied))
        };
        let made = made();
        if made.is_err() {
            remove(&new)?;
        }
        made
    }

    /// Takes what came to the old tables until the new program was attached, and lets them go.
    pub fn finish(&mut self) -> Result<()> {
        let Some(pins) = &self.pins else {
            return Ok(());
        };
        let old_maps = Pinned::below(pins).old;
        if !old_maps.exists() {
            return Ok(());
        }
        let_packets_pass();
        if let Some((tables, _)) = load::mapped(&old_maps)? {
            self.tables.take_flows(&tables, self.now()?);
        }
        self.take_counters(&old_maps)?;
        remove(&old_maps)
    }

    /// Lets flows begin as they do; slots and layouts are brought to what is wanted of them.
    pub fn thaw(&self) {
        self.tables.settings().frozen.store(0);
    }

    /// Gives the old tables their name back, as the new program could not be attached.
    pub fn retract(pins: &Path) -> Result<()> {
        let Pinned { maps, old, .. } = Pinned::below(pins);
        remove(&maps)?;
        rename(&old, &maps)
    }

    /// Adds what was counted in the old tables.
    fn take_counters(&mut self, old: &Path) -> Result<()> {
        let used = self.tables.members.iter().enumerate().skip(1);
        let used = used.filter(|(_, member)| member.service() != 0);
        let ids: Vec<u32> = used.map(|(id, _)| id as u32).collect();
        load::add(&mut self.ebpf, old, "COUNTERS", ids, Counted::plus)?;
        let reasons = (0..Reason::ALL.len() as u32).collect();
        load::add(&mut self.ebpf, old, "REASONS", reasons, |a: u64, b: u64| {
            a + b
        })?;
        self.uncounted = u32::MAX;
        Ok(())
    }
}

impl Tables {
    /// Takes the records that are not there yet, or are newer.
    fn take_flows(&self, old: &Self, now: u32) -> Copied {
        let mut copied = Copied::default();
        let at = At::new(self, now);
        let timeouts = &old.settings().timeouts;
        for (i, set) in old.flows.iter().enumerate() {
            for (way, (key, word)) in set.fingerprints.iter().zip(&set.records).enumerate() {
                let (fingerprint, word) = (key.load(), word.load());
                let record = Record::unpack(word);
                let is_one = fingerprint != 0 && record.is_of(fingerprint);
                if !is_one || record.has_expired(now, timeouts) {
                    continue;
                }
                // The bit that a fingerprint does not have is the set's.
                let hash = fingerprint & !1 | i as u64 & 1;
                let there = || at.flow_set(hash).and_then(|set| set.find(fingerprint));
                if there().is_some_and(|there| !is_newer(record, there.record, now)) {
                    continue;
                }
                let to = at.enter(hash, word, now);
                if there().is_none() {
                    copied.lost += 1;
                    continue;
                }
                copied.flows += 1;
                let whose = old.endpoints.get(i * WAYS + way);
                if let Some(whose) = whose.and_then(|it| it.read(fingerprint)) {
                    at.note(hash, to, &whose);
                }
            }
        }
        copied
    }
}

fn check(old: &Tables, limits: Limits) -> Result<()> {
    let last = old.members.iter().rposition(|member| member.service() != 0);
    let last = last.unwrap_or_default();
    ensure!(
        last < limits.members,
        "`members_max` {} is too small for the real servers there are, or were: it is {last} at least",
        limits.members - 1
    );
    Ok(())
}

/// Whether a record tells more of its flow than another: the later one, of those of one second that of
/// the connection that is not over.
fn is_newer(record: Record, other: Record, now: u32) -> bool {
    let told = |record: Record| {
        let begins = matches!(record.state, State::Embryonic);
        (Reverse(record.idle(now)), !record.state.is_over(), !begins)
    };
    told(record) > told(other)
}

/// Has flows that begin go where their hash tells, without a record or with one; those that follow
/// another of the same client's port, where that went.
fn freeze(tables: &Tables) {
    tables.settings().frozen.store(1);
    for service in tables.services.iter().skip(1) {
        let layout = Layout::unpack(service.layout.load());
        let before = Layout::unpack(service.before.load());
        for slots in [layout, before] {
            for slot in tables.slots.range(slots.first..slots.first + slots.slots) {
                let value = SlotValue::unpack(slot.load());
                if value.current != value.base {
                    let frozen = SlotValue {
                        exceptions: true,
                        ..SlotValue::clean(value.base)
                    };
                    slot.store(frozen.pack());
                }
            }
        }
        let frozen = match (layout.tracked, before.slots > 0) {
            (false, _) => continue,
            // A flow without a record is taken for one of the time before.
            (true, true) => before,
            (true, false) if layout.pick == Pick::Turn => Layout {
                pick: Pick::Flow,
                ..layout
            },
            (true, false) => continue,
        };
        let frozen = Layout {
            tracked: true,
            ..frozen
        };
        service.layout.store(frozen.pack());
    }
}

/// Waits until no packet is on its way through a program that has read what was there before.
///
/// The barrier waits for a grace period of RCU (kernel/sched/membarrier.c), which a program that runs holds up. Kernels
/// whose cores are without a tick (`nohz_full`) refuse it.
fn let_packets_pass() {
    if membarrier(MembarrierCommand::Global).is_err() {
        sleep(GRACE);
    }
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to)
        .with_context(|| format!("cannot rename {} to {}", from.display(), to.display()))
}

fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}
