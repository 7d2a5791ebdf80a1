//! Attaching: first the host is silent about a VIP everywhere, then it has the VIP.
//!
//! What is wanted is laid over what is installed, and only then is anything taken away. If a step
//! fails, those before it are undone.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context as _, Result, anyhow};
use ipnet::IpNet;
use lb_common::realserver::Vip;

use super::plan::Plan;
use crate::{
    config::realserver::{Hook, RealServer},
    dataplane::{
        pins::{Pins, Role},
        realserver::{Attached, Installed, Maps, Programs, detach},
    },
    net::{Handle, addresses},
};

pub(super) async fn attach(
    wanted: &RealServer,
    root: Option<&Path>,
    netlink: &Handle,
) -> Result<String> {
    let pins = Pins::make(root, Role::RealServer)?;
    let attached = attach_below(wanted, &pins, netlink).await;
    if attached.is_err() {
        pins.remove_if_empty();
    }
    attached
}

async fn attach_below(wanted: &RealServer, pins: &Pins, netlink: &Handle) -> Result<String> {
    let _lock = pins.lock()?;
    let plan = Plan::new(wanted, pins, netlink).await?;
    let mut put_on_lo = Vec::new();
    let attached = match plan.install(netlink, &mut put_on_lo).await {
        Ok(attached) => attached,
        Err(error) => {
            return Err(match plan.undo(netlink, &put_on_lo).await {
                Ok(()) => error,
                Err(undo) => anyhow!("{error:#}; and undoing what was done failed: {undo:#}"),
            });
        }
    };
    plan.remove_surplus(netlink).await?;
    Ok(plan.tell(&attached)?)
}

impl Plan<'_> {
    /// Silences every interface, then puts the VIPs on `lo`. Takes nothing away.
    async fn install(&self, netlink: &Handle, put_on_lo: &mut Vec<IpNet>) -> Result<Vec<Attached>> {
        let mut loaded = Vec::new();
        for site in &self.sites {
            let programs = Programs::load(&site.dir).with_context(|| site.link.name.clone())?;
            loaded.push((site, programs));
        }
        for (site, programs) in &mut loaded {
            programs.maps.set_rips(&site.rips)?;
            for vip in &self.wanted.vips {
                let stays = self.on_lo.contains(vip) && !self.added.contains(vip);
                programs
                    .maps
                    .insert_vip(*vip, if stays { 0 } else { Vip::ADDED })?;
            }
        }
        let mut attached = Vec::new();
        for (site, programs) in &mut loaded {
            // Interfaces that are not named keep the hook they have.
            let is_named = self.wanted.interfaces.contains(&site.link.name);
            let hook = if is_named {
                self.wanted.hook
            } else {
                Hook::Auto
            };
            let installed = Installed::on(&site.link, &site.dir, netlink).await?;
            attached.push(programs.attach(&site.link, &site.dir, hook, installed)?);
        }
        for vip in &self.wanted.vips {
            let net = IpNet::from(*vip);
            if !self.on_lo.contains(vip) && addresses::add(netlink, self.lo.index, net).await? {
                put_on_lo.push(net);
            }
        }
        Ok(attached)
    }

    async fn undo(&self, netlink: &Handle, put_on_lo: &[IpNet]) -> Result<()> {
        for vip in put_on_lo {
            addresses::remove(netlink, self.lo.index, *vip).await?;
        }
        for site in self.sites.iter().filter(|site| site.dir.exists()) {
            let Some(before) = &site.before else {
                detach(&site.dir, Some(&site.link), netlink).await?;
                continue;
            };
            let mut maps = Maps::open(&site.dir)?;
            for address in maps.vips()?.into_keys() {
                match before.vips.get(&address) {
                    Some(vip) => maps.insert_vip(address, vip.flags)?,
                    None => maps.remove_vip(address)?,
                }
            }
            maps.set_rips(&before.rips)?;
        }
        Ok(())
    }

    /// Takes away what is not wanted any more: a VIP off `lo` before it is forgotten.
    async fn remove_surplus(&self, netlink: &Handle) -> Result<()> {
        for vip in &self.surplus {
            if self.added.contains(vip) {
                addresses::remove(netlink, self.lo.index, (*vip).into()).await?;
            }
        }
        for site in &self.sites {
            let mut maps = Maps::open(&site.dir)?;
            for vip in maps.vips()?.keys().filter(|vip| self.surplus.contains(vip)) {
                maps.remove_vip(*vip)?;
            }
        }
        for dir in &self.gone {
            detach(dir, None, netlink).await?;
        }
        Ok(())
    }

    fn tell(&self, attached: &[Attached]) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        for (site, attached) in self.sites.iter().zip(attached) {
            let name = &site.link.name;
            let Attached {
                ingress,
                egress,
                refusal,
            } = attached;
            write!(text, "{name}: ingress {ingress}, egress {egress}")?;
            match refusal {
                Some(refusal) => writeln!(text, "; {refusal}")?,
                None => writeln!(text)?,
            }
            if !self.wanted.interfaces.contains(name) {
                writeln!(
                    text,
                    "{name} was not named, but stays attached; \
                     `drover realserver detach --interface {name}` detaches it"
                )?;
            }
        }
        for vip in &self.wanted.vips {
            let was_there = self.on_lo.contains(vip);
            let what = if was_there { "was on lo" } else { "put on lo" };
            writeln!(text, "{vip}: {what}")?;
        }
        for vip in self.surplus.intersection(&self.added) {
            writeln!(text, "{vip}: taken off lo")?;
        }
        Ok(text)
    }
}
