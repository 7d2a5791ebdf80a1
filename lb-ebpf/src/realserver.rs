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
use lb_common::verdict::{self, Mangle, Party, Subject, Verdict};
use lb_ebpf::packet::Packet;
use maps::Maps;

#[xdp(frags)]
fn vip_ingress(ctx: XdpContext) -> xdp_action::Type {
    match ingress(&Packet::from(&ctx)) {
        true => XDP_PASS,
        false => XDP_DROP,
    }
}

#[classifier]
fn vip_ingress_tc(ctx: TcContext) -> i32 {
    classified(whole(&ctx).is_none_or(|packet| ingress(&packet)))
}

#[classifier]
fn vip_egress(ctx: TcContext) -> i32 {
    let Some(packet) = whole(&ctx) else {
        return TC_ACT_UNSPEC;
    };
    let Some(subject) = Subject::of(&packet) else {
        return TC_ACT_UNSPEC;
    };
    let verdict = subject.egress(&packet, &Maps);
    classified(keeps(
        verdict,
        || subject.receiver(&packet),
        |how| written(&ctx, how),
    ))
}

// Inlined, as all the way is: a frame that is none of a VIP's business should not pay for a call.
#[inline(always)]
fn ingress(packet: &Packet<'_>) -> bool {
    let Some(subject) = Subject::of(packet) else {
        return true;
    };
    let verdict = subject.ingress(packet, &Maps);
    // On the way in there is nothing to mangle.
    keeps(verdict, || subject.sender(packet), |_| false)
}

/// Carries a verdict out, tells who watches, and returns whether the frame goes on.
#[inline(always)]
fn keeps(
    verdict: Verdict,
    party: impl FnOnce() -> Option<Party>,
    mangle: impl FnOnce(&Mangle) -> bool,
) -> bool {
    let told = || if maps::is_watched() { party() } else { None };
    let (vip, party) = match verdict {
        Verdict::Pass => return true,
        Verdict::Asked(vip) => {
            maps::count(vip, |counts| &mut counts.asked);
            if let Some(party) = told() {
                info!(
                    (),
                    "in, dropped: {:i} ({:mac}) asked for VIP {:i}, which the director answers for",
                    party.ip,
                    party.mac.octets,
                    party.vip
                );
            }
            return false;
        }
        Verdict::Claimed(vip) => (vip, told()),
        Verdict::Mangled(vip, how) => {
            // Before the packet is written to, which ends the view of it.
            let party = told();
            if mangle(&how) {
                maps::count(vip, |counts| &mut counts.mangled);
                if let Some(party) = party {
                    info!(
                        (),
                        "out, mangled: asked {:i} ({:mac}) as VIP {:i}, now as RIP {:i}",
                        party.ip,
                        party.mac.octets,
                        party.vip,
                        how.rip
                    );
                }
                return true;
            }
            (vip, party)
        }
    };
    maps::count(vip, |counts| &mut counts.claimed);
    if let Some(party) = party {
        info!(
            (),
            "out, dropped: told {:i} ({:mac}) of VIP {:i}, which is the director's",
            party.ip,
            party.mac.octets,
            party.vip
        );
    }
    false
}

/// Whether the RIP is in the frame now.
// By the helper: a program that writes to packets itself unshares every TCP segment first.
fn written(ctx: &TcContext, how: &Mangle) -> bool {
    if how.checksum_offset == 0 {
        let [.., a, b, c, d] = how.rip;
        return ctx.store(how.offset, &[a, b, c, d], 0).is_ok();
    }
    let checksum = ctx.store(how.checksum_offset, &how.checksum, 0);
    checksum
        .and_then(|()| ctx.store(how.offset, &how.rip, 0))
        .is_ok()
}

fn classified(keep: bool) -> i32 {
    if keep { TC_ACT_UNSPEC } else { TC_ACT_SHOT }
}

/// The packet, if it may be judged, with all of it in reach: a frame out of a packet socket's ring
/// may have no more than its Ethernet header there.
fn whole(ctx: &TcContext) -> Option<Packet<'_>> {
    let packet = Packet::from(ctx);
    if !verdict::may_concern(&packet) {
        return None;
    }
    // A frame that is cut short stays so, and passes.
    let _ = ctx.pull_data(ctx.len().min(verdict::OCTETS as u32));
    Some(Packet::from(ctx))
}

#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
