//! The table of VIPs, as user space writes it.

use std::{collections::HashMap, net::IpAddr};

use anyhow::{Context as _, Result};
use aya::{
    Pod,
    maps::{Array, MapData},
};
use lb_common::{address::Address, probe::element};

use super::Programs;
use crate::address;

/// An address, as it lies in the map.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
struct Plain(Address);

// SAFETY: two double words without padding.
unsafe impl Pod for Plain {}

impl Programs {
    /// Makes each probe address stand for its VIP, and no others.
    pub fn set(&mut self, vips: HashMap<IpAddr, IpAddr>) -> Result<()> {
        let map = self.ebpf.map_mut("PROBES").context("no PROBES")?;
        let mut map: Array<&mut MapData, Plain> = map.try_into()?;
        let mut store = |probe: IpAddr, vip: Address| -> Result<()> {
            let element = element(address::of(probe).0).context("no probe address")?;
            map.set(element, Plain(vip), 0)
                .with_context(|| format!("cannot set the VIP of the probe address {probe}"))
        };
        // The books follow each step: what fails is done by the next call.
        let gone: Vec<IpAddr> = self.vips.keys().copied().collect();
        for probe in gone.into_iter().filter(|probe| !vips.contains_key(probe)) {
            store(probe, Address::default())?;
            self.vips.remove(&probe);
        }
        for (probe, vip) in vips {
            if self.vips.get(&probe) != Some(&vip) {
                store(probe, address::of(vip).0)?;
                self.vips.insert(probe, vip);
            }
        }
        Ok(())
    }
}
