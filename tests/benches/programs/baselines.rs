//! The programs to compare with, and the tables of the one that has any.

use anyhow::{Context as _, Result};
use aya::{
    Ebpf, EbpfLoader,
    maps::{Array, HashMap, Map},
    programs::Xdp,
};
use lb_user::dataplane::bench::OBJECT;

use super::directors::{CLEAN, VIP, macs};

/// Entries of the flow table, at least: it is to forget none that comes again.
const ROOM: u32 = 1 << 20;
const TCP: u8 = 6;

pub(crate) fn load(name: &'static str, room: u32) -> Result<Ebpf> {
    let mut ebpf = EbpfLoader::new()
        .map_max_entries("LRU_FLOWS", room)
        .load(OBJECT)
        .context("cannot load the baselines; is this root?")?;
    let program = ebpf.program_mut(name);
    let program: &mut Xdp = program.with_context(|| format!("no {name}"))?.try_into()?;
    program.load()?;
    Ok(ebpf)
}

/// Loads `lru`, serving what the director's clean service does.
pub(crate) fn lru(flows: u32) -> Result<Ebpf> {
    let mut ebpf = load("lru", ROOM.max(flows * 2))?;
    let macs = macs();
    let mut key = [0; 24];
    key[8..12].copy_from_slice(&VIP.octets());
    key[16..18].copy_from_slice(&CLEAN.to_be_bytes());
    key[18] = TCP;
    let mut services: HashMap<_, [u8; 24], u32> = map(&mut ebpf, "LRU_SERVICES")?.try_into()?;
    services.insert(key, 1, 0)?;
    let mut members: Array<_, u64> = map(&mut ebpf, "LRU_MEMBERS")?.try_into()?;
    for (i, &[a, b, c, d, e, f]) in (0..).zip(&macs) {
        members.set(i, u64::from_ne_bytes([a, b, c, d, e, f, 0, 0]), 0)?;
    }
    let mut slots: Array<_, u32> = map(&mut ebpf, "LRU_SLOTS")?.try_into()?;
    for slot in 0..slots.len() {
        slots.set(slot, slot % macs.len() as u32, 0)?;
    }
    Ok(ebpf)
}

/// Flows that there is room for.
pub(crate) fn room(ebpf: &Ebpf) -> u32 {
    match ebpf.map("LRU_FLOWS") {
        Some(Map::LruHashMap(map)) => map.info().map_or(0, |info| info.max_entries()),
        _ => 0,
    }
}

fn map<'e>(ebpf: &'e mut Ebpf, name: &str) -> Result<&'e mut Map> {
    ebpf.map_mut(name).with_context(|| format!("no {name}"))
}
