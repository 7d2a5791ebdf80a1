//! What the director's maps hold. User space maps the same bytes.
//!
//! A record that packets use while user space changes it is a [`Shared`](crate::shared::Shared)
//! word, or is written whole before anything points at it. Bits are packed by hand, low bits
//! first, so that the layout is what is written here and nothing else.

mod counters;
mod directory;
mod endpoints;
mod flows;
mod interface;
mod layout;
mod member;
mod service;
mod settings;
mod site;
mod slot;

pub use counters::Counters;
pub use directory::{Bucket, Entry};
pub use endpoints::{Endpoints, Whose};
pub use flows::{FlowSet, Packed, Record, State, WAYS};
pub use interface::Interface;
pub use layout::{Layout, Pick};
pub use member::{Link, Member};
pub use service::{Chain, Options, Service};
pub use settings::{Settings, Timeouts};
pub use site::{Site, bucket_of};
pub use slot::{SlotValue, slot_of};

/// Changes with any change of a layout below: a daemon does not adopt maps of another version.
pub const LAYOUT_VERSION: u64 = 5;

/// Buckets of the directory, a power of two: 2 MiB, twice the services that can be.
pub const DIRECTORY_BUCKETS: usize = 1 << 15;
/// Id 0 is none.
pub const SERVICES_MAX: usize = 1 << 14;
/// Id 0 is none. Ids have 24 bits in slots and flows.
pub const MEMBERS_MAX: usize = 1 << 17;
/// Slots of all services together: 8 MiB.
pub const SLOTS_MAX: usize = 1 << 20;
/// Sets of the flow table, a power of two: 4 flows and 64 octets each, 16 MiB.
pub const FLOW_SETS_DEFAULT: usize = 1 << 18;
/// Interfaces, by index modulo this.
pub const INTERFACES_MAX: usize = 256;
/// Services of one VIP and protocol that have a range of ports: a packet may have to ask all.
pub const RANGES_MAX: usize = 16;
