//! The packet a program was handed. The only code that touches packet memory.

use core::{ffi::c_void, marker::PhantomData};

use aya_ebpf::{
    EbpfContext as _,
    bindings::xdp_md,
    helpers::{bpf_redirect, bpf_xdp_adjust_head},
    programs::{TcContext, XdpContext},
};
use lb_common::wire::{Frame, FrameMut, Header, Resize};

/// The bytes between `data` and `data_end` of a program's context.
pub struct Packet<'a> {
    start: usize,
    end: usize,
    context: *mut c_void,
    bytes: PhantomData<&'a mut [u8]>,
}

impl<'a> From<&'a XdpContext> for Packet<'a> {
    fn from(ctx: &'a XdpContext) -> Self {
        Self {
            start: ctx.data(),
            end: ctx.data_end(),
            context: ctx.as_ptr(),
            bytes: PhantomData,
        }
    }
}

impl<'a> From<&'a TcContext> for Packet<'a> {
    fn from(ctx: &'a TcContext) -> Self {
        Self {
            start: ctx.data(),
            end: ctx.data_end(),
            context: ctx.as_ptr(),
            bytes: PhantomData,
        }
    }
}

impl Packet<'_> {
    /// Octets of the frame, or of the first of its buffers.
    pub fn octets(&self) -> usize {
        self.end - self.start
    }

    // Compared as addresses: the verifier learns a packet's length from no other form.
    fn at<T: Header>(&self, offset: usize) -> Option<*mut T> {
        let start = self.start + offset;
        (start + T::LEN <= self.end).then_some(start as *mut T)
    }
}

impl Frame for Packet<'_> {
    fn header<T: Header>(&self, offset: usize) -> Option<&T> {
        // SAFETY: `at` checked the bounds, and a `Header` may lie at any address.
        self.at(offset).map(|header| unsafe { &*header })
    }
}

impl FrameMut for Packet<'_> {
    fn header_mut<T: Header>(&mut self, offset: usize) -> Option<&mut T> {
        // SAFETY: as in `header`; the packet is borrowed mutably.
        self.at(offset).map(|header| unsafe { &mut *header })
    }
}

/// A packet of XDP: others have no room in front.
pub struct XdpPacket<'a>(Packet<'a>);

impl<'a> From<&'a XdpContext> for XdpPacket<'a> {
    fn from(ctx: &'a XdpContext) -> Self {
        Self(ctx.into())
    }
}

impl Frame for XdpPacket<'_> {
    fn header<T: Header>(&self, offset: usize) -> Option<&T> {
        self.0.header(offset)
    }
}

impl FrameMut for XdpPacket<'_> {
    fn header_mut<T: Header>(&mut self, offset: usize) -> Option<&mut T> {
        self.0.header_mut(offset)
    }
}

impl Resize for XdpPacket<'_> {
    fn shrink(&mut self, octets: usize) -> Option<()> {
        self.move_start(octets as i32)
    }

    fn grow(&mut self, octets: usize) -> Option<()> {
        self.move_start(-(octets as i32))
    }

    fn forget(&mut self) {
        self.read_bounds();
    }
}

impl XdpPacket<'_> {
    /// Moves the start by so many octets; they are read anew, as the kernel may have moved all.
    fn move_start(&mut self, by: i32) -> Option<()> {
        // SAFETY: the context outlives this, and the views of the packet borrow from `self`.
        if unsafe { bpf_xdp_adjust_head(self.0.context.cast(), by) } != 0 {
            return None;
        }
        self.read_bounds();
        Some(())
    }

    fn read_bounds(&mut self) {
        let ctx = self.0.context.cast::<xdp_md>();
        // SAFETY: the context outlives this. Volatile: LLVM would take what was read before.
        unsafe {
            self.0.start = (&raw const (*ctx).data).read_volatile() as usize;
            self.0.end = (&raw const (*ctx).data_end).read_volatile() as usize;
        }
    }
}

/// Sends the packet out of another interface; returns the program's answer.
pub fn redirect(egress: u32) -> u32 {
    // SAFETY: takes two numbers.
    unsafe { bpf_redirect(egress, 0) as u32 }
}

/// Makes a packet `octets` long, at its front; `None` if there is no room.
pub fn resize(ctx: &XdpContext, octets: usize) -> Option<()> {
    let mut packet = XdpPacket::from(ctx);
    let excess = packet.0.octets() as i32 - octets as i32;
    if excess == 0 {
        return Some(());
    }
    packet.move_start(excess)
}
