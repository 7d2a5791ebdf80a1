//! Fragments of one datagram all go to one member, though only the first tells its flow.
//!
//! The first leads: it goes where its flow does, and is recorded under what all of them tell:
//! addresses, protocol and identification (RFC 791 section 3.2, RFC 8200 section 4.5). The others
//! follow that record. One that overtakes the first goes to the member that had the client's last
//! fragments, else by the client's address, and is recorded in the same way: a flow that its first
//! fragment begins goes there, too.

use crate::{
    director::{Step, Tables},
    flow_table::fingerprint,
    hash::{Flow, Kind},
    packet::Packet,
    tables::{Layout, Pick, Record, Service, Site, SlotValue, State, slot_of},
};

/// Seconds that a receiver waits for the rest of a datagram (`IP_FRAG_TIME` in include/net/ip.h).
const DATAGRAM: u32 = 30;
/// Seconds that a client's last fragments are remembered: as long as its datagrams are a flow.
const CLIENT: u32 = 300;

/// Which datagram, or with no identification, whose.
fn key(packet: &Packet, id: u32, site: &Site) -> u64 {
    let Flow { client, vip, .. } = packet.flow;
    let [first, second] = site.settings.seed;
    // A datagram's number in the place of the ports.
    let kind = packet.flow.kind().0 >> 32 << 32 | u64::from(id);
    let apart = u64::from(id != 0);
    Flow::new(client, vip, Kind(kind)).hash([first ^ apart, second])
}

/// Returns the member of a later fragment, 0 if there is none.
#[inline(never)] // Rare, and long.
pub(crate) fn follow<T: Tables>(packet: &Packet, service: &Service, tables: &T) -> u32 {
    let Some(site) = tables.site() else {
        return 0;
    };
    let led = recorded(packet, packet.id(), tables);
    if led != 0 {
        return led;
    }
    let member = match recorded(packet, 0, tables) {
        0 => by_address(packet, service, site, tables),
        of_client => of_client,
    };
    if member != 0 {
        record(packet, packet.id(), member, DATAGRAM, tables);
    }
    member
}

/// Has the other fragments of a datagram follow its first one to a member.
#[inline(never)] // As `follow`.
pub(crate) fn lead<T: Tables>(packet: &Packet, member: u32, tables: &T) {
    record(packet, packet.id(), member, DATAGRAM, tables);
    record(packet, 0, member, CLIENT, tables);
}

/// Returns the member that fragments of this datagram have gone to, 0 if there is none.
pub(crate) fn led<T: Tables>(packet: &Packet, tables: &T) -> u32 {
    recorded(packet, packet.id(), tables)
}

fn recorded<T: Tables>(packet: &Packet, id: u32, tables: &T) -> u32 {
    let Some(site) = tables.site() else {
        return 0;
    };
    let hash = key(packet, id, site);
    let set = tables.flow_set(hash);
    let Some(hit) = set.and_then(|set| set.find(fingerprint(hash))) else {
        return 0;
    };
    let member = site.member(hit.record.member);
    let service = site.service(member.service());
    let is_good = !hit
        .record
        .has_expired(tables.now(), &site.settings.timeouts)
        && member.link().is_some()
        // Of a service of several VIPs the member tells the owner's alone.
        && service.destination.version() == packet.flow.kind().version();
    if is_good { hit.record.member } else { 0 }
}

fn record<T: Tables>(packet: &Packet, id: u32, member: u32, seconds: u32, tables: &T) {
    let Some(site) = tables.site() else {
        return;
    };
    let hash = key(packet, id, site);
    let now = tables.now();
    let end = now.wrapping_add(seconds);
    let record = Record::new(fingerprint(hash), member, end, State::Fragments);
    tables.enter(hash, record.pack(), now);
}

fn by_address<T: Tables>(packet: &Packet, service: &Service, site: &Site, tables: &T) -> u32 {
    let layout = Layout::unpack(service.layout.load());
    let hash = Pick::Client.hash(&packet.flow, service.seed);
    let index = layout.first + slot_of(hash, layout.slots);
    match layout.slots {
        0 => 0,
        _ => {
            tables.took(Step::Slot(index));
            SlotValue::unpack(site.slot(index).load()).current
        }
    }
}
