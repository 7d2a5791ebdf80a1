//! What is known of checks. User space says which probe address stands for which VIP; the programs
//! note flows. The only code that touches map memory.
//!
//! Values are copied out, as a real server's are.

use aya_ebpf::{
    btf_maps::{Array, LruHashMap},
    macros::btf_map,
};
use lb_common::{
    address::Address,
    probe::{ELEMENTS, Flow, NOTES_MAX, Path, element},
};

/// The VIP of each probe address, or zeros.
// No hash map that grows: many insertions in a row find no memory, as the kernel allocates it later.
#[btf_map]
static PROBES: Array<Address, ELEMENTS> = Array::new();

/// The probe address of each flow.
#[btf_map]
static NOTES: LruHashMap<Flow, Address, NOTES_MAX> = LruHashMap::new();

/// By port, as its octets lie, 1 if a flow has it or has had it: other packets from the wire end here.
// Not swapped, as in `element`.
#[btf_map]
static PORTS: Array<[u8; 1 << 16], 1> = Array::new();

/// What the maps have.
pub struct Maps;

impl Path for Maps {
    fn vip(&self, probe: Address) -> Option<Address> {
        let vip = *PROBES.get(element(probe)?)?;
        (vip != Address::default()).then_some(vip)
    }

    fn has_port(&self, port: [u8; 2]) -> bool {
        PORTS
            .get(0)
            .is_some_and(|ports| ports[usize::from(u16::from_ne_bytes(port))] != 0)
    }

    fn probe(&self, flow: &Flow) -> Option<Address> {
        // SAFETY: copied at once; of a note that gives way meanwhile, a reply goes to nobody.
        unsafe { NOTES.get(flow) }.copied()
    }
}

/// Notes a flow, unless it is noted; whether it is then.
pub fn note(flow: &Flow, probe: Address) -> bool {
    if Maps.probe(flow) == Some(probe) {
        return true;
    }
    let Some(ports) = PORTS.get_ptr_mut(0) else {
        return false;
    };
    // SAFETY: within the array, as a port is; whoever writes to an octet of it writes the same.
    unsafe { (*ports)[usize::from(u16::from_ne_bytes(flow.port))] = 1 };
    NOTES.insert(flow, probe, 0).is_ok()
}
