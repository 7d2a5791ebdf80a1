//! The real server: keeps quiet about its VIPs on the wire, on the way in and on the way out.
//!
//! One program per hook; for the way in there are two, as not every driver takes XDP. What they
//! keep goes on to whatever else is attached.

#![cfg_attr(target_arch = "bpf", no_std, no_main)]

// Not of the library: its maps would be in the objects of both roles, and made for both.
#[path = "maps/realserver.rs"]
#[allow(
    unreachable_pub,
    reason = "what the program may use, as if it were the library's"
)]
mod maps;

use aya_ebpf::{
    bindings::{
        TC_ACT_SHOT, TC_ACT_UNSPEC,
        xdp_action::{self, XDP_DROP, XDP_PASS},
    },
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};
use aya_log_ebpf::info;
use lb_common::arp::{self, Party, Verdict};
use lb_ebpf::packet::Packet;

#[xdp(frags)]
fn arp_ingress(ctx: XdpContext) -> xdp_action::Type {
    let packet = Packet::from(&ctx);
    let verdict = arp::ingress(&packet, maps::vip);
    match keeps(verdict, || Party::from_wire(&packet), in_vain) {
        true => XDP_PASS,
        false => XDP_DROP,
    }
}

#[classifier]
fn arp_ingress_tc(ctx: TcContext) -> i32 {
    let Some(packet) = whole(&ctx) else {
        return TC_ACT_UNSPEC;
    };
    let verdict = arp::ingress(&packet, maps::vip);
    classified(keeps(verdict, || Party::from_wire(&packet), in_vain))
}

#[classifier]
fn arp_egress(ctx: TcContext) -> i32 {
    let Some(packet) = whole(&ctx) else {
        return TC_ACT_UNSPEC;
    };
    let verdict = arp::egress(&packet, maps::vip, maps::rips());
    // By the helper: a program that writes to packets itself unshares every TCP segment first.
    let mangle = |offset, rip| ctx.store(offset, &rip, 0).is_ok();
    classified(keeps(verdict, || Party::from_host(&packet), mangle))
}

/// Carries a verdict out, tells who watches, and returns whether the frame goes on.
// Inlined: a frame that is not ARP should not pay for a call.
#[inline(always)]
fn keeps(
    verdict: Verdict,
    party: impl FnOnce() -> Option<Party>,
    mangle: impl FnOnce(usize, [u8; 4]) -> bool,
) -> bool {
    let told = || if maps::is_watched() { party() } else { None };
    let (vip, party) = match verdict {
        Verdict::Pass => return true,
        Verdict::Asked(vip) => {
            maps::count(vip, |counts| &mut counts.asked);
            if let Some(Party { vip, ip, mac }) = told() {
                info!(
                    (),
                    "in, dropped: {:i} ({:mac}) asked for VIP {:i}, which the director answers for",
                    ip,
                    mac.octets,
                    vip
                );
            }
            return false;
        }
        Verdict::Claimed(vip) => (vip, told()),
        Verdict::Mangled { vip, rip, offset } => {
            // Before the packet is written to, which ends the view of it.
            let party = told();
            if mangle(offset, rip) {
                maps::count(vip, |counts| &mut counts.mangled);
                if let Some(Party { vip, ip, mac }) = party {
                    info!(
                        (),
                        "out, mangled: asked {:i} ({:mac}) as VIP {:i}, now as RIP {:i}",
                        ip,
                        mac.octets,
                        vip,
                        rip
                    );
                }
                return true;
            }
            (vip, party)
        }
    };
    maps::count(vip, |counts| &mut counts.claimed);
    if let Some(Party { vip, ip, mac }) = party {
        info!(
            (),
            "out, dropped: told {:i} ({:mac}) of VIP {:i}, which is the director's",
            ip,
            mac.octets,
            vip
        );
    }
    false
}

/// On the way in there is nothing to mangle.
fn in_vain(_: usize, _: [u8; 4]) -> bool {
    false
}

fn classified(keep: bool) -> i32 {
    if keep { TC_ACT_UNSPEC } else { TC_ACT_SHOT }
}

/// The packet, if it may be ARP, with all of it in reach: a frame out of a packet socket's ring may
/// have no more than its Ethernet header there.
fn whole(ctx: &TcContext) -> Option<Packet<'_>> {
    let packet = Packet::from(ctx);
    if !arp::may_be(&packet) {
        return None;
    }
    // A frame that is cut short stays so, and passes.
    let _ = ctx.pull_data(ctx.len().min(arp::OCTETS as u32));
    Some(Packet::from(ctx))
}

#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
