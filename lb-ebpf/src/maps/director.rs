//! The director's maps: plain arrays, whose look-ups the JIT compiles to loads. User space maps all
//! but those that are per CPU, and sets the sizes of all but the site.

use aya_ebpf::{
    Global,
    bindings::BPF_F_MMAPABLE,
    btf_maps::{Array, PerCpuArray},
    helpers::generated::bpf_jiffies64,
    macros::btf_map,
};
use lb_common::{
    arrival::Arrival,
    director::Tables,
    hash::Destination,
    reason::Reason,
    schedule::Choice,
    tables::{Counters, Endpoints, FLOW_SETS_DEFAULT, FlowSet, MEMBERS_MAX, Site, WAYS, Whose},
};

const MAPPED: usize = BPF_F_MMAPABLE as usize;

#[btf_map]
static SITE: Array<Site, 1, MAPPED> = Array::new();
#[btf_map]
static FLOWS: Array<FlowSet, FLOW_SETS_DEFAULT, MAPPED> = Array::new();
#[btf_map]
static ENDPOINTS: Array<Endpoints, { FLOW_SETS_DEFAULT * WAYS }, MAPPED> = Array::new();
#[btf_map]
static COUNTERS: PerCpuArray<Counters, MEMBERS_MAX> = PerCpuArray::new();
#[btf_map]
static REASONS: PerCpuArray<u64, { Reason::ALL.len() }> = PerCpuArray::new();

/// Sets of [`FLOWS`] less one; they are a power of two. Set at load time.
#[unsafe(no_mangle)]
static FLOW_SETS_MASK: Global<u32> = Global::new(FLOW_SETS_DEFAULT as u32 - 1);
/// 2^32 divided by the kernel's timer frequency. Set at load time.
#[unsafe(no_mangle)]
static SECONDS_PER_JIFFY: Global<u64> = Global::new((1 << 32) / 250);

#[path = "rare.rs"]
mod rare;

/// The director's tables, as the kernel has them.
pub struct Maps;

impl Tables for Maps {
    fn site(&self) -> Option<&Site> {
        SITE.get(0)
    }

    fn flow_set(&self, hash: u64) -> Option<&FlowSet> {
        FLOWS.get(hash as u32 & FLOW_SETS_MASK.load())
    }

    fn now(&self) -> u32 {
        // SAFETY: takes nothing and returns a number; the JIT compiles it to a load.
        let jiffies = unsafe { bpf_jiffies64() };
        (jiffies.wrapping_mul(SECONDS_PER_JIFFY.load()) >> 32) as u32
    }

    fn count(&self, member: u32, octets: usize, new: bool) {
        if let Some(counters) = COUNTERS.get_ptr_mut(member) {
            // SAFETY: per CPU, and XDP does not run twice at once on one.
            unsafe {
                (*counters).packets += 1;
                (*counters).bytes += octets as u64;
                (*counters).flows += u64::from(new);
            }
        }
    }

    fn settle(&self, arrival: &Arrival, service: u16) -> Choice {
        Choice(rare::settle(arrival, service.into()))
    }

    fn enter(&self, hash: u64, record: u64, now: u32) -> usize {
        rare::enter(hash, record, now.into()) as usize
    }

    fn ranged(&self, destination: Destination, bits: u64) -> u16 {
        let [first, second, kind] = destination.words();
        rare::ranged(first, second, kind, bits) as u16
    }

    fn note(&self, hash: u64, way: usize, whose: &Whose) {
        let set = hash as u32 & FLOW_SETS_MASK.load();
        // There are none if flows are not to be listed.
        if let Some(endpoints) = ENDPOINTS.get(set * WAYS as u32 + way as u32) {
            endpoints.write(whose, lb_common::flow_table::fingerprint(hash));
        }
    }
}

/// Counts a reason, by its number.
pub fn count(reason: u64) {
    if let Some(count) = REASONS.get_ptr_mut(reason as u32) {
        // SAFETY: per CPU, and XDP does not run twice at once on one.
        unsafe { *count += 1 };
    }
}
