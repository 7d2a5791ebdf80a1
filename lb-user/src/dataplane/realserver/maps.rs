//! The maps of one interface, as user space reads and writes them.

use std::{collections::BTreeMap, iter, net::IpAddr, path::Path};

use anyhow::{Context as _, Result, ensure};
use aya::{
    Pod,
    maps::{Array, HashMap, Map, MapData, PerCpuArray, PerCpuValues},
    util::nr_cpus,
};
use lb_common::realserver::{Counts, RIPS_MAX, Rip, Rip6, VIPS_MAX, Vip};

pub(super) const PINS: [(&str, &str); 7] = [
    ("VIPS", "vips"),
    ("VIPS6", "vips6"),
    ("COUNTS", "counts"),
    ("RIPS", "rips"),
    ("RIPS6", "rips6"),
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
// SAFETY: bytes.
unsafe impl Pod for Plain<Rip6> {}

/// The addresses by which a host asks for others on an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rips {
    pub ipv4: Vec<Rip>,
    pub ipv6: Vec<Rip6>,
}

pub struct Maps {
    vips: HashMap<MapData, [u8; 4], Plain<Vip>>,
    counts: PerCpuArray<MapData, Plain<Counts>>,
    rips: Array<MapData, Plain<Rip>>,
    /// What was attached by a version that knew no IPv6 has none.
    ipv6: Option<Ipv6>,
}

struct Ipv6 {
    vips: HashMap<MapData, [u8; 16], Plain<Vip>>,
    rips: Array<MapData, Plain<Rip6>>,
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
        let foreign = || {
            format!(
                "the maps in {} are of another version; detach, then attach",
                dir.display()
            )
        };
        let [vips, counts, rips] = ["vips", "counts", "rips"].map(open);
        let ipv6 = if dir.join("vips6").exists() && dir.join("rips6").exists() {
            let [vips, rips] = ["vips6", "rips6"].map(open);
            Some(Ipv6 {
                vips: vips?.try_into().with_context(foreign)?,
                rips: rips?.try_into().with_context(foreign)?,
            })
        } else {
            None
        };
        Ok(Self {
            vips: vips?.try_into().with_context(foreign)?,
            counts: counts?.try_into().with_context(foreign)?,
            rips: rips?.try_into().with_context(foreign)?,
            ipv6,
        })
    }

    pub fn vips(&self) -> Result<BTreeMap<IpAddr, Vip>> {
        let ipv4 = self.vips.iter().map(|entry| {
            let (address, Plain(vip)) = entry?;
            Ok((IpAddr::from(address), vip))
        });
        let ipv6 = self.ipv6.iter().flat_map(|maps| maps.vips.iter());
        let ipv6 = ipv6.map(|entry| {
            let (address, Plain(vip)) = entry?;
            Ok((IpAddr::from(address), vip))
        });
        ipv4.chain(ipv6)
            .collect::<Result<_>>()
            .context("cannot read the VIPs")
    }

    /// Puts a VIP in, or changes its flags.
    pub fn insert_vip(&mut self, address: IpAddr, flags: u32) -> Result<()> {
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
        let vip = Plain(Vip { index, flags });
        match address {
            IpAddr::V4(address) => self.vips.insert(address.octets(), vip, 0),
            IpAddr::V6(address) => self.ipv6()?.vips.insert(address.octets(), vip, 0),
        }
        .with_context(|| format!("cannot put in the VIP {address}"))
    }

    pub fn remove_vip(&mut self, address: IpAddr) -> Result<()> {
        match address {
            IpAddr::V4(address) => self.vips.remove(&address.octets()),
            IpAddr::V6(address) => self.ipv6()?.vips.remove(&address.octets()),
        }
        .with_context(|| format!("cannot take out the VIP {address}"))
    }

    pub fn rips(&self) -> Result<Rips> {
        let ipv6 = self.ipv6.as_ref().map(|maps| read(&maps.rips));
        Ok(Rips {
            ipv4: read(&self.rips)?,
            ipv6: ipv6.transpose()?.unwrap_or_default(),
        })
    }

    /// Replaces the RIPs, one by one.
    pub fn set_rips(&mut self, rips: &Rips) -> Result<()> {
        replace(&mut self.rips, &rips.ipv4)?;
        match &mut self.ipv6 {
            Some(maps) => replace(&mut maps.rips, &rips.ipv6),
            None => Ok(()),
        }
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

    fn ipv6(&mut self) -> Result<&mut Ipv6> {
        self.ipv6
            .as_mut()
            .context("attached by a version that knows no IPv6; attach again")
    }
}

/// Reads an array up to the first that is unset.
fn read<T: Copy + Default + PartialEq + 'static>(rips: &Array<MapData, Plain<T>>) -> Result<Vec<T>>
where
    Plain<T>: Pod,
{
    let mut all = Vec::new();
    for index in 0..RIPS_MAX as u32 {
        let Plain(rip) = rips.get(&index, 0).context("cannot read the RIPs")?;
        if rip == T::default() {
            break;
        }
        all.push(rip);
    }
    Ok(all)
}

fn replace<T: Copy + Default + 'static>(
    map: &mut Array<MapData, Plain<T>>,
    rips: &[T],
) -> Result<()>
where
    Plain<T>: Pod,
{
    let unset = iter::repeat(T::default());
    let all = rips.iter().copied().chain(unset).take(RIPS_MAX);
    for (index, rip) in (0..).zip(all) {
        map.set(index, Plain(rip), 0)
            .context("cannot set the RIPs")?;
    }
    Ok(())
}
