//! Destinations that come and go, on a service that has connections.

use std::{collections::BTreeSet, net::IpAddr};

use lb_common::{
    reason::Reason,
    tables::{Chain, Member, Options, Service, State},
};
use lb_user::{
    dataplane::director::Limits, install::Installed, scheduler::Scheduler, service::ServiceName,
};

use crate::{
    ALL, BOTH, HTTP, HTTPS, OTHER, QUIC, RANGE, RR, begin, go_on, group, name, of, remove, sent,
    site::{ESTABLISHED, Site},
};

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

/// By its record's id; that of a destination which goes is soon another's, of the same port.
#[test]
fn flows_are_known_by_their_destination_while_that_is_there() {
    const NEXT: &str = "tcp/192.0.2.3:80";
    let mut site = group(&ALL, RR, &BOTH);
    for to in ALL {
        begin(&site, (1, 1), to).unwrap();
    }
    let known = |site: &Site| {
        let flows = site.known(State::Embryonic).into_iter();
        let ends = flows.map(|flow| (flow.vip.octets_v4(), flow.kind().ports().destination));
        ends.collect::<BTreeSet<_>>()
    };
    let all = ALL.map(|to| {
        let sent = sent(&site, (1, 1), to);
        (sent.vip.octets(), sent.port.to_be_bytes())
    });
    assert_eq!(known(&site), all.into());
    let id = site.installed.service(OTHER.parse().unwrap());
    remove(&mut site, OTHER);
    let left = all
        .into_iter()
        .filter(|it| *it != ([192, 0, 2, 2], [0, 80]));
    let left: BTreeSet<_> = left.collect();
    assert_eq!(known(&site), left, "without {OTHER}");
    name(&mut site, &[HTTP, HTTPS, NEXT, QUIC, RANGE]);
    site.bring(RR, &BOTH);
    assert_eq!(site.installed.service(NEXT.parse().unwrap()), id);
    assert_eq!(known(&site), left, "with {NEXT}");
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
