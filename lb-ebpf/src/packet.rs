//! The packet a program was handed. The only code that touches packet memory.

use core::marker::PhantomData;

use aya_ebpf::{
    helpers::{bpf_redirect, bpf_xdp_adjust_head},
    programs::{TcContext, XdpContext},
};
use lb_common::wire::{Frame, FrameMut, Header};

/// The bytes between `data` and `data_end` of a program's context.
pub struct Packet<'a> {
    start: usize,
    end: usize,
    context: PhantomData<&'a mut [u8]>,
}

impl<'a> From<&'a XdpContext> for Packet<'a> {
    fn from(ctx: &'a XdpContext) -> Self {
        Self {
            start: ctx.data(),
            end: ctx.data_end(),
            context: PhantomData,
        }
    }
}

impl<'a> From<&'a TcContext> for Packet<'a> {
    fn from(ctx: &'a TcContext) -> Self {
        Self {
            start: ctx.data(),
            end: ctx.data_end(),
            context: PhantomData,
        }
    }
}

impl Packet<'_> {
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

    fn octets(&self) -> usize {
        self.end - self.start
    }
}

impl FrameMut for Packet<'_> {
    fn header_mut<T: Header>(&mut self, offset: usize) -> Option<&mut T> {
        // SAFETY: as in `header`; the packet is borrowed mutably.
        self.at(offset).map(|header| unsafe { &mut *header })
    }
}

/// Sends the packet out of another interface; returns the program's answer.
pub fn redirect(egress: u32) -> u32 {
    // SAFETY: takes two numbers.
    unsafe { bpf_redirect(egress, 0) as u32 }
}

/// Makes a packet `octets` long, at its front; `None` if there is no room.
pub fn resize(ctx: &XdpContext, octets: usize) -> Option<()> {
    let excess = (ctx.data_end() - ctx.data()) as i32 - octets as i32;
    // SAFETY: no view of the packet outlives the borrow of its context.
    (excess == 0 || unsafe { bpf_xdp_adjust_head(ctx.ctx, excess) } == 0).then_some(())
}
