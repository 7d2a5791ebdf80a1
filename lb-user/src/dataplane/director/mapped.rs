//! Arrays that the kernel's programs and this process both have in memory.

use std::{
    io,
    ops::{Deref, Range},
    os::fd::AsFd,
    slice,
};

use lb_common::{
    shared::Shared,
    tables::{Bucket, FlowSet, Interface, Member, Service, Settings},
};
use memmap2::{MmapMut, MmapOptions, MmapRaw};
use rustix::fd::AsRawFd;

/// A record that may lie in memory that others write.
///
/// # Safety
///
/// Every bit pattern must be a value, and what others write at any time must be [`Shared`].
pub unsafe trait Record {}

// SAFETY: shared words.
unsafe impl Record for Bucket {}
// SAFETY: as above.
unsafe impl Record for FlowSet {}
// SAFETY: as above.
unsafe impl Record for Interface {}
// SAFETY: as above.
unsafe impl Record for Shared {}
// SAFETY: integers, octets, and shared words where packets or others write.
unsafe impl Record for Member {}
// SAFETY: as above.
unsafe impl Record for Service {}
// SAFETY: integers.
unsafe impl Record for Settings {}

/// A mapped array of `T`.
#[derive(Debug)]
pub struct Mapped<T> {
    memory: MmapRaw,
    len: usize,
    record: std::marker::PhantomData<T>,
}

impl<T: Record> Mapped<T> {
    /// Maps the first `len` records of a BPF array.
    pub fn array(map: impl AsFd, len: usize) -> io::Result<Self> {
        let memory = MmapOptions::new()
            .len(len * size_of::<T>())
            .map_raw(map.as_fd().as_raw_fd())?;
        Ok(Self::new(memory, len))
    }

    /// Returns `len` zeroed records that only this process has.
    pub fn anonymous(len: usize) -> io::Result<Self> {
        let memory = MmapMut::map_anon(len * size_of::<T>())?;
        Ok(Self::new(memory.into(), len))
    }

    fn new(memory: MmapRaw, len: usize) -> Self {
        Self {
            memory,
            len,
            record: std::marker::PhantomData,
        }
    }

    /// Writes a record whole, which nothing may point at yet.
    ///
    /// # Panics
    ///
    /// If there is no such record.
    pub fn write(&self, index: usize, record: T) {
        assert!(index < self.len, "record {index} of {}", self.len);
        // SAFETY: within the mapping, which is writable and aligned to a page.
        unsafe {
            self.memory
                .as_mut_ptr()
                .cast::<T>()
                .add(index)
                .write(record)
        }
    }

    /// Returns the records of a range, or none if it does not lie within the array.
    pub fn range(&self, range: Range<u32>) -> &[T] {
        self.get(range.start as usize..range.end as usize)
            .unwrap_or_default()
    }
}

impl<T: Record> Deref for Mapped<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `len` records of any bit pattern, mapped as long as `self`, aligned to a page.
        unsafe { slice::from_raw_parts(self.memory.as_ptr().cast(), self.len) }
    }
}
