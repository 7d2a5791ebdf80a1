//! Slot fillers: what makes a scheduler. Each turns the eligible members and their weights into a
//! table of slots; the kernel does not know which one did.

mod interleave;
mod maglev;

use std::net::Ipv4Addr;

use crate::scheduler::Scheduler;

/// A member that takes new flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The member's id.
    pub member: u32,
    pub address: Ipv4Addr,
    /// At least 1.
    pub weight: u32,
}

/// Slots of the smallest table of a hash service, a prime; larger ones are this doubled, so that a
/// table that grows splits each slot in two.
const SMALLEST: u32 = 1021;
/// Slots per member that keep the shares within about one per cent of the weights.
const PER_MEMBER: u32 = 100;

/// Returns how many slots `shares` need. Members do not make a hash table smaller.
pub fn slots(scheduler: Scheduler, shares: &[Share], installed: u32) -> u32 {
    match scheduler {
        Scheduler::Rr => shares.len() as u32,
        Scheduler::Wrr => interleave::turns(shares).iter().sum(),
        Scheduler::Mh => {
            let least = PER_MEMBER * shares.len() as u32;
            let mut slots = installed.max(SMALLEST);
            while slots < least {
                slots *= 2;
            }
            slots
        }
    }
}

/// Returns the members that the slots name, one each; all 0 if there are no shares.
pub fn fill(scheduler: Scheduler, shares: &[Share], slots: u32) -> Vec<u32> {
    match scheduler {
        Scheduler::Rr => shares.iter().map(|share| share.member).collect(),
        Scheduler::Wrr => interleave::fill(shares),
        Scheduler::Mh => maglev::fill(shares, slots),
    }
}
