//! The director's decision about one packet: which member it goes to, or the reason why to none.
//!
//! Knows the tables by what they hold, not what kind of map they are: the kernel has BPF arrays,
//! tests have memory of their own, and both get the same answer.

use crate::{
    hash::{Destination, Flow},
    link,
    packet::Packet,
    reason::Reason,
    schedule,
    tables::{FlowSet, Member, RANGES_MAX, Service, Site},
    wire::{Ethernet, Frame, MacAddr, Resize},
};

/// What the director knows.
pub trait Tables {
    fn site(&self) -> Option<&Site>;
    /// Returns the set that flows of this hash are in.
    fn flow_set(&self, hash: u64) -> Option<&FlowSet>;
    /// Seconds, of a clock that starts anywhere.
    fn now(&self) -> u32;
    /// Counts a packet of so many octets, and perhaps a new flow.
    fn count(&self, member: u32, octets: usize, new: bool);
    /// Notes, for listings, whose flow has come into a way of the set of its hash.
    fn note(&self, hash: u64, way: usize, flow: &Flow);
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
    let packet = Packet::of(frame)?;
    frame.forget();
    let site = tables.site().ok_or(Reason::NoService)?;
    let service = find_service(&packet, site).ok_or(Reason::NoService)?;
    let own = site.interface(ingress).mac();
    if !is_for(frame, own) {
        return Err(Reason::OtherHost);
    }
    let choice = schedule::choose(&packet, service, site, tables)?;
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
fn find_service<'s>(packet: &Packet, site: &'s Site) -> Option<&'s Service> {
    let destination = packet.flow.destination();
    if !packet.is_later() {
        if let Some(service) = entered(&destination, site)
            && service.is_at(&destination)
        {
            return Some(service);
        }
        if site.settings.ranges.load() == 0 {
            return None;
        }
    }
    let of_vip = Destination {
        port: [0; 2],
        ..destination
    };
    let mut service = entered(&of_vip, site)?;
    if packet.is_later() {
        return service.is_of_vip(&destination).then_some(service);
    }
    for _ in 0..RANGES_MAX {
        if service.has(&destination) {
            return Some(service);
        }
        match service.chain().next {
            0 => return None,
            next => service = site.service(next),
        }
    }
    None
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
