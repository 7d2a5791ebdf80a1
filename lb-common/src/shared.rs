//! A word of memory that several CPUs, and the kernel and user space, read and write at once.
//!
//! Every access is one machine word and relaxed: a reader sees some value that was written whole,
//! and nothing is promised about the order of different words. On the eBPF target, core has
//! neither relaxed loads that its code generator accepts nor read-modify-write operations, so
//! there they are volatile accesses and intrinsics (`BPF_FETCH`, `BPF_CMPXCHG`: Linux 5.12).

use core::sync::atomic::AtomicU64;

/// A shared 64-bit word.
#[repr(transparent)]
#[derive(Debug, Default)]
pub struct Shared(AtomicU64);

impl Shared {
    pub const fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }
}

#[cfg(not(target_arch = "bpf"))]
mod access {
    use core::sync::atomic::Ordering::Relaxed;

    use super::Shared;

    impl Shared {
        #[inline]
        pub fn load(&self) -> u64 {
            self.0.load(Relaxed)
        }

        #[inline]
        pub fn store(&self, value: u64) {
            self.0.store(value, Relaxed);
        }

        /// Adds one and returns the value before.
        pub fn increment(&self) -> u64 {
            self.0.fetch_add(1, Relaxed)
        }

        /// Stores `to` if the value is still `from`; whether it was.
        pub fn replace(&self, from: u64, to: u64) -> bool {
            self.0.compare_exchange(from, to, Relaxed, Relaxed).is_ok()
        }
    }
}

#[cfg(target_arch = "bpf")]
mod access {
    use core::intrinsics::{AtomicOrdering::SeqCst, atomic_cxchg, atomic_xadd};

    use super::Shared;

    impl Shared {
        #[inline]
        pub fn load(&self) -> u64 {
            // SAFETY: valid as `self` is; an aligned word is read whole.
            unsafe { self.0.as_ptr().read_volatile() }
        }

        #[inline]
        pub fn store(&self, value: u64) {
            // SAFETY: valid as `self` is, whose interior may be written through a reference.
            unsafe { self.0.as_ptr().write_volatile(value) }
        }

        #[inline]
        pub fn increment(&self) -> u64 {
            // A relaxed addition is compiled to the instruction that returns nothing, even where
            // its value is used (LLVM 22).
            // SAFETY: as in `store`.
            unsafe { atomic_xadd::<u64, u64, { SeqCst }>(self.0.as_ptr(), 1) }
        }

        #[inline]
        pub fn replace(&self, from: u64, to: u64) -> bool {
            // SAFETY: as in `store`.
            unsafe { atomic_cxchg::<u64, { SeqCst }, { SeqCst }>(self.0.as_ptr(), from, to).1 }
        }
    }
}
