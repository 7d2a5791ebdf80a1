//! The maps of the bench: those of the baseline `lru`, of the kernel's kinds that other balancers
//! use, and below, those of the feeder. The only code that touches map memory.

use aya_ebpf::{
    Global,
    btf_maps::{Array, HashMap, LruHashMap, PerCpuArray},
    macros::btf_map,
};

#[path = "feed.rs"]
pub mod feed;

/// What a flow is known by, with room for IPv6: words as they lie in the packet, put together in
/// registers, since the kernel hashes them by more than a field at a time.
#[repr(C)]
pub struct Key {
    pub source: [u64; 2],
    pub destination: [u64; 2],
    /// The ports, and the protocol above them.
    pub ports: u64,
}

/// What a service is known by.
#[repr(C)]
pub struct Vip {
    address: [u64; 2],
    /// The port, and the protocol above it.
    port: u64,
}

impl Vip {
    pub fn of(key: &Key) -> Self {
        Self {
            address: key.destination,
            port: key.ports >> 16,
        }
    }
}

#[repr(C)]
struct Flow {
    member: u32,
    _reserved: u32,
    _seen: u64,
}

#[repr(C)]
struct Count {
    packets: u64,
    bytes: u64,
}

const ANY: u64 = 0;

#[btf_map]
static LRU_SERVICES: HashMap<Vip, u32, 1024> = HashMap::new();
/// Its size is set at load time.
#[btf_map]
static LRU_FLOWS: LruHashMap<Key, Flow, 1> = LruHashMap::new();
#[btf_map]
static LRU_SLOTS: Array<u32, 65536> = Array::new();
/// A MAC in each, low octet first.
#[btf_map]
static LRU_MEMBERS: Array<u64, 1024> = Array::new();
#[btf_map]
static LRU_COUNTS: PerCpuArray<Count, 1024> = PerCpuArray::new();

/// What came back: to whom it should not, to its sender, to a member.
#[btf_map]
static SEEN: PerCpuArray<u64, 3> = PerCpuArray::new();
/// MACs, low octet first: the source of all that comes back, the sender's, and the first member's,
/// from whose others differ in the last octet.
#[unsafe(no_mangle)]
static EXPECTED: [Global<u64>; 3] = [const { Global::new(0) }; 3];

pub fn expected() -> [u64; 3] {
    [EXPECTED[0].load(), EXPECTED[1].load(), EXPECTED[2].load()]
}

pub fn seen(kind: u32) {
    if let Some(seen) = SEEN.get_ptr_mut(kind) {
        // SAFETY: as in `count`.
        unsafe { *seen += 1 };
    }
}

pub fn service(vip: Vip) -> Option<u32> {
    // SAFETY: copied at once.
    unsafe { LRU_SERVICES.get(vip) }.copied()
}

pub fn flow(key: &Key) -> Option<u32> {
    // SAFETY: copied at once.
    unsafe { LRU_FLOWS.get(key) }.map(|flow| flow.member)
}

pub fn remember(key: &Key, member: u32) {
    let flow = Flow {
        member,
        _reserved: 0,
        _seen: 0,
    };
    // Without room the flow has no entry, and goes where its hash says.
    let _ = LRU_FLOWS.insert(key, flow, ANY);
}

pub fn slot(index: u32) -> Option<u32> {
    LRU_SLOTS.get(index).copied()
}

/// The MAC's six octets, low octet first.
pub fn mac(member: u32) -> Option<u64> {
    LRU_MEMBERS.get(member).copied()
}

pub fn count(service: u32, octets: usize) {
    if let Some(count) = LRU_COUNTS.get_ptr_mut(service) {
        // SAFETY: per CPU, and XDP does not run twice at once on one.
        unsafe {
            (*count).packets += 1;
            (*count).bytes += octets as u64;
        }
    }
}
