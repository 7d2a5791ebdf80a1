//! Each scheduler's table beside IPVS's choice, one connection at a time, written down here from
//! the kernel's `net/netfilter/ipvs/ip_vs_*.c` another time.

use std::{collections::BTreeMap, iter};

use super::*;
use crate::install::Flows;

const LEAST: [Scheduler; 5] = [
    Scheduler::Lc,
    Scheduler::Wlc,
    Scheduler::Sed,
    Scheduler::Nq,
    Scheduler::Ovf,
];
const LIVE: [Scheduler; 8] = [
    Scheduler::Lc,
    Scheduler::Wlc,
    Scheduler::Sed,
    Scheduler::Nq,
    Scheduler::Ovf,
    Scheduler::Twos,
    Scheduler::Lblc,
    Scheduler::Lblcr,
];

/// A server as `struct ip_vs_dest` has it: weight, activeconns, inactconns.
type Dest = (u32, u64, u64);

/// What the schedulers' loops choose: the least by a fraction, the first of equals.
fn ipvs(scheduler: Scheduler, dests: &[Dest]) -> Option<usize> {
    let overhead = |&(_, active, inactive): &Dest| (active * 256 + inactive) as f64;
    let weight = |dest: &Dest| f64::from(dest.0);
    let delay = |dest: &Dest| (dest.1 + 1) as f64 / weight(dest);
    let least = |key: &dyn Fn(&Dest) -> f64| {
        let eligible = dests.iter().enumerate().filter(|(_, dest)| dest.0 > 0);
        eligible
            .min_by(|(_, a), (_, b)| key(a).total_cmp(&key(b)))
            .map(|(i, _)| i)
    };
    match scheduler {
        Scheduler::Lc => least(&overhead),
        Scheduler::Wlc => least(&|dest| overhead(dest) / weight(dest)),
        Scheduler::Sed => least(&delay),
        Scheduler::Nq => dests
            .iter()
            .position(|dest| dest.0 > 0 && dest.1 == 0)
            .or_else(|| least(&delay)),
        Scheduler::Ovf => least(&|dest| match dest.1 <= u64::from(dest.0) {
            true => -weight(dest),
            false => f64::INFINITY,
        })
        .filter(|&i| dests[i].1 <= u64::from(dests[i].0)),
        Scheduler::Rr | Scheduler::Wrr | Scheduler::Fo | Scheduler::Twos => None,
        Scheduler::Sh | Scheduler::Dh | Scheduler::Mh => None,
        Scheduler::Lblc | Scheduler::Lblcr => None,
    }
}

#[test]
fn a_batch_is_what_ipvs_would_choose_one_by_one() {
    let tables: [&[Dest]; 9] = [
        &[(1, 0, 0)],
        &[(1, 0, 0), (1, 0, 0), (1, 0, 0)],
        &[(1, 0, 0), (2, 0, 0), (5, 0, 0)],
        &[(1, 7, 0), (1, 0, 300), (1, 1, 0)],
        &[(0, 0, 0), (3, 5, 5), (1, 5, 5)],
        &[(10, 100, 7), (20, 0, 0), (30, 400, 9)],
        &[(100, 0, 0), (50, 0, 0), (20, 0, 0)],
        &[(65535, 1000, 0), (1, 0, 0)],
        &[(2, 40, 40), (2, 41, 0), (2, 39, 500)],
    ];
    for scheduler in LEAST {
        for udp in [false, true] {
            for dests in tables {
                let mut dests = dests.to_vec();
                let (shares, flows) = site(&dests);
                let table = batch(scheduler, &shares, &flows, 0, udp, &mut Memory::default());
                let expected: Vec<u32> = (0..table.len())
                    .map(|_| match ipvs(scheduler, &dests) {
                        Some(chosen) if udp => {
                            dests[chosen].2 += 1;
                            chosen as u32 + 1
                        }
                        Some(chosen) => {
                            dests[chosen].1 += 1;
                            chosen as u32 + 1
                        }
                        None => 0,
                    })
                    .collect();
                assert_eq!(table, expected, "{scheduler} {shares:?} {flows:?}");
            }
        }
    }
}

#[test]
fn a_batch_begins_at_the_cursor() {
    let (shares, flows) = site(&[(1, 40, 0), (1, 0, 0)]);
    let begin = |cursor| {
        batch(
            Scheduler::Wlc,
            &shares,
            &flows,
            cursor,
            false,
            &mut Memory::default(),
        )
    };
    let mut turned = begin(300);
    turned.rotate_left(300 % 256);
    assert_eq!(turned, begin(0));
}

/// `ip_vs_twos.c`: with loads so far apart that a batch does not reorder them, member i comes of a
/// pair with the chance that both are i, or one is and the other has more load.
#[test]
fn twos_takes_the_less_loaded_of_two_at_random_by_weight() {
    let weights = [1, 2, 3, 4];
    let loads = [4_000_000, 1_000_000, 100_000_000, 9_000_000];
    let dests: Vec<Dest> = (0..4).map(|i| (weights[i], loads[i], 0)).collect();
    let (shares, flows) = site(&dests);
    let mut counts = [0_u32; 4];
    let batches = 100;
    for number in 0..batches {
        let cursor = number * 256;
        for member in batch(
            Scheduler::Twos,
            &shares,
            &flows,
            cursor,
            false,
            &mut Memory::default(),
        ) {
            counts[member as usize - 1] += 1;
        }
    }
    let load = |i: usize| loads[i] as f64 / f64::from(weights[i]);
    let chance = |i: usize| f64::from(weights[i]) / 10.0;
    let drawn = 256.0 * batches as f64;
    for i in 0..4 {
        let others = (0..4).filter(|&j| load(j) > load(i));
        let p = chance(i) * (chance(i) + 2.0 * others.map(chance).sum::<f64>());
        let deviation = (drawn * p * (1.0 - p)).sqrt();
        let off = (f64::from(counts[i]) - drawn * p).abs();
        assert!(off <= 5.0 * deviation, "{counts:?}: {i} of {p}");
    }
}

/// `ip_vs_fo.c`: the highest weight, of equals the first.
#[test]
fn fo_goes_to_the_highest_weight_that_takes_flows() {
    for (weights, expected) in [
        (&[1, 3, 2][..], &[2][..]),
        (&[3, 3, 1], &[1]),
        (&[0, 0, 1], &[3]),
        (&[0, 0], &[]),
        (&[], &[]),
    ] {
        assert_eq!(plain(Scheduler::Fo, &[], weights), expected, "{weights:?}");
    }
}

/// `ip_vs_lblc.c`: one server, until it has more than its weight and another less than half of its.
#[test]
fn lblc_stays_until_overloaded_and_then_goes_to_the_least_loaded() {
    let mut memory = Memory::default();
    let mut go = |dests: &[Dest], cursor| {
        let (shares, flows) = site(dests);
        let table = batch(Scheduler::Lblc, &shares, &flows, cursor, false, &mut memory);
        (table, cursor % 256)
    };
    let (table, _) = go(&[(300, 5, 0), (300, 0, 0), (300, 9, 0)], 0);
    assert_eq!(table, [2; 256], "the least loaded, for all");
    let (table, _) = go(&[(300, 0, 0), (300, 20, 0), (300, 0, 0)], 20);
    assert_eq!(table, [2; 256], "and still, though others have fewer");
    let (table, first) = go(&[(300, 10, 0), (300, 280, 0), (300, 140, 0)], 40);
    // 280, 281, … 300 are not over its weight; at 301 it is, and 1 has less than half.
    let turned: Vec<u32> = (0..256)
        .map(|i| table[(first as usize + i) % 256])
        .collect();
    assert_eq!(turned[..21], [2; 21]);
    assert_eq!(turned[21..], [1; 235]);
    let (table, _) = go(&[(300, 10, 0), (300, 290, 0), (300, 160, 0)], 50);
    let turn = |turn: u64| table[(turn % 256) as usize];
    assert_eq!(
        [turn(50), turn(60), turn(61)],
        [2, 2, 1],
        "turns that did not come count for nothing"
    );
    let (table, _) = go(&[(300, 30, 0), (300, 301, 0), (300, 160, 0)], 90);
    assert_eq!(table, [1; 256]);
    let (table, _) = go(&[(300, 30, 0), (300, 301, 0), (300, 160, 0)], 100);
    assert_eq!(table, [1; 256]);
    let (table, _) = go(&[(0, 30, 0), (300, 301, 0), (300, 160, 0)], 110);
    assert_eq!(table, [3; 256], "1 takes none any more");
}

/// `ip_vs_lblcr.c`: the least loaded of a set that grows when that is overloaded; a set unchanged
/// for a day gives up its most loaded.
#[test]
fn lblcr_adds_a_server_when_its_least_loaded_is_overloaded() {
    let mut memory = Memory::default();
    let mut go = |dests: &[Dest], cursor, now| {
        let (shares, flows) = site(dests);
        let mut counts = Counts {
            flows: &flows,
            cursor,
            udp: false,
            now,
            memory: &mut memory,
        };
        let table = fill(Scheduler::Lblcr, &[], &shares, 0, &mut counts);
        let mut shares = BTreeMap::new();
        for member in table {
            *shares.entry(member).or_insert(0) += 1;
        }
        shares.into_iter().collect::<Vec<(u32, u32)>>()
    };
    assert_eq!(
        go(&[(500, 0, 0), (500, 1, 0), (500, 2, 0)], 0, 0),
        [(1, 256)]
    );
    // Overloaded, and 3 has less than half: from here on the two even out.
    let loaded = [(500, 501, 0), (500, 260, 0), (500, 200, 0)];
    assert_eq!(go(&loaded, 10, 10), [(3, 256)]);
    assert_eq!(
        go(&[(500, 501, 0), (500, 260, 0), (500, 501, 0)], 60, 20),
        [(1, 128), (3, 128)]
    );
    let idle = [(500, 10, 0), (500, 0, 0), (500, 5, 0)];
    let day = 24 * 60 * 60;
    assert_eq!(go(&idle, 70, 20 + day), [(1, 126), (3, 130)]);
    assert_eq!(go(&idle, 70, 21 + day), [(3, 256)], "1 had most");
}

#[test]
fn a_newcomer_gets_what_it_lacks_and_not_all_that_arrives() {
    for scheduler in [Scheduler::Lc, Scheduler::Wlc, Scheduler::Sed, Scheduler::Nq] {
        let mut memory = Memory::default();
        let (shares, flows) = site(&[(1, 1000, 0), (1, 1000, 0)]);
        batch(scheduler, &shares, &flows, 0, false, &mut memory);
        let (shares, flows) = site(&[(1, 1000, 0), (1, 1000, 0), (1, 0, 0)]);
        // 4000 arrived since, and 4000 arrive until the next.
        let table = batch(scheduler, &shares, &flows, 4000, false, &mut memory);
        let turns = (4000..8000_u64).map(|turn| table[(turn % 256) as usize]);
        let got = turns.filter(|&member| member == 3).count();
        // 1000 to be equal and a third of the other 3000, but for a turn's worth of connections
        // at the end of each round.
        assert!((1000..=3000).contains(&got), "{scheduler}: {got}");
    }
}

/// With connections that end, over many batches: the shares of IPVS's choice at each connection.
#[test]
fn shares_over_time_are_those_of_one_choice_a_connection() {
    for scheduler in [Scheduler::Lc, Scheduler::Wlc, Scheduler::Sed] {
        let weights = [1, 2, 5];
        let batched = over_time(&weights, |dests, cursor, memory, table| {
            if cursor.is_multiple_of(100) {
                let (shares, flows) = site(dests);
                *table = batch(scheduler, &shares, &flows, cursor, false, memory);
            }
            table[(cursor % table.len() as u64) as usize] as usize - 1
        });
        let single = over_time(&weights, |dests, _, _, _| {
            ipvs(scheduler, dests).unwrap_or_default()
        });
        for (batched, single) in batched.iter().zip(&single) {
            // Of 10000 connections, 2 in 100.
            assert!(
                batched.abs_diff(*single) <= 200,
                "{scheduler}: {batched:?} for {single:?}"
            );
        }
    }
}

/// 10000 connections; each ends when 500 to 1000 more have come, as a fixed sequence says.
fn over_time(
    weights: &[u32],
    mut choose: impl FnMut(&[Dest], u64, &mut Memory, &mut Vec<u32>) -> usize,
) -> Vec<u32> {
    let mut dests: Vec<Dest> = weights.iter().map(|&weight| (weight, 0, 0)).collect();
    let mut ends: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let mut taken = vec![0; weights.len()];
    let (mut memory, mut table) = (Memory::default(), Vec::new());
    for number in 0..10_000_u64 {
        for i in ends.remove(&number).unwrap_or_default() {
            dests[i].1 -= 1;
        }
        let i = choose(&dests, number, &mut memory, &mut table);
        dests[i].1 += 1;
        taken[i] += 1;
        let life = 500 + maglev::spread(number) % 500;
        ends.entry(number + life).or_default().push(i);
    }
    taken
}

#[test]
fn nobody_takes_flows_when_nobody_can() {
    for scheduler in Scheduler::ALL {
        for weights in [&[][..], &[0, 0]] {
            let table = plain(scheduler, &[], weights);
            assert!(table.iter().all(|&it| it == 0), "{scheduler} {weights:?}");
        }
    }
}

#[test]
fn a_weight_of_0_takes_none_and_tables_can_be_made_again() {
    for scheduler in Scheduler::ALL {
        let weights = [2, 0, 3];
        let table = plain(scheduler, &[], &weights);
        assert!(!table.contains(&2), "{scheduler}");
        assert!(table.iter().any(|&it| it != 0), "{scheduler}");
        assert_eq!(table, plain(scheduler, &[], &weights), "{scheduler}");
        assert_eq!(scheduler.is_live(), LIVE.contains(&scheduler));
    }
}

/// `ip_vs_sh.c`: shares by weight, a server of weight 0 has one more, and nobody takes that but
/// with the flag; `ip_vs_dh.c`: the same without weights or flags.
#[test]
fn sh_and_dh_leave_slots_to_whom_they_were_assigned() {
    let share = |scheduler, flags: &[Flag], member| {
        let table = plain(scheduler, flags, &[3, 0, 1]);
        let slots = table.iter().filter(|&&it| it == member).count();
        slots as f64 / table.len() as f64
    };
    for (scheduler, flags, expected) in [
        (Scheduler::Sh, &[][..], [0.2, 0.6, 0.0, 0.2]),
        (Scheduler::Sh, &[Flag::ShFallback], [0.0, 0.75, 0.0, 0.25]),
        (Scheduler::Dh, &[], [1.0 / 3.0, 1.0 / 3.0, 0.0, 1.0 / 3.0]),
        (Scheduler::Mh, &[], [0.0, 0.75, 0.0, 0.25]),
    ] {
        for (member, expected) in (0..).zip(expected) {
            let share = share(scheduler, flags, member);
            assert!(
                (share - expected).abs() < 0.005,
                "{scheduler} {flags:?}: {member} has {share}"
            );
        }
    }
    let all = plain(Scheduler::Sh, &[], &[3, 1, 1]);
    let one_less = plain(Scheduler::Sh, &[], &[3, 0, 1]);
    let kept = |(&was, &is): (&u32, &u32)| is == if was == 2 { 0 } else { was };
    assert!(all.iter().zip(&one_less).all(kept), "nobody else's move");
}

/// The members' ids are 1, 2, 3, …
fn site(dests: &[Dest]) -> (Vec<Share>, Vec<Flows>) {
    let share = |(member, dest): (u32, &Dest)| Share {
        member,
        address: [10, 0, 0, member as u8].into(),
        weight: dest.0,
        takes: dest.0 > 0,
    };
    let flows = |&(_, active, inactive): &Dest| Flows {
        active,
        inactive,
        ..Flows::default()
    };
    let nobody = Flows::default();
    (
        (1..).zip(dests).map(share).collect(),
        iter::once(nobody).chain(dests.iter().map(flows)).collect(),
    )
}

fn plain(scheduler: Scheduler, flags: &[Flag], weights: &[u32]) -> Vec<u32> {
    let dests: Vec<Dest> = weights.iter().map(|&weight| (weight, 0, 0)).collect();
    let (shares, flows) = site(&dests);
    let mut counts = Counts {
        flows: &flows,
        cursor: 0,
        udp: false,
        now: 0,
        memory: &mut Memory::default(),
    };
    fill(scheduler, flags, &shares, 0, &mut counts)
}

fn batch(
    scheduler: Scheduler,
    shares: &[Share],
    flows: &[Flows],
    cursor: u64,
    udp: bool,
    memory: &mut Memory,
) -> Vec<u32> {
    let mut counts = Counts {
        flows,
        cursor,
        udp,
        now: 0,
        memory,
    };
    fill(scheduler, &[], shares, 0, &mut counts)
}
