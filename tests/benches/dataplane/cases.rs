//! The rows of the table: which program, which frames, how many flows, and the right answer.

use std::{collections::BTreeSet, net::Ipv6Addr};

use tests::frames::{ACK, SYN, Sent, Sent6, tagged};

use crate::{
    case::{Answer, Row, Warm},
    directors::{CLEAN, DATAGRAMS, FOREIGN, MOVING, TAGGED, TRACKED, VIP6, VLAN},
    options::{Options, Peer},
    programs::SENT,
    subject::Program::{Director, Floor, Lru, Pinned, RealServer, Tx},
};

/// What rows of one number of flows have where memory counts: more than caches hold.
const MANY: u32 = 1 << 20;

const SENT6: Sent6 = Sent6 {
    to: SENT.to,
    from: SENT.from,
    client: Ipv6Addr::new(0x2001, 0xdb8, 7, 0, 0, 0, 0, 0),
    client_port: SENT.client_port,
    vip: VIP6,
    port: CLEAN,
    hops: 64,
};

pub(crate) fn rows(options: &Options) -> Vec<Row> {
    let to = |port| Sent { port, ..SENT };
    let clean = || SENT.tcp(ACK);
    let one = |name, program, frame| Row::new(name, program, frame, 1);
    let mut rows = vec![
        one("floor", Floor, clean()).answered(Answer::Returned),
        one("tx", Tx, clean()).answered(Answer::Swapped),
    ];
    for &flows in &options.flows {
        let row = |name, program, frame| Row::new(name, program, frame, flows);
        rows.extend([
            row("lru", Lru, clean()),
            row("clean", Director, clean()),
            row("moving", Director, to(MOVING).tcp(ACK)),
            row("tracked", Director, to(TRACKED).tcp(ACK)),
        ]);
    }
    let most = options.flows.iter().copied().filter(|&n| n <= MANY).max();
    let most = most.unwrap_or(1);
    for flows in BTreeSet::from([1, most]) {
        let row = |name, program, frame| Row::new(name, program, frame, flows);
        rows.extend([
            row("syn", Director, SENT.tcp(SYN)),
            row("udp", Director, to(DATAGRAMS).udp()),
            row("ipv6", Director, SENT6.tcp(ACK)),
        ]);
    }
    let new = |name, program, frame| Row::new(name, program, frame, most).warmed(Warm::Others);
    let foreign = |name, program, frame| {
        let row = one(name, program, frame).against("lru_foreign");
        row.answered(Answer::Passed)
    };
    rows.extend([
        one("vlan", Director, tagged(to(TAGGED).tcp(ACK), VLAN)),
        new("lru_new", Lru, SENT.tcp(SYN)).against("lru_new"),
        new("tracked_new", Director, to(TRACKED).tcp(SYN)).against("lru_new"),
        foreign("lru_foreign", Lru, to(FOREIGN).tcp(ACK)),
        foreign("foreign", Director, to(FOREIGN).tcp(ACK)),
        foreign("rs_foreign", RealServer, clean()),
    ]);
    rows.extend(options.peers.iter().flat_map(|it| peer(it, &options.flows)));
    rows
}

/// A program that may write anything has its frame restored whole, and so has what it is net of.
fn peer(peer: &Peer, flows: &[u32]) -> Vec<Row> {
    let sent = Sent {
        to: peer.mac.unwrap_or(SENT.to),
        vip: peer.vip.unwrap_or(SENT.vip),
        port: peer.port.unwrap_or(SENT.port),
        ..SENT
    };
    let name = format!("{}_floor", peer.name);
    let floor = Row::new(&name, Floor, sent.tcp(ACK), 1).restored_whole(&name);
    let row = |&flows| {
        let program = Pinned(peer.pinned.clone());
        let row = Row::new(&peer.name, program, sent.tcp(ACK), flows);
        row.answered(Answer::Sent).restored_whole(&name)
    };
    let mut rows = vec![floor.answered(Answer::Returned)];
    rows.extend(flows.iter().map(row));
    rows
}
