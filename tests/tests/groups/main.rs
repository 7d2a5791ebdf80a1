//! Services of several VIPs and ports: one group of members, turns and clients; on the host, with the
//! tables in memory that no program has.

mod changes;
#[path = "../site/mod.rs"]
mod site;

use std::{collections::HashSet, net::IpAddr};

use lb_common::reason::Reason;
use lb_user::{
    dataplane::director::Limits,
    install::{Flows, Persistence},
    scheduler::Scheduler,
    service::{ServiceName, Transport},
};
use tests::frames::{ACK, SYN, Sent, UDP};

use self::site::{Client, Site};

const HTTP: &str = "tcp/192.0.2.1:80";
const HTTPS: &str = "tcp/192.0.2.1:443";
/// Of another VIP.
const OTHER: &str = "tcp/192.0.2.2:80";
const QUIC: &str = "udp/192.0.2.1:443";
const RANGE: &str = "tcp/192.0.2.2:8000-8099";
const ALL: [&str; 5] = [HTTP, HTTPS, OTHER, QUIC, RANGE];
const BOTH: [(u8, u32); 2] = [(2, 1), (3, 1)];
const RR: Scheduler = Scheduler::Rr;

#[test]
fn turns_are_common_to_a_group() {
    let site = group(&ALL, RR, &BOTH);
    let went: Vec<_> = ALL.iter().map(|to| begin(&site, (1, 1), to)).collect();
    assert_eq!(went, [Ok(2), Ok(3), Ok(2), Ok(3), Ok(2)]);
    let again: Vec<_> = ALL.iter().map(|to| go_on(&site, (1, 1), to)).collect();
    assert_eq!(again, went, "their next packets");
}

#[test]
fn a_client_that_comes_back_does_so_on_every_destination() {
    for first in ALL {
        let mut site = of(&ALL);
        site.policy.persistence = Some(Persistence {
            seconds: 300,
            prefix: 32,
        });
        site.bring(RR, &BOTH);
        // In turn; then each where it has been, though others have come meanwhile.
        for (client, member) in [(1, 2), (2, 3), (3, 2)] {
            assert_eq!(begin(&site, (client, 1), first), Ok(member));
            assert_eq!(go_on(&site, (client, 1), first), Ok(member));
        }
        for (client, member) in [(1, 2), (2, 3), (3, 2)] {
            for to in ALL {
                let went = begin(&site, (client, 2), to);
                assert_eq!(went, Ok(member), "{client}: {first}, then {to}");
            }
        }
    }
}

/// IPVS hashes the client's address, and for dh the VIP (`ip_vs_sh_get`, `ip_vs_dh_get`).
#[test]
fn sh_goes_by_the_client_alone_and_dh_by_the_vip() {
    let site = group(&ALL, Scheduler::Sh, &BOTH);
    let mut homes = HashSet::new();
    for client in 1..=50 {
        let went = ALL.map(|to| begin(&site, (client, 1), to).unwrap());
        assert_eq!(went, [went[0]; 5], "client {client}");
        homes.insert(went[0]);
    }
    assert_eq!(homes.len(), 2, "clients are spread");

    let vips: Vec<String> = (1..=50)
        .map(|vip| format!("tcp/192.0.2.{vip}:80"))
        .collect();
    let mut all: Vec<&str> = vips.iter().map(String::as_str).collect();
    all.extend([HTTPS, QUIC]);
    let site = group(&all, Scheduler::Dh, &BOTH);
    let went: Vec<u8> = all
        .iter()
        .map(|to| begin(&site, (1, 1), to).unwrap())
        .collect();
    assert_eq!(went[50..], [went[0]; 2], "of one VIP");
    let homes: HashSet<u8> = went.into_iter().collect();
    assert_eq!(homes.len(), 2, "VIPs are spread");
}

#[test]
fn fragments_follow_the_first_of_their_datagram_to_every_vip() {
    let dns = ["udp/192.0.2.1:53", "udp/192.0.2.2:53", "udp/192.0.2.2:123"];
    let site = group(&dns, RR, &BOTH);
    for (id, to, member) in [(1, 0, 2), (2, 1, 3), (3, 2, 2), (4, 1, 3)] {
        let sent = sent(&site, (id as u8, id), dns[to]);
        let part = |part| site.send_frame(&sent.fragment(UDP, part));
        let went = [(id, 0, true), (id, 16, true), (id, 32, false)].map(part);
        assert_eq!(went, [Ok(member); 3], "{}", dns[to]);
        // One that overtakes the first goes where the client's last went.
        let went = [(id + 10, 32, false), (id + 10, 0, true)].map(part);
        assert_eq!(went, [Ok(member); 2], "{}, overtaking", dns[to]);
    }
}

/// A first packet's record is the same of both protocols: whose it is tells them apart.
#[test]
fn of_a_group_datagrams_are_inactive_and_connections_active() {
    let mut site = group(&[HTTPS, QUIC], RR, &[(2, 1)]);
    for port in 1..=3 {
        begin(&site, (1, port), QUIC).unwrap();
        begin(&site, (2, port), HTTPS).unwrap();
    }
    begin(&site, (2, 4), HTTPS).unwrap();
    go_on(&site, (2, 1), HTTPS).unwrap();
    go_on(&site, (1, 1), QUIC).unwrap();
    site.sweep();
    let flows = Flows {
        active: 4,
        inactive: 3,
        persistent: 0,
    };
    assert_eq!(site.flows(2), flows);
}

/// Of datagrams alone, sed sees none between two counts, and all go to one.
#[test]
fn a_group_with_connections_is_spread_by_them() {
    for (names, expected) in [(&[QUIC, HTTPS][..], 2), (&[QUIC, "udp/192.0.2.1:53"], 1)] {
        let site = group(names, Scheduler::Sed, &BOTH);
        let went: HashSet<u8> = (1..=10)
            .map(|port| begin(&site, (1, port), names[1]).unwrap())
            .collect();
        assert_eq!(went.len(), expected, "{names:?}");
    }
}

fn group(names: &[&str], scheduler: Scheduler, members: &[(u8, u32)]) -> Site {
    let mut site = of(names);
    site.bring(scheduler, members);
    site
}

/// A site that has room for many services, and none yet.
fn of(names: &[&str]) -> Site {
    let mut site = Site::with_limits(Limits {
        services: 128,
        members: 64,
        slots: 1 << 14,
        flow_sets: 1 << 12,
        lists_flows: true,
    });
    name(&mut site, names);
    site
}

fn name(site: &mut Site, names: &[&str]) {
    let mut names = names.iter().map(|name| name.parse().unwrap());
    site.name = names.next().unwrap();
    site.also = names.collect();
}

fn remove(site: &mut Site, name: &str) {
    let name = name.parse().unwrap();
    site.installed.remove(&site.tables, name, site.now);
}

/// A client's first packet to a destination, or to the middle of its ports.
fn begin(site: &Site, client: Client, to: &str) -> Result<u8, Reason> {
    send(site, client, to, SYN)
}

/// Another packet of the same flow.
fn go_on(site: &Site, client: Client, to: &str) -> Result<u8, Reason> {
    send(site, client, to, ACK)
}

fn send(site: &Site, client: Client, to: &str, flags: u8) -> Result<u8, Reason> {
    let sent = sent(site, client, to);
    match to.parse::<ServiceName>().unwrap().protocol {
        Transport::Udp => site.send_frame(&sent.udp()),
        Transport::Tcp | Transport::Sctp => site.send_frame(&sent.tcp(flags)),
    }
}

/// What a client sends to a destination: of a range of ports, to its second.
fn sent(site: &Site, client: Client, to: &str) -> Sent {
    let ServiceName { vip, ports, .. } = to.parse().unwrap();
    let IpAddr::V4(vip) = vip else {
        panic!("{to} is not IPv4");
    };
    Sent {
        vip,
        port: ports.last.min(ports.first + 1),
        ..site.from(client)
    }
}
