//! Loading the director's object, or adopting what an earlier daemon loaded.

use std::{fs, mem::offset_of, path::Path};

use anyhow::{Context as _, Result, bail};
use aya::{
    Ebpf, EbpfLoader, Pod,
    maps::{Map, MapData, PerCpuArray, PerCpuValues},
    programs::Xdp,
};
use lb_common::tables::{
    Endpoints, LAYOUT_VERSION, MEMBERS_MAX, SERVICES_MAX, Service, Site, WAYS,
};

use super::{Limits, Mapped, mapped::Record, tables::Tables};
use crate::dataplane::verifier;

static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/director"));

/// Mapped into the daemon's memory.
const MAPPED: [&str; 3] = ["SITE", "FLOWS", "ENDPOINTS"];
/// Written by the programs alone.
const COUNTED: [&str; 2] = ["COUNTERS", "REASONS"];

/// Layouts of which this version can take tables over: those of the site and of the flows were as they
/// are now, and whose flows the records are was kept in another way.
const READABLE: [u64; 1] = [4];

/// Maps what is pinned in a directory, and returns its sizes too; `None` if there is nothing, or
/// nobody has used it yet.
pub(super) fn mapped(maps: &Path) -> Result<Option<(Tables, Limits)>> {
    let (Some(site), Some(flows)) = (pinned(maps, "SITE")?, pinned(maps, "FLOWS")?) else {
        return Ok(None);
    };
    let site = Mapped::<Site>::array(site.fd(), 1).context("cannot map SITE into memory")?;
    let version = site[0].settings.version;
    if version == 0 {
        return Ok(None);
    }
    if !is_readable(version) {
        bail!(
            "the maps below {} have layout {version}, this program has {LAYOUT_VERSION}; \
             `drover director detach` removes them",
            maps.parent().unwrap_or(maps).display()
        );
    }
    let entries = |map: &MapData| -> Result<usize> { Ok(map.info()?.max_entries() as usize) };
    let flow_sets = entries(&flows)?;
    let listed = pinned(maps, "ENDPOINTS")?;
    let is_ours = |map: &MapData| -> Result<bool> {
        Ok(map.info()?.value_size() as usize == size_of::<Endpoints>())
    };
    let endpoints = match &listed {
        Some(map) if is_ours(map)? => Mapped::array(map.fd(), entries(map)?)?,
        _ => Mapped::anonymous(1)?,
    };
    let limits = Limits {
        members: match pinned(maps, "COUNTERS")? {
            Some(map) => entries(&map)?,
            None => MEMBERS_MAX,
        },
        flow_sets,
        lists_flows: match &listed {
            Some(map) => entries(map)? == flow_sets * WAYS,
            None => false,
        },
        ..Limits::default()
    };
    let flows = Mapped::array(flows.fd(), flow_sets).context("cannot map FLOWS into memory")?;
    let tables = Tables::new(site, flows, endpoints, limits);
    Ok(Some((tables, limits)))
}

/// Adds to what is counted what was in the maps of the same name below another directory.
pub(super) fn add<T: Pod>(
    ebpf: &mut Ebpf,
    old: &Path,
    name: &str,
    elements: Vec<u32>,
    plus: impl Fn(T, T) -> T,
) -> Result<()> {
    let Some(old) = pinned(old, name)? else {
        return Ok(());
    };
    let old: PerCpuArray<MapData, T> = Map::PerCpuArray(old).try_into()?;
    let map = ebpf.map_mut(name).with_context(|| format!("no {name}"))?;
    let mut map: PerCpuArray<&mut MapData, T> = map.try_into()?;
    for element in elements {
        let (before, now) = (old.get(&element, 0)?, map.get(&element, 0)?);
        let sums = before.iter().zip(now.iter()).map(|(&a, &b)| plus(a, b));
        let sums = PerCpuValues::try_from(sums.collect::<Vec<T>>())?;
        map.set(element, sums, 0)
            .with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

fn is_readable(version: u64) -> bool {
    version == LAYOUT_VERSION || READABLE.contains(&version)
}

/// Maps the services below `pins`, if there are any of a layout that is known.
pub(super) fn services(pins: &Path) -> Result<Option<Mapped<Service>>> {
    let site = site(pins)?.filter(|site| is_readable(site[0].settings.version));
    Ok(site.map(|site| site.part(offset_of!(Site, services), SERVICES_MAX)))
}

pub(super) fn site(pins: &Path) -> Result<Option<Mapped<Site>>> {
    let Some(map) = pinned(&pins.join("maps"), "SITE")? else {
        return Ok(None);
    };
    let site = Mapped::array(map.fd(), 1).context("cannot map SITE into memory")?;
    Ok(Some(site))
}

fn pinned(maps: &Path, name: &str) -> Result<Option<MapData>> {
    let path = maps.join(name);
    if !path.exists() {
        return Ok(None);
    }
    let map = MapData::from_pin(&path);
    Ok(Some(map.with_context(|| {
        format!("cannot open the pinned map {}", path.display())
    })?))
}

pub(super) fn object(maps: Option<&Path>, limits: Limits) -> Result<Ebpf> {
    let mut loader = EbpfLoader::new();
    let mask = limits.flow_sets as u32 - 1;
    let jiffy = seconds_per_jiffy();
    loader
        .map_max_entries("COUNTERS", limits.members as u32)
        .map_max_entries("FLOWS", limits.flow_sets as u32)
        .map_max_entries("ENDPOINTS", limits.endpoints() as u32)
        .override_global("FLOW_SETS_MASK", &mask, true)
        .override_global("SECONDS_PER_JIFFY", &jiffy, true);
    if let Some(maps) = maps {
        fs::create_dir_all(maps)
            .with_context(|| format!("cannot make the directory {}", maps.display()))?;
        for name in MAPPED.into_iter().chain(COUNTED) {
            loader.map_pin_path(name, maps.join(name));
        }
    }
    let mut ebpf = loader.load(OBJECT).map_err(verifier::no_maps)?;
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
