//! Services of several VIPs and ports: one group of members, turns and clients; on the host, with the
//! tables in memory that no program has.

mod site;

use std::{collections::HashSet, net::IpAddr};

use lb_common::{
    reason::Reason,
    tables::{Chain, Member, Options, Service},
};
use lb_user::{
    dataplane::director::Limits,
    install::{Flows, Installed, Persistence},
    scheduler::Scheduler,
    service::{ServiceName, Transport},
};
use tests::frames::{ACK, SYN, Sent, UDP};

use self::site::{Client, ESTABLISHED, Site};

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

/// Slots that move, and settle; another scheduler, and back: every record has it.
#[test]
fn connections_to_all_of_a_group_stay_through_changes() {
    // Of connections alone, mh has no records.
    let tcp = [HTTP, HTTPS, OTHER, RANGE];
    for (names, first) in [(&ALL[..], Scheduler::Mh), (&tcp, Scheduler::Mh), (&tcp, RR)] {
        let mut site = group(names, first, &BOTH);
        let mut homes = Vec::new();
        for (port, &to) in (1..=100).flat_map(|port| names.iter().map(move |to| (port, to))) {
            let home = begin(&site, (1, port), to).unwrap();
            assert_eq!(go_on(&site, (1, port), to), Ok(home));
            homes.push((port, to, home));
        }
        let stay = |site: &Site, what: &str| {
            for &(port, to, home) in &homes {
                assert_eq!(go_on(site, (1, port), to), Ok(home), "{what}: {to} {port}");
            }
        };
        let three = [(2, 1), (3, 2), (4, 1)];
        for (scheduler, members) in [
            (first, &three[..]),
            (Scheduler::Wrr, &three),
            (Scheduler::Mh, &BOTH),
            (Scheduler::Mh, &[(2, 0), (3, 1)]),
            (first, &[(3, 1)]),
        ] {
            site.bring(scheduler, members);
            alike(&site);
            stay(&site, "at once");
            for _ in 0..5 {
                site.pass(ESTABLISHED / 5 + 1);
                site.sweep();
                alike(&site);
                stay(&site, "later");
            }
        }
    }
}

#[test]
fn connections_stay_when_others_destinations_go() {
    for scheduler in [RR, Scheduler::Mh] {
        for gone in ALL {
            let mut site = group(&ALL, scheduler, &BOTH);
            let homes = ALL.map(|to| (to, begin(&site, (1, 1), to).unwrap()));
            let before = site.tables.settings().ranges.load();
            let left: Vec<&str> = ALL.into_iter().filter(|&to| to != gone).collect();
            name(&mut site, &left);
            site.bring(scheduler, &BOTH);
            for (to, home) in homes {
                let went = go_on(&site, (1, 1), to);
                assert_eq!(went, Ok(home), "{to}, before {gone} goes");
            }
            remove(&mut site, gone);
            alike(&site);
            for (to, home) in homes {
                let expected = match to == gone {
                    true => Err(Reason::NoService),
                    false => Ok(home),
                };
                let went = go_on(&site, (1, 1), to);
                assert_eq!(went, expected, "{to}, without {gone}");
            }
            let ranges = site.tables.settings().ranges.load();
            assert_eq!(ranges, before - u64::from(gone == RANGE));
            assert_eq!(begin(&site, (2, 1), gone), Err(Reason::NoService));
            if scheduler == RR {
                // The fifth turn has been the last.
                assert_eq!(begin(&site, (2, 1), left[0]), Ok(3));
                assert_eq!(begin(&site, (2, 1), left[1]), Ok(2));
            }
            // Back, it is where it was.
            name(&mut site, &ALL);
            site.bring(scheduler, &BOTH);
            for (to, home) in homes {
                let went = go_on(&site, (1, 1), to);
                assert_eq!(went, Ok(home), "{to}, with {gone} again");
            }
            ALL.into_iter().for_each(|to| remove(&mut site, to));
            site.sweep();
            let spare = site.installed.spare();
            assert_eq!(spare, of(&ALL).installed.spare(), "nothing is left");
        }
    }
}

#[test]
fn a_destination_joins_a_service_that_has_connections() {
    let mut site = group(&[HTTP], RR, &BOTH);
    assert_eq!(begin(&site, (1, 1), HTTP), Ok(2));
    assert_eq!(begin(&site, (1, 1), QUIC), Err(Reason::NoService));
    name(&mut site, &[HTTP, QUIC]);
    site.bring(RR, &BOTH);
    assert_eq!(begin(&site, (1, 1), QUIC), Ok(3));
    assert_eq!(go_on(&site, (1, 1), HTTP), Ok(2));
    // What is the first is but a name.
    name(&mut site, &[QUIC, HTTP]);
    site.bring(RR, &BOTH);
    assert_eq!(begin(&site, (2, 1), HTTP), Ok(2));
    assert_eq!(go_on(&site, (1, 1), HTTP), Ok(2));
    assert_eq!(go_on(&site, (1, 1), QUIC), Ok(3));
}

#[test]
fn a_destination_goes_from_one_service_to_another() {
    let mut site = group(&[HTTP, HTTPS], RR, &BOTH);
    assert_eq!(begin(&site, (1, 1), HTTPS), Ok(2));
    // The group is the one's that is brought first, and has a destination of it.
    name(&mut site, &[HTTPS]);
    site.bring(RR, &BOTH);
    name(&mut site, &[HTTP, OTHER]);
    site.bring(RR, &[(4, 1)]);
    assert_eq!(go_on(&site, (1, 1), HTTPS), Ok(2));
    assert_eq!(begin(&site, (1, 1), HTTP), Ok(4));
    assert_eq!(begin(&site, (1, 1), OTHER), Ok(4));
    assert_eq!(begin(&site, (2, 1), HTTPS), Ok(3));
    // All to the other: nothing of the one is left.
    name(&mut site, &[HTTP, OTHER, HTTPS]);
    site.bring(RR, &[(4, 1)]);
    assert_eq!(begin(&site, (3, 1), HTTPS), Ok(4));
    site.sweep();
    let spare = site.installed.spare();
    let as_new = group(&[HTTP, OTHER, HTTPS], RR, &[(4, 1)]);
    assert_eq!(spare, as_new.installed.spare());
}

/// Something done to the record of an id.
type Half = fn(&Service, u16);

/// As they were left, or by a daemon that was killed in the middle of a change.
#[test]
fn a_daemon_that_starts_takes_groups_over() {
    // What had been done to one record and to no other.
    let halves: [(&str, Half); 4] = [
        ("nothing", |_, _| {}),
        ("no words are the owner's yet", |record, _| {
            record.layout.store(0);
            record.set_options(Options::default());
        }),
        ("it is the owner", give_to),
        ("one that is gone is its owner", |record, _| {
            give_to(record, u16::MAX);
        }),
    ];
    let others = [QUIC, RANGE];
    let all = [HTTP, HTTPS, OTHER];
    for (what, half) in halves {
        let mut site = group(&others, RR, &[(4, 1)]);
        site.policy.drops = true;
        name(&mut site, &all);
        site.bring(RR, &BOTH);
        let homes = all.map(|to| begin(&site, (1, 1), to).unwrap());
        let before = ids(&site);
        let spare = site.installed.spare();
        let owner = site.installed.owner(site.name).unwrap();
        for to in all {
            let id = site.installed.service(to.parse().unwrap()).unwrap();
            half(&site.tables.services[usize::from(id)], id);
            site.installed = Installed::of(&site.tables);
            alike(&site);
            let is_same = site.installed.owner(site.name) == Some(owner);
            assert!(is_same || what == "it is the owner", "{what}: {to}");
            name(&mut site, &others);
            site.bring(RR, &[(4, 1)]);
            name(&mut site, &all);
            site.bring(RR, &BOTH);
            alike(&site);
            assert_eq!(
                ids(&site),
                before,
                "{what}: no record, member or slot is another"
            );
            assert_eq!(site.installed.spare(), spare, "{what}");
        }
        let went = all.map(|to| go_on(&site, (1, 1), to).unwrap());
        assert_eq!(went, homes, "{what}");
        let is_kept = begin(&site, (2, 1), OTHER) == Ok(3);
        assert!(
            is_kept || what == "it is the owner",
            "{what}: the fourth turn"
        );
    }
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

#[test]
fn what_a_group_has_no_room_for_is_not_brought_in_halves() {
    let limits = Limits {
        services: 4,
        members: 3,
        slots: 1 << 13,
        flow_sets: 1 << 10,
        lists_flows: false,
    };
    let mut site = Site::with_limits(limits);
    let spare = site.installed.spare();
    name(&mut site, &[HTTP, HTTPS, OTHER, QUIC]);
    let error = site.try_bring(RR, &BOTH).unwrap_err();
    let line = "no room for service udp/192.0.2.1:443: `services_max` is 3";
    assert_eq!(error, line);
    assert_eq!(site.installed.spare(), spare);
    name(&mut site, &[HTTP, HTTPS]);
    site.bring(RR, &BOTH);
    assert_eq!(begin(&site, (1, 1), HTTP), Ok(2));
    for (names, members) in [
        (&[HTTP, HTTPS, OTHER, QUIC][..], &BOTH[..]),
        (&[HTTP, OTHER], &[(2, 0), (3, 1), (4, 1)]),
    ] {
        name(&mut site, names);
        site.try_bring(RR, members).unwrap_err();
        assert_eq!(begin(&site, (1, 1), OTHER), Err(Reason::NoService));
        // Back to what it was.
        name(&mut site, &[HTTP, HTTPS]);
        site.bring(RR, &BOTH);
        site.sweep();
        assert_eq!(site.installed.spare().services, 1);
        assert_eq!(go_on(&site, (1, 1), HTTP), Ok(2));
        assert_eq!(site.members(), [2, 3]);
        let is_quiesced = |(_, id)| site.tables.members[id as usize].is(Member::QUIESCED);
        assert!(!site.installed.members(site.name).any(is_quiesced));
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

/// Checks that all records of a service have what they have in common, and its members the owner.
fn alike(site: &Site) {
    let words = |record: &Service| {
        let shared = [&record.layout, &record.before, &record.settles];
        let masks = [&record.mask[0], &record.mask[1], &record.scheduler];
        let words = shared.into_iter().chain(masks).map(|word| word.load());
        (words.collect::<Vec<_>>(), record.options(), record.seed)
    };
    let owner = site.installed.owner(site.name).unwrap();
    let of_owner = words(&site.tables.services[usize::from(owner)]);
    for name in destinations(site) {
        let id = site.installed.service(name).unwrap();
        let record = &site.tables.services[usize::from(id)];
        assert_eq!(words(record), of_owner, "{name}");
        assert_eq!(record.chain().owner, owner, "{name}");
    }
    for (rip, id) in site.installed.members(site.name) {
        let member = &site.tables.members[id as usize];
        assert_eq!(member.service(), owner, "{rip}");
    }
}

fn give_to(record: &Service, owner: u16) {
    let chain = record.chain();
    record.set_chain(Chain { owner, ..chain });
}

/// Where a service is in the tables: records, members, slots.
fn ids(site: &Site) -> (Vec<u16>, Vec<(IpAddr, u32)>, u64) {
    let records = destinations(site).map(|name| site.installed.service(name).unwrap());
    let records: Vec<u16> = records.collect();
    let mut members: Vec<_> = site.installed.members(site.name).collect();
    members.sort_unstable();
    let layout = site.tables.services[usize::from(records[0])].layout.load();
    (records, members, layout)
}

fn destinations(site: &Site) -> impl Iterator<Item = ServiceName> {
    [site.name].into_iter().chain(site.also.iter().copied())
}
