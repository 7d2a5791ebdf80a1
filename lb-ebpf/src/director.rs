//! The director: sends each flow for a VIP to one of its real servers, by MAC address alone.

#![cfg_attr(target_arch = "bpf", no_std, no_main)]

// Not of the library: its maps would be in the objects of both roles, and made for both.
#[path = "maps/director.rs"]
#[allow(
    unreachable_pub,
    reason = "what the program may use, as if it were the library's"
)]
mod maps;

use aya_ebpf::{
    bindings::xdp_action::{self, XDP_DROP, XDP_PASS, XDP_TX},
    macros::xdp,
    programs::XdpContext,
};
use lb_common::{
    director::{Forward, Tables as _, forward},
    reason::{Fate, Reason},
};
use lb_ebpf::packet::{XdpPacket, redirect};

use maps::Maps;

#[xdp(frags)]
fn director(ctx: XdpContext) -> xdp_action::Type {
    let ingress = ctx.ingress_ifindex() as u32;
    match forward(&mut XdpPacket::from(&ctx), ingress, &Maps) {
        Ok(Forward::Return) => XDP_TX,
        Ok(Forward::Through(egress)) => redirect(egress),
        Err(reason) => {
            let number = reason.number(ingress.into());
            maps::count(number);
            match Reason::fate_of(number) {
                Fate::Pass => XDP_PASS,
                Fate::Drop => XDP_DROP,
            }
        }
    }
}

/// Returns the clock of the flow records; for user space to run, never attached.
#[xdp]
fn clock(_: XdpContext) -> u32 {
    Maps.now()
}

#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
