//! What a service does with flows but for spreading them: whom it sends back, counts, ends, or
//! keeps together; on the host, with the tables in memory that no program has.

mod fragments;
mod members;
mod persistence;
#[path = "../site/mod.rs"]
mod site;

use lb_common::reason::Reason;
use lb_user::scheduler::Scheduler;
use tests::frames::{ACK, SYN};

use self::site::Site;

const RR: Scheduler = Scheduler::Rr;
const BOTH: [(u8, u32); 2] = [(2, 1), (3, 1)];

#[test]
fn of_one_packet_services_each_datagram_has_its_own_turn() {
    let mut site = udp();
    for (one_packet, expected, records) in [(false, [2, 2, 2, 2], 1), (true, [3, 2, 3, 2], 0)] {
        site.policy.one_packet = one_packet;
        site.bring(RR, &BOTH);
        let datagram = site.from((1, 1)).udp();
        let went = [(); 4].map(|()| site.send_frame(&datagram).unwrap());
        assert_eq!(went, expected);
        assert_eq!(site.sweep(), records);
        // What there was is over.
        site.pass(301);
        site.sweep();
    }
}

#[test]
fn one_port_comes_before_a_range_and_a_range_before_any() {
    let names = ["*", "80-89", "84-85", "84"];
    let mut site = Site::with_limits(lb_user::dataplane::director::Limits {
        services: 8,
        members: 16,
        slots: 1 << 13,
        flow_sets: 1 << 10,
        lists_flows: false,
    });
    // In whatever order they came.
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        for i in order {
            site.name = format!("tcp/192.0.2.1:{}", names[i]).parse().unwrap();
            site.bring(Scheduler::Mh, &[(10 + i as u8, 1)]);
        }
        let at = |site: &Site, port| {
            let mut sent = site.from((1, 1));
            sent.port = port;
            site.send_frame(&sent.tcp(SYN))
        };
        for (port, service) in [
            (1, 0),
            (79, 0),
            (80, 1),
            (83, 1),
            (84, 3),
            (85, 2),
            (86, 1),
            (89, 1),
            (90, 0),
            (u16::MAX, 0),
        ] {
            assert_eq!(at(&site, port), Ok(10 + service), "port {port}");
        }
        // Without the one port, its range has it, and so on.
        for (gone, next) in [
            (3, Ok(12)),
            (2, Ok(11)),
            (1, Ok(10)),
            (0, Err(Reason::NoService)),
        ] {
            let name = format!("tcp/192.0.2.1:{}", names[gone]).parse().unwrap();
            site.installed.remove(&site.tables, name, site.now);
            assert_eq!(at(&site, 84), next, "without {}", names[gone]);
        }
        site.pass(3);
        site.sweep();
    }
}

fn udp() -> Site {
    let mut site = Site::new();
    site.name = "udp/192.0.2.1:53".parse().unwrap();
    site
}

fn connect(site: &Site, port: u16) -> u8 {
    let member = site.send(port, SYN).unwrap();
    assert_eq!(site.send(port, ACK), Ok(member));
    member
}
