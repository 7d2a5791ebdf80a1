//! Loading the director's object, or adopting what an earlier daemon loaded.

use std::{fs, io, path::Path};

use anyhow::{Context as _, bail};
use aya::{
    Ebpf, EbpfError, EbpfLoader,
    maps::{Map, MapData},
    programs::Xdp,
};
use lb_common::tables::{DIRECTORY_BUCKETS, INTERFACES_MAX, LAYOUT_VERSION, Settings};

use super::{Limits, Mapped, mapped::Record, tables::Tables};
use crate::dataplane::verifier;

static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/director"));

/// Mapped into the daemon's memory.
const MAPPED: [&str; 7] = [
    "DIRECTORY",
    "SERVICES",
    "SLOTS",
    "MEMBERS",
    "INTERFACES",
    "FLOWS",
    "SETTINGS",
];
/// Written by the programs alone.
const COUNTED: [&str; 2] = ["COUNTERS", "REASONS"];

/// Returns the sizes of the maps below `pins`, or `limits` if there are none.
pub(super) fn adopted(pins: &Path, limits: Limits) -> anyhow::Result<Limits> {
    let entries = |name| -> anyhow::Result<Option<usize>> {
        let path = pins.join("maps").join(name);
        if !path.exists() {
            return Ok(None);
        }
        let map = MapData::from_pin(&path)
            .with_context(|| format!("cannot open the pinned map {}", path.display()))?;
        Ok(Some(map.info()?.max_entries() as usize))
    };
    let Some(settings) = entries("SETTINGS")? else {
        return Ok(limits);
    };
    let settings = {
        let path = pins.join("maps/SETTINGS");
        let map = MapData::from_pin(&path)?;
        Mapped::<Settings>::array(map.fd(), settings)?[0].version
    };
    if settings != 0 && settings != LAYOUT_VERSION {
        bail!(
            "the maps below {} have layout {settings}, this program has {LAYOUT_VERSION}; \
             `drover director detach` removes them",
            pins.display()
        );
    }
    Ok(Limits {
        services: entries("SERVICES")?.unwrap_or(limits.services),
        members: entries("MEMBERS")?.unwrap_or(limits.members),
        slots: entries("SLOTS")?.unwrap_or(limits.slots),
        flow_sets: entries("FLOWS")?.unwrap_or(limits.flow_sets),
    })
}

pub(super) fn object(pins: Option<&Path>, limits: Limits) -> anyhow::Result<Ebpf> {
    let mut loader = EbpfLoader::new();
    let mask = limits.flow_sets as u32 - 1;
    let jiffy = seconds_per_jiffy();
    loader
        .map_max_entries("SERVICES", limits.services as u32)
        .map_max_entries("MEMBERS", limits.members as u32)
        .map_max_entries("COUNTERS", limits.members as u32)
        .map_max_entries("SLOTS", limits.slots as u32)
        .map_max_entries("FLOWS", limits.flow_sets as u32)
        .override_global("FLOW_SETS_MASK", &mask, true)
        .override_global("SECONDS_PER_JIFFY", &jiffy, true);
    if let Some(pins) = pins {
        let maps = pins.join("maps");
        fs::create_dir_all(&maps)
            .with_context(|| format!("cannot make the directory {}", maps.display()))?;
        for name in MAPPED.into_iter().chain(COUNTED) {
            loader.map_pin_path(name, maps.join(name));
        }
    }
    let mut ebpf = loader
        .load(OBJECT)
        .map_err(|error| refusal(error).context("cannot load the director"))?;
    for name in ["director", "clock"] {
        xdp(&mut ebpf, name)?
            .load()
            .map_err(|error| verifier::refusal(name, error))?;
    }
    Ok(ebpf)
}

/// 2^32 divided by the kernel's timer frequency, which is what its coarse clocks resolve.
fn seconds_per_jiffy() -> u64 {
    let jiffy = rustix::time::clock_getres(rustix::time::ClockId::MonotonicCoarse);
    ((1_u128 << 32) * jiffy.tv_nsec as u128 / 1_000_000_000) as u64
}

pub(super) fn tables(ebpf: &Ebpf, limits: Limits) -> anyhow::Result<Tables> {
    fn mapped<T: Record>(ebpf: &Ebpf, name: &str, len: usize) -> anyhow::Result<Mapped<T>> {
        let Some(Map::Array(map)) = ebpf.map(name) else {
            bail!("the director's object has no array {name}");
        };
        Mapped::array(map.fd(), len).with_context(|| format!("cannot map {name} into memory"))
    }
    Ok(Tables {
        directory: mapped(ebpf, "DIRECTORY", DIRECTORY_BUCKETS)?,
        services: mapped(ebpf, "SERVICES", limits.services)?,
        slots: mapped(ebpf, "SLOTS", limits.slots)?,
        members: mapped(ebpf, "MEMBERS", limits.members)?,
        interfaces: mapped(ebpf, "INTERFACES", INTERFACES_MAX)?,
        flows: mapped(ebpf, "FLOWS", limits.flow_sets)?,
        settings: mapped(ebpf, "SETTINGS", 1)?,
    })
}

fn xdp<'e>(ebpf: &'e mut Ebpf, name: &str) -> anyhow::Result<&'e mut Xdp> {
    Ok(ebpf
        .program_mut(name)
        .with_context(|| format!("the director's object has no program {name}"))?
        .try_into()?)
}

/// Says what an operator can do about the two usual refusals.
fn refusal(error: EbpfError) -> anyhow::Error {
    let error = anyhow::Error::from(error);
    let denied = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::PermissionDenied);
    if denied {
        return error
            .context("not permitted: needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON");
    }
    error
}
