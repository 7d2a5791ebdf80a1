//! Tables of the schedulers that go by connections: a batch of turns, made again every second.
//!
//! IPVS chooses for one connection at a time, by the counts of that moment. Here the same choice is
//! made for the turns to come: each turn's connection is added to the member it went to before the
//! next is decided, from the counts of the last sweep. So the turns are those IPVS would take if no
//! connection ended meanwhile, and the next sweep puts right what did end.
//!
//! A batch stands for twice the connections of the last one: a turn is as many connections as it
//! takes (`grain`). So a member that comes in empty gets what it lacks and not all that arrives
//! until the next sweep, unless arrivals more than double at that moment.

use super::{Share, least, locality::Locality};
use crate::{install::Flows, scheduler::Scheduler};

/// Turns of the smallest batch.
const SMALLEST: u32 = 256;

/// Returns how many turns a batch has: each member can have two.
pub(super) fn slots(members: u32) -> u32 {
    match members {
        0 => 0,
        members => (2 * members).next_power_of_two().max(SMALLEST),
    }
}

/// What is known of a service's flows when its table is filled.
#[derive(Debug)]
pub struct Counts<'a> {
    /// By member id.
    pub flows: &'a [Flows],
    /// The service's cursor: the first turn that no flow has taken yet.
    pub cursor: u64,
    /// Flows of datagrams are inactive from their first on.
    pub udp: bool,
    /// The second of the flows' clock.
    pub now: u32,
    pub memory: &'a mut Memory,
}

/// What is kept from batch to batch. A daemon that starts begins without it.
#[derive(Debug, Default)]
pub struct Memory {
    cursor: Option<u64>,
    /// Connections that may arrive until the next batch.
    expected: u64,
    locality: Locality,
}

impl Memory {
    /// Takes note of a batch's beginning; returns how many connections each of its turns is.
    fn begin(&mut self, cursor: u64, turns: u32) -> u64 {
        let arrived = cursor.wrapping_sub(self.cursor.unwrap_or(cursor));
        self.cursor = Some(cursor);
        // Batches are also made out of time, soon after another: what was seen fades slowly.
        self.expected = (2 * arrived).max(self.expected - self.expected.div_ceil(4));
        self.expected.div_ceil(u64::from(turns.max(1))).max(1)
    }
}

/// A member as the choice sees it.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) member: u32,
    /// At least 1.
    pub(super) weight: u64,
    pub(super) active: u64,
    pub(super) inactive: u64,
}

impl Server {
    /// `ip_vs_dest_conn_overhead` in ip_vs.h.
    pub(super) fn overhead(&self) -> u64 {
        self.active * 256 + self.inactive
    }
}

/// Returns the members of the turns.
pub(super) fn fill(
    scheduler: Scheduler,
    shares: &[Share],
    slots: u32,
    counts: &mut Counts<'_>,
) -> Vec<u32> {
    let mut servers: Vec<_> = shares
        .iter()
        .map(|share| server(share, counts.flows))
        .collect();
    let grain = counts.memory.begin(counts.cursor, slots);
    let locality = &mut counts.memory.locality;
    let grows = scheduler == Scheduler::Lblcr;
    locality.begin(&servers, grows, counts.cursor, counts.now);
    let mut table = vec![0; slots as usize];
    for turn in (counts.cursor..).take(slots as usize) {
        let chosen = match scheduler {
            Scheduler::Lc => least::by(&servers, |it| (it.overhead(), 1)),
            Scheduler::Wlc => least::wlc(&servers),
            Scheduler::Sed => least::sed(&servers),
            Scheduler::Nq => least::nq(&servers),
            Scheduler::Ovf => least::ovf(&servers),
            Scheduler::Twos => least::twos(&servers, turn),
            Scheduler::Lblc | Scheduler::Lblcr => locality.choose(&servers, grows, turn),
            Scheduler::Rr | Scheduler::Wrr | Scheduler::Fo => None,
            Scheduler::Sh | Scheduler::Dh | Scheduler::Mh => None,
        };
        let Some(chosen) = chosen.and_then(|chosen| servers.get_mut(chosen)) else {
            continue;
        };
        match counts.udp {
            true => chosen.inactive += grain,
            false => chosen.active += grain,
        }
        table[(turn % u64::from(slots)) as usize] = chosen.member;
    }
    table
}

fn server(share: &Share, flows: &[Flows]) -> Server {
    let flows = flows
        .get(share.member as usize)
        .copied()
        .unwrap_or_default();
    Server {
        member: share.member,
        weight: share.weight.into(),
        active: flows.active,
        inactive: flows.inactive,
    }
}
