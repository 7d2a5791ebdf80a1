//! Arrays that the kernel's programs and this process both have in memory.

use std::{
    io,
    ops::{Deref, Range},
    os::fd::AsFd,
    slice,
    sync::Arc,
};

use lb_common::{
    shared::Shared,
    tables::{Bucket, Endpoints, FlowSet, Interface, Member, Service, Settings, Site},
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
// SAFETY: as above.
unsafe impl Record for Endpoints {}
// SAFETY: integers, octets, and shared words where packets or others write.
unsafe impl Record for Member {}
// SAFETY: as above.
unsafe impl Record for Service {}
// SAFETY: as above.
unsafe impl Record for Settings {}
// SAFETY: made of the above.
unsafe impl Record for Site {}

/// A mapped array of `T`, or a part of one.
#[derive(Debug)]
pub struct Mapped<T> {
    memory: Arc<MmapRaw>,
    /// Octets before the first.
    offset: usize,
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
            memory: Arc::new(memory),
            offset: 0,
            len,
            record: std::marker::PhantomData,
        }
    }

    /// Returns the part at `offset` of the first record's octets: an array of `len` others.
    ///
    /// # Panics
    ///
    /// If it is not within the first record, or not aligned.
    pub fn part<U: Record>(&self, offset: usize, len: usize) -> Mapped<U> {
        assert!(offset + len * size_of::<U>() <= size_of::<T>(), "outside");
        assert!(offset.is_multiple_of(align_of::<U>()), "not aligned");
        Mapped {
            memory: self.memory.clone(),
            offset: self.offset + offset,
            len,
            record: std::marker::PhantomData,
        }
    }

    fn start(&self) -> *mut T {
        self.memory
            .as_mut_ptr()
            .wrapping_byte_add(self.offset)
            .cast()
    }

    /// Writes a record whole, which nothing may point at yet.
    ///
    /// # Panics
    ///
    /// If there is no such record.
    pub fn write(&self, index: usize, record: T) {
        assert!(index < self.len, "record {index} of {}", self.len);
        // SAFETY: within the mapping, which is writable and aligned.
        unsafe { self.start().add(index).write(record) }
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
        // SAFETY: `len` records of any bit pattern, mapped as long as `self`, and aligned.
        unsafe { slice::from_raw_parts(self.start(), self.len) }
    }
}
