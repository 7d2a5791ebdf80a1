//! The steps of a packet's decision in words.

mod destination;
mod flow;
mod member;
mod parse;
mod verdict;

use std::net::IpAddr;

use lb_common::packet::Packet;

use super::Interface;
use crate::{
    address,
    api::explain::Explanation,
    config::director::Service,
    dataplane::director::{Run, Tables},
    director::engine::Engine,
    service::ServiceName,
};

/// Says what was seen of a frame, which had `len` octets on the wire.
pub(super) fn explanation(
    engine: &Engine,
    tables: &Tables,
    interface: &Interface,
    (frame, len): (&[u8], usize),
    run: &Run,
) -> Explanation {
    let packet = Packet::of(frame);
    let found = run.service.map(|id| &tables.services[usize::from(id)]);
    let name = found.and_then(ServiceName::of);
    let listen = name.and_then(|name| engine.config.holder(name));
    let told = Told {
        engine,
        tables,
        run,
        service: listen.and_then(|name| engine.config.service(name)),
    };
    let seen = packet.ok().zip(found);
    let member = run.member.filter(|&id| id != 0);
    let (action, verdict) = told.verdict(interface, frame);
    Explanation {
        parse: parse::words(packet, frame, len),
        service: found
            .map(|found| told.service(found, name))
            .or_else(|| packet.ok().map(|packet| told.no_service(&packet))),
        flow: seen.and_then(|(packet, found)| told.flow(&packet, found)),
        slot: found.and_then(|found| told.slot(found)),
        member: run.member.map(|id| told.member(id)),
        mac: member.map(|id| told.mac(id)),
        verdict,
        action,
        reason: run.verdict.err().map(|reason| reason.name().to_owned()),
        to: listen,
        real: member.and_then(|id| told.real(id)),
    }
}

/// What is needed to tell.
struct Told<'t> {
    engine: &'t Engine,
    tables: &'t Tables,
    run: &'t Run,
    service: Option<&'t Service>,
}

impl Told<'_> {
    fn interface(&self, index: u32) -> String {
        let mut interfaces = self.engine.neighbours.interfaces();
        let found = interfaces.find(|it| it.index == index);
        found.map_or_else(|| format!("interface {index}"), |it| it.name.clone())
    }

    fn real(&self, id: u32) -> Option<IpAddr> {
        let member = self.tables.members.get(id as usize)?;
        let service = self.tables.services.get(usize::from(member.service()))?;
        address::ip(member.rip, service.destination.version())
    }

    fn name_of(&self, id: u32) -> String {
        let real = self.real(id);
        real.map_or_else(|| "nobody".to_owned(), |real| real.to_string())
    }
}
