//! What is installed and what is wanted, before anything is changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use ipnet::IpNet;
use lb_common::realserver::{VIPS_MAX, Vip};

use super::site;
use crate::{
    config::realserver::RealServer,
    dataplane::{
        pins::Pins,
        realserver::{Maps, Rips},
    },
    net::{
        Handle,
        addresses::{self, Address},
        links::{self, Link},
    },
};

/// An interface, and what is to be undone there.
pub(super) struct Site {
    pub(super) link: Link,
    pub(super) dir: PathBuf,
    pub(super) rips: Rips,
    pub(super) before: Option<Before>,
}

/// What an interface had that was attached already.
pub(super) struct Before {
    pub(super) vips: BTreeMap<IpAddr, Vip>,
    pub(super) rips: Rips,
}

/// What is known before anything is changed.
pub(super) struct Plan<'a> {
    pub(super) wanted: &'a RealServer,
    pub(super) sites: Vec<Site>,
    /// Directories of interfaces that are gone.
    pub(super) gone: Vec<PathBuf>,
    pub(super) lo: Link,
    /// VIPs on `lo`, wanted or not.
    pub(super) on_lo: BTreeSet<IpAddr>,
    /// VIPs that an earlier command put on `lo`.
    pub(super) added: BTreeSet<IpAddr>,
    /// VIPs of earlier commands that are not wanted any more.
    pub(super) surplus: BTreeSet<IpAddr>,
}

impl<'a> Plan<'a> {
    pub(super) async fn new(wanted: &'a RealServer, pins: &Pins, netlink: &Handle) -> Result<Self> {
        ensure!(
            wanted.vips.len() <= VIPS_MAX,
            "{} VIPs; at most {VIPS_MAX}",
            wanted.vips.len()
        );
        let lo = links::find(netlink, "lo")
            .await?
            .context("there is no interface lo")?;
        let mut plan = Self {
            wanted,
            sites: Vec::new(),
            gone: Vec::new(),
            on_lo: on_lo(netlink, &lo, &wanted.vips).await?,
            lo,
            added: BTreeSet::new(),
            surplus: BTreeSet::new(),
        };
        let mut names = wanted.interfaces.clone();
        names.extend(
            pins.interfaces()?
                .into_iter()
                .filter(|name| !wanted.interfaces.contains(name)),
        );
        for name in &names {
            let dir = pins.interface(name);
            // What a killed command left may have no maps, and then nothing to keep.
            let before = Before::read(&dir).ok();
            for (address, vip) in before.iter().flat_map(|before| &before.vips) {
                if vip.is_added() {
                    plan.added.insert(*address);
                }
                if !wanted.vips.contains(address) {
                    plan.surplus.insert(*address);
                }
            }
            if !wanted.interfaces.contains(name) && links::find(netlink, name).await?.is_none() {
                plan.gone.push(dir);
                continue;
            }
            let link = site::link(netlink, name).await?;
            let rips = site::rips(netlink, &link, &wanted.vips).await?;
            plan.sites.push(Site {
                link,
                dir,
                rips,
                before,
            });
        }
        Ok(plan)
    }
}

impl Before {
    fn read(dir: &Path) -> Result<Self> {
        let maps = Maps::open(dir)?;
        Ok(Self {
            vips: maps.vips()?,
            rips: maps.rips()?,
        })
    }
}

/// The addresses of `lo`, none of which may be a VIP with its subnet.
async fn on_lo(netlink: &Handle, lo: &Link, vips: &[IpAddr]) -> Result<BTreeSet<IpAddr>> {
    let addresses = addresses::list(netlink, lo.index).await?;
    for address in &addresses {
        ensure!(
            is_alone(address.net) || !vips.contains(&address.ip()),
            "lo has {}, which takes the whole subnet for this host; take it off: ip addr del {} dev lo",
            address.net,
            address.net
        );
    }
    Ok(addresses.iter().map(Address::ip).collect())
}

/// Whether it is one address, as a VIP is, and no subnet.
pub(super) fn is_alone(net: IpNet) -> bool {
    net.prefix_len() == net.max_prefix_len()
}
