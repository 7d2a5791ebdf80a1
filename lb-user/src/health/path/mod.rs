//! The way of a check to one real server: a probe address that stands for a VIP on that real server.
//!
//! Whoever connects to it has the packets that clients' packets are: to the VIP, by the real server's
//! MAC. So a real server that lacks the VIP does not answer, and it is of no matter whether the
//! director has the VIP itself. TCP, UDP and echoes come back; fragments and ICMP errors do not.
//!
//! A route leads each probe address to its real server, and the programs of
//! [`dataplane::probe`](crate::dataplane::probe) do the rest. Where no route is, the probe addresses
//! are unreachable: a default route would lead to somebody who answers for the VIP, too.

mod given;
mod source;

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    path::{Path as FilePath, PathBuf},
};

use anyhow::Result;

use self::given::{Given, is_ours, nets};
use crate::{
    dataplane::probe::{self, Programs},
    net::{
        Handle,
        addresses::{self, Address},
        links::{self, Link},
        routes::{self, By, Route},
    },
};

/// A VIP on a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Probed {
    pub vip: IpAddr,
    pub real: IpAddr,
    /// The index of the interface that has its neighbour: a VLAN's, if it is in one.
    pub interface: u32,
}

/// The ways of all checks. Programs and routes are there while there are checks.
#[derive(Debug)]
pub struct Path {
    /// Where the programs are pinned.
    dir: PathBuf,
    routes: Handle,
    given: Given,
    programs: Option<Programs>,
}

impl Path {
    /// Opens the path; nothing of an earlier daemon is kept. `pins` is the director's directory, and
    /// whoever opens the path holds its lock.
    pub async fn open(netlink: &Handle, pins: &FilePath) -> Result<Self> {
        take_away(netlink, pins).await?;
        Ok(Self {
            dir: below(pins),
            routes: routes::connect()?,
            given: Given::default(),
            programs: None,
        })
    }

    /// Makes it lead to these, and to no others; returns the probe address of each VIP on each real
    /// server. Unchanged ones keep theirs.
    ///
    /// The kernel takes a route away with its interface or source address, so this is also called
    /// when those have changed. A route that cannot be set is logged; its probe address is
    /// unreachable.
    pub async fn set(
        &mut self,
        netlink: &Handle,
        wanted: &[Probed],
    ) -> Result<HashMap<(IpAddr, IpAddr), IpAddr>> {
        self.given.bring_to(wanted)?;
        let routes = self.routes_to(netlink, wanted).await?;
        let installed = ours(&self.routes).await?;
        routes::remove(&self.routes, installed.difference(&routes).copied()).await?;
        self.bring_programs(netlink, wanted).await?;
        // The nets first: nobody is to be led astray.
        let missing = routes.difference(&installed).copied();
        let (nets, others): (Vec<Route>, Vec<Route>) = missing.partition(|it| it.by.is_none());
        if let Some((_, error)) = routes::add(&self.routes, nets).await.pop() {
            return Err(error);
        }
        let refused = routes::add(&self.routes, others).await;
        if let Some((_, error)) = refused.first() {
            tracing::warn!("{} checks fail: {error:#}", refused.len());
        }
        Ok(self.given.all().clone())
    }

    /// Takes routes and programs away.
    pub async fn close(mut self, netlink: &Handle) -> Result<()> {
        self.set(netlink, &[]).await?;
        Ok(())
    }

    /// The routes to the probe addresses, and one to each of their nets.
    async fn routes_to(&self, netlink: &Handle, wanted: &[Probed]) -> Result<HashSet<Route>> {
        let vips: HashSet<IpAddr> = wanted.iter().map(|it| it.vip).collect();
        let mut addresses: HashMap<u32, Vec<Address>> = HashMap::new();
        for (index, address) in addresses::list_all(netlink).await? {
            addresses.entry(index).or_default().push(address);
        }
        let of = |index| addresses.get(&index).map_or(&[][..], Vec::as_slice);
        let mut routes = HashSet::new();
        let mut without = Vec::new();
        for probed in wanted {
            let Some(&probe) = self.given.all().get(&(probed.vip, probed.real)) else {
                continue;
            };
            let net = nets().find(|net| net.contains(&probe));
            routes.extend(net.map(|to| Route { to, by: None }));
            let Some(source) = source::toward(probed.real, of(probed.interface), &vips) else {
                without.push(probed.real);
                continue;
            };
            let by = By {
                neighbour: probed.real,
                interface: probed.interface,
                source,
            };
            routes.insert(Route {
                to: probe.into(),
                by: Some(by),
            });
        }
        if let Some(real) = without.first() {
            let count = without.len();
            tracing::warn!(
                "{count} checks fail: {real} is in no subnet that this host has an address of"
            );
        }
        Ok(routes)
    }

    async fn bring_programs(&mut self, netlink: &Handle, wanted: &[Probed]) -> Result<()> {
        if wanted.is_empty() {
            if let Some(mut programs) = self.programs.take() {
                programs.attach_to(&[], netlink).await?;
                probe::detach(&self.dir, netlink).await?;
            }
            return Ok(());
        }
        let programs = match &mut self.programs {
            Some(programs) => programs,
            none => none.insert(Programs::load(&self.dir)?),
        };
        let vips = self.given.all().iter();
        programs.set(vips.map(|(&(vip, _), &probe)| (probe, vip)).collect())?;
        let interfaces = interfaces(wanted);
        let links = links::list(netlink).await?;
        let links = links.iter().filter(|link| interfaces.contains(&link.index));
        programs
            .attach_to(&links.collect::<Vec<&Link>>(), netlink)
            .await
    }
}

fn interfaces(wanted: &[Probed]) -> HashSet<u32> {
    wanted.iter().map(|it| it.interface).collect()
}

/// Takes routes and programs away that a daemon has left. `pins` is the director's directory.
pub async fn take_away(netlink: &Handle, pins: &FilePath) -> Result<()> {
    let routes = routes::connect()?;
    routes::remove(&routes, ours(&routes).await?).await?;
    probe::detach(&below(pins), netlink).await
}

fn below(pins: &FilePath) -> PathBuf {
    pins.join("probe")
}

/// The kernel's routes to probe addresses and their nets.
async fn ours(netlink: &Handle) -> Result<HashSet<Route>> {
    let routes = routes::list(netlink).await?;
    Ok(routes.into_iter().filter(|it| is_ours(it.to)).collect())
}
