//! Slot fillers: what makes a scheduler. Each turns the members and their weights into a table of
//! slots; the kernel does not know which one did.

mod interleave;
mod least;
mod live;
mod locality;
mod maglev;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

pub use self::live::{Counts, Memory};
use crate::scheduler::{Flag, Scheduler};

/// A member, as a table sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The member's id.
    pub member: u32,
    pub address: IpAddr,
    pub weight: u32,
    /// Whether it is eligible: takes new flows. Then its weight is at least 1.
    pub takes: bool,
}

/// Slots of the smallest table of a hash service, a prime; larger ones are this doubled, so that a
/// table that grows splits each slot in two.
const SMALLEST: u32 = 1021;
/// Slots per member that keep the shares within about one per cent of the weights.
const PER_MEMBER: u32 = 100;

/// Returns the members that the slots name, one each; 0 is nobody. Members do not make a hash
/// table smaller than what is `installed`.
pub fn fill(
    scheduler: Scheduler,
    flags: &[Flag],
    shares: &[Share],
    installed: u32,
    counts: &mut Counts<'_>,
) -> Vec<u32> {
    let eligible: Vec<_> = shares.iter().filter(|it| it.takes).copied().collect();
    match scheduler {
        Scheduler::Rr => eligible.iter().map(|share| share.member).collect(),
        Scheduler::Wrr => interleave::fill(&eligible),
        Scheduler::Fo => highest(&eligible).into_iter().collect(),
        Scheduler::Mh => maglev::fill(&eligible, slots(&eligible, installed)),
        Scheduler::Sh if flags.contains(&Flag::ShFallback) => {
            maglev::fill(&eligible, slots(&eligible, installed))
        }
        Scheduler::Sh => fixed(shares, installed, |share| share.weight.max(1)),
        Scheduler::Dh => fixed(shares, installed, |_| 1),
        Scheduler::Lc | Scheduler::Wlc | Scheduler::Sed | Scheduler::Nq => {
            live(scheduler, &eligible, counts)
        }
        Scheduler::Lblc | Scheduler::Lblcr | Scheduler::Ovf | Scheduler::Twos => {
            live(scheduler, &eligible, counts)
        }
    }
}

fn live(scheduler: Scheduler, eligible: &[Share], counts: &mut Counts<'_>) -> Vec<u32> {
    let slots = live::slots(eligible.len() as u32);
    live::fill(scheduler, eligible, slots, counts)
}

fn slots(shares: &[Share], installed: u32) -> u32 {
    let least = PER_MEMBER * shares.len() as u32;
    let mut slots = installed.max(SMALLEST);
    while slots < least {
        slots *= 2;
    }
    slots
}

/// Slots that stay their members' while these take no flows, which nobody takes then:
/// `ip_vs_sh_reassign` and `ip_vs_dh_reassign` give a server of weight 0 a slot, too, and the
/// schedulers find no destination on it.
fn fixed(shares: &[Share], installed: u32, weight: impl Fn(&Share) -> u32) -> Vec<u32> {
    let weighted = |share: &Share| Share {
        weight: weight(share),
        ..*share
    };
    let weighted: Vec<_> = shares.iter().map(weighted).collect();
    let mut table = maglev::fill(&weighted, slots(shares, installed));
    for share in shares.iter().filter(|it| !it.takes) {
        for slot in table.iter_mut().filter(|slot| **slot == share.member) {
            *slot = 0;
        }
    }
    table
}

/// `ip_vs_fo_schedule`: the highest weight, of equals the first.
fn highest(shares: &[Share]) -> Option<u32> {
    let highest = shares.iter().rev().max_by_key(|share| share.weight);
    highest.map(|share| share.member)
}
