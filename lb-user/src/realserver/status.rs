//! What is attached, counted, and wrong: by the kernel's word.

use std::{collections::BTreeSet, net::IpAddr, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use lb_common::realserver::rip_toward;
use serde::Serialize;

use super::site;
use crate::{
    dataplane::{
        pins::{Pins, Role},
        realserver::{Installed, Maps, Rips},
    },
    net::{
        Handle,
        addresses::{self, Address},
        links,
    },
};

#[derive(Debug, Default, Serialize)]
pub(crate) struct Status {
    /// Something is attached, and nothing is wrong.
    pub(crate) ok: bool,
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) vips: Vec<Vip>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Interface {
    pub(crate) interface: String,
    pub(crate) ingress: Option<String>,
    pub(crate) egress: Option<String>,
    pub(crate) rips: Vec<IpNet>,
    pub(crate) problems: Vec<String>,
}

/// One VIP on one interface.
#[derive(Debug, Serialize)]
pub(crate) struct Vip {
    pub(crate) vip: IpAddr,
    pub(crate) interface: String,
    pub(crate) on_lo: bool,
    /// In whose name the host asks for others in the subnet of the VIP.
    pub(crate) rip: Option<IpAddr>,
    pub(crate) asked: u64,
    pub(crate) claimed: u64,
    pub(crate) mangled: u64,
    pub(crate) problems: Vec<String>,
}

pub(crate) async fn status(root: Option<&Path>, netlink: &Handle) -> Result<Status> {
    let mut status = Status::default();
    let Some(pins) = Pins::find(root, Role::RealServer)? else {
        return Ok(status);
    };
    let lo = links::find(netlink, "lo")
        .await?
        .context("there is no interface lo")?;
    let on_lo: BTreeSet<IpAddr> = addresses::list(netlink, lo.index)
        .await?
        .iter()
        .map(Address::ip)
        .collect();
    for name in pins.interfaces()? {
        status.add(name, &pins, &on_lo, netlink).await?;
    }
    let is_well = status
        .interfaces
        .iter()
        .all(|interface| interface.problems.is_empty())
        && status.vips.iter().all(|vip| vip.problems.is_empty());
    status.ok = is_well && !status.vips.is_empty();
    Ok(status)
}

impl Status {
    /// An error if nothing is attached or something is wrong: the first that is.
    pub(crate) fn verdict(&self) -> Result<()> {
        if let Some(interface) = self.interfaces.iter().find(|it| !it.problems.is_empty()) {
            bail!(
                "{}: {}; attach again",
                interface.interface,
                interface.problems.join("; ")
            );
        }
        if let Some(vip) = self.vips.iter().find(|it| !it.problems.is_empty()) {
            bail!("{}: {}; attach again", vip.vip, vip.problems.join("; "));
        }
        ensure!(self.ok, "nothing is attached");
        Ok(())
    }

    async fn add(
        &mut self,
        name: String,
        pins: &Pins,
        on_lo: &BTreeSet<IpAddr>,
        netlink: &Handle,
    ) -> Result<()> {
        let dir = pins.interface(&name);
        let mut interface = Interface {
            interface: name.clone(),
            ingress: None,
            egress: None,
            rips: Vec::new(),
            problems: Vec::new(),
        };
        let maps = Maps::open(&dir);
        let link = links::find(netlink, &name).await?;
        match (&link, &maps) {
            (Some(link), Ok(maps)) => {
                let installed = Installed::on(link, &dir, netlink).await?;
                interface.ingress = installed.ingress.map(|ingress| ingress.to_string());
                interface.egress = installed.egress.map(|egress| egress.to_string());
                let vips: Vec<IpAddr> = maps.vips()?.into_keys().collect();
                let rips = maps.rips()?;
                interface.rips = nets(&rips);
                interface.problems = problems(installed);
                match site::rips(netlink, link, &vips).await {
                    Ok(now) if now == rips => {}
                    Ok(_) => interface.problems.push("its addresses have changed".into()),
                    Err(error) => interface.problems.push(format!("{error:#}")),
                }
            }
            (None, _) => interface.problems.push("the interface is gone".into()),
            (_, Err(error)) => interface.problems.push(format!("{error:#}")),
        }
        self.interfaces.push(interface);
        let Ok(maps) = maps else { return Ok(()) };
        let rips = maps.rips()?;
        for (address, vip) in maps.vips()? {
            let counts = maps.counts(vip)?;
            let is_on_lo = on_lo.contains(&address);
            self.vips.push(Vip {
                vip: address,
                interface: name.clone(),
                on_lo: is_on_lo,
                rip: rip(&rips, address),
                asked: counts.asked,
                claimed: counts.claimed,
                mangled: counts.mangled,
                problems: if is_on_lo {
                    Vec::new()
                } else {
                    vec!["not on lo".into()]
                },
            });
        }
        Ok(())
    }
}

fn problems(installed: Installed) -> Vec<String> {
    let ways = [
        (
            installed.ingress.is_none(),
            "the ingress program is missing",
        ),
        (installed.egress.is_none(), "the egress program is missing"),
    ];
    ways.into_iter()
        .filter(|(is_missing, _)| *is_missing)
        .map(|(_, problem)| problem.into())
        .collect()
}

/// As whom the host asks for `target`.
fn rip(rips: &Rips, target: IpAddr) -> Option<IpAddr> {
    match target {
        IpAddr::V4(target) => {
            rip_toward(rips.ipv4.iter().copied(), target.octets()).map(IpAddr::from)
        }
        IpAddr::V6(target) => {
            rip_toward(rips.ipv6.iter().copied(), target.octets()).map(IpAddr::from)
        }
    }
}

fn nets(rips: &Rips) -> Vec<IpNet> {
    let ipv4 = rips.ipv4.iter().filter_map(|rip| {
        let net = Ipv4Net::with_netmask(rip.address.into(), rip.mask.into());
        net.ok().map(IpNet::from)
    });
    let ipv6 = rips.ipv6.iter().filter_map(|rip| {
        let net = Ipv6Net::with_netmask(rip.address.into(), rip.mask.into());
        net.ok().map(IpNet::from)
    });
    ipv4.chain(ipv6).collect()
}
