//! What is rare, and long: global functions, each of which the verifier takes by itself and once,
//! for any arguments. So they are of numbers, and of one pointer that may be null.
//!
//! Exported, as else they are not global, and not inlined, as else they are not there.

use lb_common::{arrival::Arrival, director::ranged as find_ranged, flow_table, hash::Destination};

use super::Maps;

#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn settle(arrival: *const Arrival, service: u64) -> u64 {
    // SAFETY: null or the caller's, as the verifier has seen.
    match unsafe { arrival.as_ref() } {
        Some(arrival) => arrival.settle(service as u16, &Maps).0,
        None => 0,
    }
}

#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn enter(hash: u64, record: u64, now: u64) -> u64 {
    flow_table::enter(hash, record, now as u32, &Maps) as u64
}

#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ranged(first: u64, second: u64, kind: u64, bits: u64) -> u64 {
    let destination = Destination::of_words([first, second, kind]);
    find_ranged(destination, bits, &Maps).into()
}
