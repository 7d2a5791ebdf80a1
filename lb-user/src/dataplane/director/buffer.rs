//! A frame in this process's memory, with room in front as a driver leaves it.

use lb_common::wire::{Frame, FrameMut, Header, Resize};

/// Octets in front (`XDP_PACKET_HEADROOM`).
const HEADROOM: usize = 256;

#[derive(Clone, Debug)]
pub struct Buffer {
    octets: Vec<u8>,
    start: usize,
}

impl From<&[u8]> for Buffer {
    fn from(frame: &[u8]) -> Self {
        Self {
            octets: [&[0; HEADROOM], frame].concat(),
            start: HEADROOM,
        }
    }
}

impl Buffer {
    pub fn frame(&self) -> &[u8] {
        &self.octets[self.start..]
    }
}

impl Frame for Buffer {
    fn header<T: Header>(&self, offset: usize) -> Option<&T> {
        self.octets.get(self.start..)?.header(offset)
    }
}

impl FrameMut for Buffer {
    fn header_mut<T: Header>(&mut self, offset: usize) -> Option<&mut T> {
        self.octets.get_mut(self.start..)?.header_mut(offset)
    }
}

impl Resize for Buffer {
    fn shrink(&mut self, octets: usize) -> Option<()> {
        let start = self.start + octets;
        (start < self.octets.len()).then(|| self.start = start)
    }

    fn grow(&mut self, octets: usize) -> Option<()> {
        self.start = self.start.checked_sub(octets)?;
        Some(())
    }

    fn forget(&mut self) {}
}
