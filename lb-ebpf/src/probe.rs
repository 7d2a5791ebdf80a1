//! The path of health checks: a probe address becomes the VIP on the way out, and the VIP the probe
//! address on the way in.

#![cfg_attr(target_arch = "bpf", no_std, no_main)]

// Not of the library, as the real server's.
#[path = "maps/probe.rs"]
#[allow(
    unreachable_pub,
    reason = "what the program may use, as if it were the library's"
)]
mod maps;

use aya_ebpf::{
    bindings::{
        BPF_F_MARK_MANGLED_0, BPF_F_PSEUDO_HDR, BPF_F_RECOMPUTE_CSUM, TC_ACT_SHOT, TC_ACT_UNSPEC,
    },
    macros::classifier,
    programs::TcContext,
};
use lb_common::{
    address::Version,
    probe::{self, Rewrite},
};
use lb_ebpf::packet::Packet;
use maps::Maps;

#[classifier]
fn probe_egress(ctx: TcContext) -> i32 {
    if !probe::may_be_sent(&Packet::from(&ctx)) {
        return TC_ACT_UNSPEC;
    }
    match probe::egress(&whole(&ctx), &Maps) {
        None => TC_ACT_UNSPEC,
        Some((flow, probe, how)) => answer(maps::note(&flow, probe) && written(&ctx, &how)),
    }
}

#[classifier]
fn probe_ingress(ctx: TcContext) -> i32 {
    if !probe::may_be_received(&Packet::from(&ctx), &Maps) {
        return TC_ACT_UNSPEC;
    }
    match probe::ingress(&whole(&ctx), &Maps) {
        None => TC_ACT_UNSPEC,
        Some(how) => answer(written(&ctx, &how)),
    }
}

/// A check's packet that is half written is of no use to anybody.
fn answer(is_done: bool) -> i32 {
    if is_done { TC_ACT_UNSPEC } else { TC_ACT_SHOT }
}

/// The packet, with all headers in reach. One that is cut short stays so, and passes.
fn whole(ctx: &TcContext) -> Packet<'_> {
    let _ = ctx.pull_data(ctx.len().min(probe::OCTETS as u32));
    Packet::from(ctx)
}

/// Whether the address is in the packet now, and its checksums follow.
// By the helpers: they know whether a checksum is finished, or left to the device, or what a device
// has summed up.
#[inline(always)] // The verifier is to see that offsets are not negative.
fn written(ctx: &TcContext, how: &Rewrite) -> bool {
    let by = u64::from(how.difference);
    if how.checksum != 0 {
        let flags = match how.is_optional {
            true => BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0,
            false => BPF_F_PSEUDO_HDR,
        };
        if ctx
            .l4_csum_replace(how.checksum, 0, by, flags.into())
            .is_err()
        {
            return false;
        }
    }
    if how.version == Version::V4 {
        // What the packet sums up to stays, as the header's checksum is part of it.
        return ctx.l3_csum_replace(how.header_checksum, 0, by, 0).is_ok()
            && ctx.store(how.offset, &how.address.octets_v4(), 0).is_ok();
    }
    // The helper above has taken the difference from that sum.
    let flags = u64::from(BPF_F_RECOMPUTE_CSUM);
    ctx.store(how.offset, &how.address.octets(), flags).is_ok()
}

#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
