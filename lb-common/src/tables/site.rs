//! The tables of fixed size, in one record.

use super::{
    Bucket, DIRECTORY_BUCKETS, INTERFACES_MAX, Interface, MEMBERS_MAX, Member, SERVICES_MAX,
    SLOTS_MAX, Service, Settings,
};
use crate::shared::Shared;

/// One element of one array: a program looks it up once, by a number that is known beforehand, and
/// all else is an addition. Of a map for each table every look-up would wait for its index to be
/// written to the stack and read again.
///
/// Every length is a power of two, and indices are cut to it, which costs less than asking.
#[repr(C)]
#[derive(Debug)]
pub struct Site {
    pub directory: [Bucket; DIRECTORY_BUCKETS],
    pub services: [Service; SERVICES_MAX],
    pub members: [Member; MEMBERS_MAX],
    pub slots: [Shared; SLOTS_MAX],
    pub interfaces: [Interface; INTERFACES_MAX],
    pub settings: Settings,
}

impl Site {
    /// Returns the bucket that a destination of this hash is in.
    pub fn bucket(&self, hash: u64) -> &Bucket {
        &self.directory[bucket_of(hash)]
    }

    pub fn service(&self, id: u16) -> &Service {
        &self.services[usize::from(id) & (SERVICES_MAX - 1)]
    }

    pub fn member(&self, id: u32) -> &Member {
        &self.members[id as usize & (MEMBERS_MAX - 1)]
    }

    pub fn slot(&self, index: u32) -> &Shared {
        &self.slots[index as usize & (SLOTS_MAX - 1)]
    }

    pub fn interface(&self, index: u32) -> &Interface {
        &self.interfaces[Interface::element(index)]
    }
}

/// Returns the number of the bucket that a destination of this hash is in.
pub fn bucket_of(hash: u64) -> usize {
    hash as usize & (DIRECTORY_BUCKETS - 1)
}

const _: () = assert!(
    DIRECTORY_BUCKETS.is_power_of_two()
        && SERVICES_MAX.is_power_of_two()
        && MEMBERS_MAX.is_power_of_two()
        && SLOTS_MAX.is_power_of_two()
        && INTERFACES_MAX.is_power_of_two()
);
