//! Packets by chance through the program in the kernel and through the same decision on the host, each with tables of its
//! own: verdict, octets, records, turns and counts must be the same, also while services change.
//!
//! `cargo xtask fuzz packets N` sends more.

mod change;
mod packets;
mod payload;
mod sides;

use std::{thread, time::Instant};

use tests::Chance;

use self::{change::Changes, sides::Sides};

const PACKETS: u64 = 200_000;
/// After so many the tables are compared.
const BATCH: usize = 64;
/// One batch of so many comes after a change.
const CHANGE: usize = 64;

#[test]
fn kernel_and_host_decide_alike_whatever_comes() {
    let (packets, seed) = tests::fuzz(PACKETS);
    let threads = match packets > PACKETS {
        true => thread::available_parallelism().map_or(1, |it| it.get() as u64),
        false => 1,
    };
    let start = Instant::now();
    thread::scope(|scope| {
        for i in 0..threads {
            scope.spawn(move || some(packets / threads, Chance::new(seed + i)));
        }
    });
    println!("{:.1} s", start.elapsed().as_secs_f64());
}

fn some(packets: u64, mut chance: Chance) {
    let mut sides = Sides::new();
    let mut changes = Changes::of(&sides.kernel);
    for _ in 0..packets / BATCH as u64 {
        if chance.one_in(CHANGE) {
            sides.compare_counts();
            changes.make(&sides.kernel, &mut chance);
            sides.level();
        }
        let batch: Vec<_> = (0..BATCH).map(|_| packets::packet(&mut chance)).collect();
        sides.run(&batch);
    }
    sides.compare_counts();
    println!("{}", sides.counts);
    sides.counts.check();
}
