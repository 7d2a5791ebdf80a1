//! The director's decision about one packet: which member it goes to, or the reason why to none.
//!
//! Knows the tables by what they hold, not what kind of map they are: the kernel has BPF arrays,
//! tests have memory of their own, and both get the same answer.

use crate::{
    arrival::Arrival,
    flow_table,
    hash::Destination,
    link,
    packet::Packet,
    reason::Reason,
    schedule::{self, Choice},
    tables::{FlowSet, Member, RANGES_MAX, Service, Site, Whose},
    wire::{Ethernet, Frame, MacAddr, Resize},
};

/// What the director knows.
pub trait Tables: Sized {
    fn site(&self) -> Option<&Site>;
    /// Returns the set that flows of this hash are in.
    fn flow_set(&self, hash: u64) -> Option<&FlowSet>;
    /// Seconds, of a clock that starts anywhere.
    fn now(&self) -> u32;
    /// Counts a packet of so many octets, and perhaps a new flow.
    fn count(&self, member: u32, octets: usize, new: bool);
    /// Notes, for listings, whose flow has come into a way of the set of its hash.
    fn note(&self, hash: u64, way: usize, whose: &Whose);
    /// Is told of each step, to explain it. In the kernel nobody listens, and nothing is left of it.
    #[inline(always)]
    fn took(&self, _step: Step<'_>) {}

    // What is rare and long. In the kernel each is a function that is verified once, by itself, not
    // anew for every way that leads to it.

    /// See [`Arrival::settle`].
    fn settle(&self, arrival: &Arrival, service: u16) -> Choice {
        arrival.settle(service, self)
    }

    /// See [`flow_table::enter`].
    fn enter(&self, hash: u64, record: u64, now: u32) -> usize {
        flow_table::enter(hash, record, now, self)
    }

    /// See [`ranged`].
    fn ranged(&self, destination: Destination, bits: u64) -> u16 {
        ranged(destination, bits, self)
    }
}

/// A step of the decision that has been taken.
#[derive(Clone, Copy, Debug)]
pub enum Step<'s> {
    /// The packet is for this service.
    Service(&'s Service),
    /// Its flow falls on this slot of the site's.
    Slot(u32),
    /// It goes to this member.
    Member(u32),
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// Back out of the interface it came in by.
    Return,
    /// Out of another interface.
    Through(u32),
}

/// Decides about `frame`, which came in by interface `ingress`, and readdresses it to its member.
#[inline(always)] // It is all of the program.
pub fn forward<F: Resize + ?Sized, T: Tables>(
    frame: &mut F,
    ingress: u32,
    tables: &T,
) -> Result<Forward, Reason> {
    let site = tables.site().ok_or(Reason::NoService)?;
    if let Some(packet) = Packet::plain_v4(frame) {
        return deliver(frame, &packet, ingress, site, tables);
    }
    if let Some(packet) = Packet::plain_v6(frame) {
        return deliver(frame, &packet, ingress, site, tables);
    }
    let packet = Packet::of(frame)?;
    frame.forget();
    deliver(frame, &packet, ingress, site, tables)
}

#[inline(always)] // Once for plain packets, of which the compiler knows much, and once for others.
fn deliver<F: Resize + ?Sized, T: Tables>(
    frame: &mut F,
    packet: &Packet,
    ingress: u32,
    site: &Site,
    tables: &T,
) -> Result<Forward, Reason> {
    let service = find_service(packet, site, tables).ok_or(Reason::NoService)?;
    tables.took(Step::Service(service));
    let own = site.interface(ingress).mac();
    if !is_for(frame, own) {
        return Err(Reason::OtherHost);
    }
    let choice = schedule::choose(packet, service, site, tables)?;
    tables.took(Step::Member(choice.member()));
    if choice.member() == 0 {
        return Err(match service.options().drops {
            true => Reason::NoMember,
            false => Reason::Refused,
        });
    }
    let member = site.member(choice.member());
    let link = member.link().ok_or(Reason::NoNeighbour)?;
    let (forward, source) = route(member, ingress, own, site)?;
    packet.live_on(frame).ok_or(Reason::TtlExpired)?;
    tables.count(choice.member(), packet.octets(), choice.is_new());
    link::readdress(frame, packet.network(), (source, link.mac), link.vlan)
        .ok_or(Reason::Truncated)?;
    Ok(forward)
}

/// Returns the service that a packet is for. A later fragment does not tell its port: of the
/// services of its VIP and protocol, any.
#[inline(always)] // As `entered`.
fn find_service<'s, T: Tables>(packet: &Packet, site: &'s Site, tables: &T) -> Option<&'s Service> {
    let destination = packet.flow.destination();
    let mut bits = 0;
    if !packet.is_later() {
        if let Some(service) = entered(&destination, site)
            && service.is_at(&destination)
        {
            return Some(service);
        }
        if site.settings.ranges.load() == 0 {
            return None;
        }
        bits = u64::MAX;
    }
    match tables.ranged(destination, bits) {
        0 => None,
        id => Some(site.service(id)),
    }
}

/// Returns the id of the service of several ports that a destination is of, or 0. Of its port those
/// bits count: none, and it is any of its VIP.
pub fn ranged<T: Tables>(destination: Destination, bits: u64, tables: &T) -> u16 {
    let Some(site) = tables.site() else {
        return 0;
    };
    let of_vip = destination.without_port();
    let hash = of_vip.hash();
    let mut id = site.bucket(hash).find(hash).unwrap_or(0);
    for _ in 0..RANGES_MAX {
        let service = site.service(id);
        if service.is_of_vip(&destination) && service.has_port(&destination, bits) {
            return id;
        }
        id = service.chain().next;
        if id == 0 {
            break;
        }
    }
    0
}

#[inline(always)] // A call costs as much as the look-up.
fn entered<'s>(destination: &Destination, site: &'s Site) -> Option<&'s Service> {
    let hash = destination.hash();
    let id = site.bucket(hash).find(hash)?;
    Some(site.service(id))
}

/// Whether the frame is addressed to this host: in promiscuous mode a director also sees what
/// others are sent, and must not forward it a second time.
fn is_for<F: Frame + ?Sized>(frame: &F, own: MacAddr) -> bool {
    frame.header::<Ethernet>(0).is_some_and(|ethernet| {
        ethernet.destination == own || ethernet.destination.is_virtual_router()
    })
}

fn route(
    member: &Member,
    ingress: u32,
    own: MacAddr,
    site: &Site,
) -> Result<(Forward, MacAddr), Reason> {
    let egress = member.interface();
    if egress == ingress {
        return Ok((Forward::Return, own));
    }
    let interface = site.interface(egress);
    if interface.index() != egress {
        return Err(Reason::NoNeighbour);
    }
    Ok((Forward::Through(egress), interface.mac()))
}
