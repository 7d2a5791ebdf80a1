//! The director's decision about one packet: which member it goes to, or the reason why to none.
//!
//! Knows the tables by what they hold, not what kind of map they are: the kernel has BPF arrays,
//! tests have vectors, and both get the same answer.

use crate::{
    hash::Destination,
    packet::Packet,
    reason::Reason,
    schedule,
    shared::Shared,
    tables::{Bucket, FlowSet, Interface, Member, Service, Settings, bucket_of},
    wire::{Ethernet, Frame, FrameMut, Ipv4, MacAddr},
};

/// What the director knows.
pub trait Tables {
    fn bucket(&self, index: u32) -> Option<&Bucket>;
    fn service(&self, id: u16) -> Option<&Service>;
    fn slot(&self, index: u32) -> Option<&Shared>;
    fn member(&self, id: u32) -> Option<&Member>;
    fn interface(&self, index: u32) -> Option<&Interface>;
    /// Returns the set that flows of this hash are in.
    fn flow_set(&self, hash: u64) -> Option<&FlowSet>;
    fn settings(&self) -> Option<&Settings>;
    /// Seconds, of a clock that starts anywhere.
    fn now(&self) -> u32;
    fn count(&self, member: u32, octets: usize, new: bool);
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
pub fn forward<F: FrameMut + ?Sized, T: Tables>(
    frame: &mut F,
    ingress: u32,
    tables: &T,
) -> Result<Forward, Reason> {
    let packet = Packet::of(frame)?;
    let service = find_service(&packet.flow.destination(), tables).ok_or(Reason::NoService)?;
    let own = tables.interface(ingress).ok_or(Reason::OtherHost)?.mac();
    if !is_for(frame, own) {
        return Err(Reason::OtherHost);
    }
    let choice = schedule::choose(&packet, service, tables)?;
    let mac = choice.member.mac().ok_or(Reason::NoNeighbour)?;
    let (forward, source) = route(choice.member, ingress, own, tables)?;
    let octets = frame.octets();
    readdress(frame, packet.network, source, mac)?;
    tables.count(choice.id, octets, choice.new);
    Ok(forward)
}

fn find_service<'t, T: Tables>(destination: &Destination, tables: &'t T) -> Option<&'t Service> {
    let hash = destination.hash();
    let id = tables.bucket(bucket_of(hash))?.find(hash)?;
    let service = tables.service(id)?;
    (service.destination == *destination).then_some(service)
}

/// Whether the frame is addressed to this host: in promiscuous mode a director also sees what
/// others are sent, and must not forward it a second time.
fn is_for<F: Frame + ?Sized>(frame: &F, own: MacAddr) -> bool {
    frame.header::<Ethernet>(0).is_some_and(|ethernet| {
        ethernet.destination == own || ethernet.destination.is_virtual_router()
    })
}

fn route<T: Tables>(
    member: &Member,
    ingress: u32,
    own: MacAddr,
    tables: &T,
) -> Result<(Forward, MacAddr), Reason> {
    let egress = member.interface();
    if egress == ingress {
        return Ok((Forward::Return, own));
    }
    let interface = tables.interface(egress).ok_or(Reason::NoNeighbour)?;
    if interface.index() != egress {
        return Err(Reason::NoNeighbour);
    }
    Ok((Forward::Through(egress), interface.mac()))
}

fn readdress<F: FrameMut + ?Sized>(
    frame: &mut F,
    network: usize,
    source: MacAddr,
    destination: MacAddr,
) -> Result<(), Reason> {
    let ip = frame.header_mut::<Ipv4>(network).ok_or(Reason::Truncated)?;
    ip.decrement_ttl().ok_or(Reason::TtlExpired)?;
    let ethernet = frame.header_mut::<Ethernet>(0).ok_or(Reason::Truncated)?;
    ethernet.source = source;
    ethernet.destination = destination;
    Ok(())
}
