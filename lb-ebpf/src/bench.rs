//! What the director is measured with: a feeder that runs before each program, and programs to
//! compare with. The bench alone loads them.
//!
//! The kernel's test run hands a program its own output again. So the feeder puts the frame back,
//! makes it the next flow's, and goes on to the program under test. What is stored together may be
//! loaded together: a load that needed two recent stores would wait for both, as none does of a
//! packet that a device has written.

#![cfg_attr(target_arch = "bpf", no_std, no_main)]

// As in the other objects.
#[path = "maps/bench.rs"]
#[allow(
    unreachable_pub,
    reason = "what the program may use, as if it were the library's"
)]
mod maps;

use aya_ebpf::{
    bindings::xdp_action::{self, XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX},
    macros::xdp,
    programs::XdpContext,
};
use lb_common::wire::{
    EtherType, Ethernet, Frame, FrameMut, Header as _, Ipv4, Ports, Protocol, Tcp,
};
use lb_ebpf::packet::{self, Packet};

use maps::{Key, Vip, feed};

#[xdp]
fn feeder(ctx: XdpContext) -> xdp_action::Type {
    run(&ctx);
    XDP_ABORTED
}

/// For programs that take frames in fragments: only they may follow this one.
#[xdp(frags)]
fn feeder_frags(ctx: XdpContext) -> xdp_action::Type {
    run(&ctx);
    XDP_ABORTED
}

/// Returns at once: what everything is net of.
#[xdp]
fn floor(_: XdpContext) -> xdp_action::Type {
    XDP_TX
}

/// The least that tells flows apart: parses, swaps the MACs and sends back.
#[xdp]
fn tx(ctx: XdpContext) -> xdp_action::Type {
    let mut frame = Packet::from(&ctx);
    let key = match parse(&frame) {
        Ok(key) => key,
        Err(action) => return action,
    };
    // Uses what was parsed.
    if key.ports as u32 == u32::MAX {
        return XDP_DROP;
    }
    let Some(ethernet) = frame.header_mut::<Ethernet>(0) else {
        return XDP_DROP;
    };
    core::mem::swap(&mut ethernet.destination, &mut ethernet.source);
    XDP_TX
}

/// The least that a balancer on the kernel's own tables can do: HASH of services, LRU_HASH of
/// flows, a ring for new ones, and a count.
#[xdp]
fn lru(ctx: XdpContext) -> xdp_action::Type {
    let mut frame = Packet::from(&ctx);
    balance(&mut frame).unwrap_or_else(|action| action)
}

fn balance(frame: &mut Packet<'_>) -> Result<xdp_action::Type, xdp_action::Type> {
    let key = parse(frame)?;
    let service = maps::service(Vip::of(&key)).ok_or(XDP_PASS)?;
    let member = match maps::flow(&key) {
        Some(member) => member,
        None => {
            let word = key.source[1] << 32 | u64::from(key.ports as u32);
            let slot = word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
            let member = maps::slot(slot as u32).ok_or(XDP_DROP)?;
            maps::remember(&key, member);
            member
        }
    };
    maps::count(service, frame.octets());
    let mac = maps::mac(member).ok_or(XDP_DROP)?;
    let own = load_mac(frame, 0).ok_or(XDP_DROP)?;
    store_mac(frame, 6, own).ok_or(XDP_DROP)?;
    store_mac(frame, 0, mac).ok_or(XDP_DROP)?;
    Ok(XDP_TX)
}

/// The far end of a live bench: counts what comes, by where it is sent.
#[xdp]
fn sink(ctx: XdpContext) -> xdp_action::Type {
    let frame = Packet::from(&ctx);
    let to = load_mac(&frame, 0).unwrap_or(0);
    let from = load_mac(&frame, 6).unwrap_or(0);
    maps::seen(match maps::expected() {
        [source, ..] if from != source => 0,
        [_, sender, _] if to == sender => 1,
        // All but the last octet.
        [.., members] if to << 24 == members << 24 => 2,
        _ => 0,
    });
    XDP_DROP
}

/// Returns the flow of an IPv4 packet without options, or what to answer instead.
fn parse(frame: &Packet<'_>) -> Result<Key, xdp_action::Type> {
    let ethernet = frame.header::<Ethernet>(0).ok_or(XDP_DROP)?;
    if ethernet.ether_type != EtherType::IPV4 {
        return Err(XDP_PASS);
    }
    let ip = frame.header::<Ipv4>(Ethernet::LEN).ok_or(XDP_DROP)?;
    if ip.header_len() != Some(Ipv4::LEN) || ip.is_fragment() {
        return Err(XDP_PASS);
    }
    let transport = Ethernet::LEN + Ipv4::LEN;
    let ports = match ip.protocol {
        Protocol::TCP => frame.header::<Tcp>(transport).ok_or(XDP_DROP)?.ports,
        Protocol::UDP => *frame.header::<Ports>(transport).ok_or(XDP_DROP)?,
        _ => return Err(XDP_PASS),
    };
    let [a, b] = ports.source;
    let [c, d] = ports.destination;
    let ports = u32::from_ne_bytes([a, b, c, d]);
    Ok(Key {
        source: [0, u32::from_ne_bytes(ip.source).into()],
        destination: [0, u32::from_ne_bytes(ip.destination).into()],
        ports: u64::from(ports) | u64::from(ip.protocol.0) << 32,
    })
}

/// Restores the frame, makes it the next flow's and goes on; returns only if that cannot be.
// Inlined: the kernel allows a call of another program in a function that returns an int alone.
#[inline(always)]
fn run(ctx: &XdpContext) -> Option<()> {
    packet::resize(ctx, feed::OCTETS.load() as usize)?;
    let frame = &mut Packet::from(ctx);
    if feed::WHOLE.load() != 0 {
        for (i, word) in feed::HEAD.iter().enumerate() {
            store(frame, i as u32 * 8, word.load().to_ne_bytes())?;
        }
    }
    store_mac(frame, 0, feed::DESTINATION.load())?;
    store_mac(frame, 6, feed::SOURCE.load())?;
    let flow = feed::next()?;
    store(frame, feed::LIFE_AT.load(), feed::LIFE.load().to_ne_bytes())?;
    store(
        frame,
        feed::ADDRESSES_AT.load(),
        flow.addresses.to_ne_bytes(),
    )?;
    store(frame, feed::PORTS_AT.load(), flow.ports.to_ne_bytes())?;
    feed::go_on(ctx);
    None
}

fn store<const N: usize>(frame: &mut Packet<'_>, at: u32, octets: [u8; N]) -> Option<()> {
    *frame.header_mut(at as usize)? = octets;
    Some(())
}

/// A MAC as a word, low octet first: four octets, and two.
fn load_mac(frame: &Packet<'_>, at: usize) -> Option<u64> {
    let low = u32::from_ne_bytes(*frame.header(at)?);
    let high = u16::from_ne_bytes(*frame.header(at + 4)?);
    Some(u64::from(high) << 32 | u64::from(low))
}

fn store_mac(frame: &mut Packet<'_>, at: u32, word: u64) -> Option<()> {
    store(frame, at, (word as u32).to_ne_bytes())?;
    store(frame, at + 4, ((word >> 32) as u16).to_ne_bytes())
}

#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
