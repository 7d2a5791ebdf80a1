//! A persistent service's clients come back to the member they were last sent to.
//!
//! A template is a record like a flow's, of what the service's mask leaves of the client's address.
//! It lasts for the service's time from the last packet of any of the client's flows (in IPVS, from
//! the beginning of the last flow, and then while there are flows). One that a first packet has made
//! gives way as that packet's record does, so that no flood of them costs anybody a template.

use crate::{
    address::Address,
    director::Tables,
    flow_table::fingerprint,
    hash::{Flow, Kind},
    packet::Packet,
    tables::{Member, Record, Service, Site, State, WAYS, Whose},
    verifier::unseen,
};

fn key(packet: &Packet, service: &Service) -> u64 {
    let [first, second] = service.seed;
    // A service of several VIPs or ports has its clients in common.
    let client = client(packet, service);
    Flow::new(client, Address::default(), Kind(0)).hash([!first, second])
}

/// Returns what of the client's address counts.
fn client(packet: &Packet, service: &Service) -> Address {
    let mask = [service.mask[0].load(), service.mask[1].load()];
    packet.flow.client.masked(mask)
}

/// Returns the member that the packet's client was last sent to, if it is to come back; else 0.
#[inline(never)] // Rare, and long; so what it returns is one word.
pub(crate) fn find<T: Tables>(packet: &Packet, service: &Service, site: &Site, tables: &T) -> u32 {
    let hash = key(packet, service);
    let set = tables.flow_set(hash);
    let Some(hit) = set.and_then(|set| set.find(fingerprint(hash))) else {
        return 0;
    };
    let member = site.member(hit.record.member);
    let is_gone = hit
        .record
        .has_expired(tables.now(), &site.settings.timeouts)
        || member.link().is_none()
        || member.is(Member::REMOVED)
        || member.is(Member::EXPELLED);
    if is_gone || (service.options().expire_quiescent && member.is(Member::QUIESCED)) {
        return 0;
    }
    hit.record.member
}

/// Notes the member that the packet's client is sent to; `lasting` unless it is a first packet.
#[inline(never)] // As `find`.
pub(crate) fn note<T: Tables>(
    packet: &Packet,
    service: &Service,
    member: u32,
    lasting: bool,
    (site, tables): (&Site, &T),
) {
    let hash = key(packet, service);
    let fingerprint = fingerprint(hash);
    let Some(set) = tables.flow_set(hash) else {
        return;
    };
    let now = tables.now();
    // Words: of an `Option` of a record LLVM reads what is not there.
    let before = set.find(fingerprint).map_or(0, |hit| hit.record.pack());
    let last = Record::unpack(before);
    let lasts = u64::from(lasting | (last.state == State::Template && last.member == member));
    let until = |seconds: u32, state| {
        Record::new(fingerprint, member, now.wrapping_add(seconds), state).pack()
    };
    let template = until(service.options().persistence, State::Template);
    // Not `Embryonic`, which is counted as a flow.
    let first = until(
        site.settings.timeouts.of(State::Embryonic),
        State::Fragments,
    );
    // Without a branch, which the verifier would follow.
    let record = first ^ ((first ^ template) & unseen(lasts).wrapping_neg());
    if record != before {
        let way = tables.enter(hash, record, now);
        if way < WAYS {
            tell(packet, service, hash, way, tables);
        }
    }
}

/// Notes, for listings, whose template has come into a way: with the VIP and the port that the client
/// came to.
#[inline(never)] // As `find`; and the stack is that of all who call.
fn tell<T: Tables>(packet: &Packet, service: &Service, hash: u64, way: usize, tables: &T) {
    let whose = Whose {
        client: client(packet, service),
        kind: packet.flow.kind().without_source(),
        service: service.chain().id,
    };
    tables.note(hash, way, &whose);
}
