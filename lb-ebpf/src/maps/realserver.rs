//! What a real server knows of one interface. User space fills it; the programs count. The only
//! code that touches map memory.
//!
//! Values are copied out: what a look-up points at may be reused as soon as user space removes it.

use aya_ebpf::{
    btf_maps::{Array, HashMap, PerCpuArray},
    macros::btf_map,
};
use lb_common::{
    realserver::{Counts, RIPS_MAX, Rip, Rip6, TOLD_PER_SECOND, VIPS_MAX, Vip},
    shared::Shared,
    verdict::Own,
};

#[btf_map]
static VIPS: HashMap<[u8; 4], Vip, VIPS_MAX> = HashMap::new();

#[btf_map]
static VIPS6: HashMap<[u8; 16], Vip, VIPS_MAX> = HashMap::new();

/// Of the VIPs of both families.
#[btf_map]
static COUNTS: PerCpuArray<Counts, VIPS_MAX> = PerCpuArray::new();

#[btf_map]
static RIPS: Array<Rip, RIPS_MAX> = Array::new();

#[btf_map]
static RIPS6: Array<Rip6, RIPS_MAX> = Array::new();

/// 0 while nobody watches; else one more than the frames that were to be told of in this second.
#[btf_map]
static WATCHED: Array<Shared, 1> = Array::new();

/// What the maps have.
pub struct Maps;

impl Own for Maps {
    fn vip(&self, address: [u8; 4]) -> Option<Vip> {
        // SAFETY: copied at once; a torn copy would at worst count for another VIP.
        unsafe { VIPS.get(address) }.copied()
    }

    fn vip6(&self, address: &[u8; 16]) -> Option<Vip> {
        // SAFETY: as in `vip`.
        unsafe { VIPS6.get(address) }.copied()
    }

    fn rips(&self) -> impl Iterator<Item = Rip> {
        (0..RIPS_MAX as u32).map_while(|index| RIPS.get(index).copied())
    }

    fn rips6(&self) -> impl Iterator<Item = Rip6> {
        (0..RIPS_MAX as u32).map_while(|index| RIPS6.get(index).copied())
    }
}

/// Adds one to what `field` picks of the counts of `vip`.
pub fn count(vip: Vip, field: impl FnOnce(&mut Counts) -> &mut u64) {
    if let Some(counts) = COUNTS.get_ptr_mut(vip.index) {
        // SAFETY: per CPU. A program that interrupts this one may cost one count.
        *field(unsafe { &mut *counts }) += 1;
    }
}

/// Whether somebody is to be told of one more frame.
pub fn is_watched() -> bool {
    WATCHED
        .get(0)
        .is_some_and(|frames| frames.load() != 0 && frames.increment() <= TOLD_PER_SECOND)
}
