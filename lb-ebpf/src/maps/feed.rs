//! What the feeder feeds: set when it is loaded, but for the cursor.

use aya_ebpf::{
    Global,
    btf_maps::{Array, ProgramArray},
    macros::btf_map,
    programs::XdpContext,
};

/// The program under test, at 0.
#[btf_map]
static SUBJECT: ProgramArray<1> = ProgramArray::new();
#[btf_map]
static CURSOR: Array<Cursor, 1> = Array::new();

/// The flow that is next, and how far the one after it is: 1, or any odd number for an order that
/// no prefetcher sees through.
#[repr(C)]
struct Cursor {
    next: u32,
    step: u32,
}

/// Declares globals that user space sets when it loads the object.
macro_rules! set_at_load {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $unset:expr;)*) => {$(
        $(#[$doc])*
        #[unsafe(no_mangle)]
        pub static $name: Global<$type> = Global::new($unset);
    )*};
}

set_at_load! {
    /// Length of the frame.
    OCTETS: u32 = 64;
    /// Whether the head is restored too: for programs that write more than the fields below.
    WHOLE: u32 = 0;
    /// MACs, low octet first.
    DESTINATION: u64 = 0;
    SOURCE: u64 = 0;
    /// The word that has the time to live, as it lies there.
    LIFE: u32 = 0;
    LIFE_AT: u32 = 22;
    /// Eight octets with addresses as they lie there, the four that are the client's apart: as the
    /// number of the first client, and how many bits they are shifted by.
    ADDRESSES: u64 = 0;
    ADDRESSES_AT: u32 = 26;
    CLIENT: u32 = 0;
    CLIENT_SHIFT: u32 = 0;
    /// The port of the service, as it lies there.
    PORT: u32 = 0;
    PORTS_AT: u32 = 34;
    /// Flows less one; they are a power of two.
    FLOWS_MASK: u32 = 0;
}

/// The first octets of the frame.
#[unsafe(no_mangle)]
pub static HEAD: [Global<u64>; 6] = [const { Global::new(0) }; 6];

/// What the next flow has in its packets, as it lies there.
pub struct Flow {
    pub addresses: u64,
    pub ports: u32,
}

/// 16 Ki ports of each client.
const PORT_BITS: u32 = 14;
const FIRST_PORT: u32 = 0x4000;

pub fn next() -> Option<Flow> {
    let cursor = CURSOR.get_ptr_mut(0)?;
    // SAFETY: the bench runs on one CPU, and an array's element stays.
    let next = unsafe {
        (*cursor).next = (*cursor).next.wrapping_add((*cursor).step);
        (*cursor).next
    };
    let flow = next & FLOWS_MASK.load();
    let port = FIRST_PORT + (flow & ((1 << PORT_BITS) - 1));
    let client = CLIENT.load().wrapping_add(flow >> PORT_BITS).to_be();
    Some(Flow {
        addresses: ADDRESSES.load() | u64::from(client) << CLIENT_SHIFT.load(),
        ports: u32::from((port as u16).to_be()) | PORT.load() << 16,
    })
}

/// Goes on to the program under test; returns only if there is none of this feeder's kind.
// Inlined as its caller is.
#[inline(always)]
pub fn go_on(ctx: &XdpContext) {
    // SAFETY: nothing here waits to be dropped.
    unsafe { SUBJECT.tail_call(ctx, 0) };
}
