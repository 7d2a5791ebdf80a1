//! Fragments of datagrams, in and out of their order.

use lb_common::reason::Reason;
use tests::frames::UDP;

use crate::{
    BOTH, RR,
    site::{Client, Site},
    udp,
};

#[test]
fn fragments_follow_the_first_of_their_datagram() {
    let mut site = udp();
    site.bring(RR, &BOTH);
    for (port, id, member) in [(1, 7, 2), (2, 8, 3), (1, 9, 2), (2, 10, 3), (3, 11, 2)] {
        let went = [(0, true), (16, true), (32, false)].map(|part| fragment(&site, port, id, part));
        assert_eq!(went, [Ok(member); 3], "port {port}");
    }
    // Among one another's.
    let parts = [
        (1, 20, 0),
        (2, 21, 0),
        (1, 20, 16),
        (2, 21, 16),
        (1, 20, 32),
        (2, 21, 32),
    ];
    let went = parts.map(|(port, id, offset)| fragment(&site, port, id, (offset, true)));
    assert_eq!(went, [Ok(2), Ok(3), Ok(2), Ok(3), Ok(2), Ok(3)]);
}

#[test]
fn fragments_that_overtake_the_first_go_where_the_clients_last_went() {
    let mut site = udp();
    site.bring(RR, &BOTH);
    let reversed = [(32, false), (16, true), (0, true)];
    for (port, id, member) in [(1, 7, 2), (2, 8, 3)] {
        assert_eq!(fragment(&site, port, id, (0, true)), Ok(member));
        assert_eq!(fragment(&site, port, id, (16, false)), Ok(member));
        let went = reversed.map(|part| fragment(&site, port, id + 10, part));
        assert_eq!(went, [Ok(member); 3], "port {port}");
    }
}

/// Of a client never seen nothing tells where its flow will go: it goes where they went.
#[test]
fn a_flow_begins_where_fragments_went_that_overtook_its_first() {
    for client in 1..=20 {
        let mut site = udp();
        site.bring(RR, &BOTH);
        let part = |(offset, more)| {
            let frame = site.from((client, 1)).fragment(UDP, (7, offset, more));
            site.send_frame(&frame)
        };
        let member = part((32, false));
        assert_eq!([part((16, true)), part((0, true))], [member, member]);
        let datagram = site.from((client, 1)).udp();
        assert_eq!(site.send_frame(&datagram), member, "and stays");
    }
}

/// Sends a fragment of datagram `id` of client 1: its offset, and whether there are more.
fn fragment(site: &Site, port: u16, id: u16, (offset, more): (u16, bool)) -> Result<u8, Reason> {
    let client: Client = (1, port);
    let frame = site.from(client).fragment(UDP, (id, offset, more));
    site.send_frame(&frame)
}
