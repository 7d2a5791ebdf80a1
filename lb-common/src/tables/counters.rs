//! What is counted per member, on each CPU.

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub packets: u64,
    /// Octets of whole frames, as they came.
    pub bytes: u64,
    /// New flows.
    pub flows: u64,
}
