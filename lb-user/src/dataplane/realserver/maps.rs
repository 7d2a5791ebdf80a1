//! The maps of one interface, as user space reads and writes them.

use std::{collections::BTreeMap, net::Ipv4Addr, path::Path};

use anyhow::{Context as _, Result, ensure};
use aya::{
    Pod,
    maps::{Array, HashMap, Map, MapData, PerCpuArray, PerCpuValues},
    util::nr_cpus,
};
use lb_common::realserver::{Counts, RIPS_MAX, Rip, VIPS_MAX, Vip};

pub(super) const PINS: [(&str, &str); 5] = [
    ("VIPS", "vips"),
    ("COUNTS", "counts"),
    ("RIPS", "rips"),
    ("WATCHED", "watched"),
    ("AYA_LOGS", "log"),
];

/// A value of a map, as it lies there.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
struct Plain<T>(T);

// SAFETY: two words without padding.
unsafe impl Pod for Plain<Vip> {}
// SAFETY: three double words without padding.
unsafe impl Pod for Plain<Counts> {}
// SAFETY: bytes.
unsafe impl Pod for Plain<Rip> {}

pub struct Maps {
    vips: HashMap<MapData, [u8; 4], Plain<Vip>>,
    counts: PerCpuArray<MapData, Plain<Counts>>,
    rips: Array<MapData, Plain<Rip>>,
}

impl Maps {
    /// Opens the maps that are pinned in `dir`.
    pub fn open(dir: &Path) -> Result<Self> {
        let open = |pin: &str| {
            let path = dir.join(pin);
            MapData::from_pin(&path)
                .and_then(Map::from_map_data)
                .with_context(|| format!("cannot open the pinned map {}", path.display()))
        };
        let [vips, counts, rips] = ["vips", "counts", "rips"].map(open);
        let foreign = || {
            format!(
                "the maps in {} are of another version; detach, then attach",
                dir.display()
            )
        };
        Ok(Self {
            vips: vips?.try_into().with_context(foreign)?,
            counts: counts?.try_into().with_context(foreign)?,
            rips: rips?.try_into().with_context(foreign)?,
        })
    }

    pub fn vips(&self) -> Result<BTreeMap<Ipv4Addr, Vip>> {
        let entries = self.vips.iter().map(|entry| {
            let (address, Plain(vip)) = entry?;
            Ok((address.into(), vip))
        });
        entries
            .collect::<Result<_>>()
            .context("cannot read the VIPs")
    }

    /// Puts a VIP in, or changes its flags.
    pub fn insert_vip(&mut self, address: Ipv4Addr, flags: u32) -> Result<()> {
        let vips = self.vips()?;
        let index = match vips.get(&address) {
            Some(vip) => vip.index,
            None => {
                let index =
                    (0..VIPS_MAX as u32).find(|index| vips.values().all(|vip| vip.index != *index));
                ensure!(index.is_some(), "more than {VIPS_MAX} VIPs");
                let index = index.unwrap_or_default();
                self.reset_counts(index)?;
                index
            }
        };
        self.vips
            .insert(address.octets(), Plain(Vip { index, flags }), 0)
            .with_context(|| format!("cannot put in the VIP {address}"))
    }

    pub fn remove_vip(&mut self, address: Ipv4Addr) -> Result<()> {
        self.vips
            .remove(&address.octets())
            .with_context(|| format!("cannot take out the VIP {address}"))
    }

    pub fn rips(&self) -> Result<Vec<Rip>> {
        let mut rips = Vec::new();
        for index in 0..RIPS_MAX as u32 {
            let Plain(rip) = self.rips.get(&index, 0).context("cannot read the RIPs")?;
            if rip == Rip::default() {
                break;
            }
            rips.push(rip);
        }
        Ok(rips)
    }

    /// Replaces the RIPs, one by one.
    pub fn set_rips(&mut self, rips: &[Rip]) -> Result<()> {
        let unset = std::iter::repeat(Rip::default());
        let all = rips.iter().copied().chain(unset).take(RIPS_MAX);
        for (index, rip) in (0..).zip(all) {
            self.rips
                .set(index, Plain(rip), 0)
                .context("cannot set the RIPs")?;
        }
        Ok(())
    }

    /// What was done about a VIP, on all CPUs.
    pub fn counts(&self, vip: Vip) -> Result<Counts> {
        let counts = self
            .counts
            .get(&vip.index, 0)
            .context("cannot read the counts")?;
        Ok(counts
            .iter()
            .fold(Counts::default(), |sum, Plain(counts)| Counts {
                asked: sum.asked + counts.asked,
                claimed: sum.claimed + counts.claimed,
                mangled: sum.mangled + counts.mangled,
            }))
    }

    fn reset_counts(&mut self, index: u32) -> Result<()> {
        let cpus = nr_cpus()
            .map_err(|(what, error)| anyhow::anyhow!("cannot count CPUs: {what}: {error}"))?;
        let zeros = PerCpuValues::try_from(vec![Plain(Counts::default()); cpus])?;
        self.counts
            .set(index, zeros, 0)
            .context("cannot reset the counts")
    }
}
