//! Loading the director's object, or adopting what an earlier daemon loaded.

use std::{fs, mem::offset_of, path::Path};

use anyhow::{Context as _, Result, bail};
use aya::{
    Ebpf, EbpfLoader,
    maps::{Map, MapData},
    programs::Xdp,
};
use lb_common::tables::{LAYOUT_VERSION, SERVICES_MAX, Service, Site, WAYS};

use super::{Limits, Mapped, mapped::Record, tables::Tables};
use crate::dataplane::verifier;

static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/director"));

/// Mapped into the daemon's memory.
const MAPPED: [&str; 3] = ["SITE", "FLOWS", "ENDPOINTS"];
/// Written by the programs alone.
const COUNTED: [&str; 2] = ["COUNTERS", "REASONS"];

/// Returns the sizes of the maps below `pins`, or `limits` if there are none.
pub(super) fn adopted(pins: &Path, limits: Limits) -> Result<Limits> {
    let Some(version) = version(pins)? else {
        return Ok(limits);
    };
    if version != 0 && version != LAYOUT_VERSION {
        bail!(
            "the maps below {} have layout {version}, this program has {LAYOUT_VERSION}; \
             `drover director detach` removes them",
            pins.display()
        );
    }
    let entries = |name, limit| -> Result<usize> {
        match pinned(pins, name)? {
            Some(map) => Ok(map.info()?.max_entries() as usize),
            None => Ok(limit),
        }
    };
    let flow_sets = entries("FLOWS", limits.flow_sets)?;
    let found = Limits {
        members: entries("COUNTERS", limits.members)?,
        flow_sets,
        lists_flows: entries("ENDPOINTS", limits.endpoints())? == flow_sets * WAYS,
        ..limits
    };
    if found != limits {
        tracing::warn!(
            "limits are those of the maps that are in use: {found:?}; others need `drover director detach`"
        );
    }
    Ok(found)
}

/// Maps the services below `pins`, if there are any of this layout.
pub(super) fn services(pins: &Path) -> Result<Option<Mapped<Service>>> {
    if version(pins)? != Some(LAYOUT_VERSION) {
        return Ok(None);
    }
    let Some(site) = site(pins)? else {
        return Ok(None);
    };
    Ok(Some(site.part(offset_of!(Site, services), SERVICES_MAX)))
}

/// The layout of the maps below `pins`; 0 if nobody has used them yet.
fn version(pins: &Path) -> Result<Option<u64>> {
    // That of an earlier layout was elsewhere.
    if pins.join("maps/SETTINGS").exists() {
        return Ok(Some(2));
    }
    Ok(site(pins)?.map(|site| site[0].settings.version))
}

pub(super) fn site(pins: &Path) -> Result<Option<Mapped<Site>>> {
    let Some(map) = pinned(pins, "SITE")? else {
        return Ok(None);
    };
    let site = Mapped::array(map.fd(), 1).context("cannot map SITE into memory")?;
    Ok(Some(site))
}

fn pinned(pins: &Path, name: &str) -> Result<Option<MapData>> {
    let path = pins.join("maps").join(name);
    if !path.exists() {
        return Ok(None);
    }
    let map = MapData::from_pin(&path);
    Ok(Some(map.with_context(|| {
        format!("cannot open the pinned map {}", path.display())
    })?))
}

pub(super) fn object(pins: Option<&Path>, limits: Limits) -> Result<Ebpf> {
    let mut loader = EbpfLoader::new();
    let mask = limits.flow_sets as u32 - 1;
    let jiffy = seconds_per_jiffy();
    loader
        .map_max_entries("COUNTERS", limits.members as u32)
        .map_max_entries("FLOWS", limits.flow_sets as u32)
        .map_max_entries("ENDPOINTS", limits.endpoints() as u32)
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
    let mut ebpf = loader.load(OBJECT).context("cannot load the director")?;
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

pub(super) fn tables(ebpf: &Ebpf, limits: Limits) -> Result<Tables> {
    fn mapped<T: Record>(ebpf: &Ebpf, name: &str, len: usize) -> Result<Mapped<T>> {
        let Some(Map::Array(map)) = ebpf.map(name) else {
            bail!("the director's object has no array {name}");
        };
        Mapped::array(map.fd(), len).with_context(|| format!("cannot map {name} into memory"))
    }
    Ok(Tables::new(
        mapped(ebpf, "SITE", 1)?,
        mapped(ebpf, "FLOWS", limits.flow_sets)?,
        mapped(ebpf, "ENDPOINTS", limits.endpoints())?,
        limits,
    ))
}

fn xdp<'e>(ebpf: &'e mut Ebpf, name: &str) -> Result<&'e mut Xdp> {
    Ok(ebpf
        .program_mut(name)
        .with_context(|| format!("the director's object has no program {name}"))?
        .try_into()?)
}
