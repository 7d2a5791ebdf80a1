//! Detaching: the VIPs go first, then what kept quiet about them.

use std::{collections::BTreeSet, io::Write, net::Ipv4Addr, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::{
    dataplane::{
        pins::{Pins, Role},
        realserver::{self, Maps},
    },
    net::{Handle, addresses, links},
};

pub(super) async fn detach(
    only: &[String],
    root: Option<&Path>,
    netlink: &Handle,
    out: &mut impl Write,
) -> Result<()> {
    let Some(pins) = Pins::find(root, Role::RealServer)? else {
        if let Some(name) = only.first() {
            bail!("{name} is not attached");
        }
        return writeln!(out, "nothing is attached").context("cannot write");
    };
    {
        let _lock = pins.lock()?;
        detach_below(only, &pins, netlink, out).await?;
    }
    pins.remove_if_empty();
    Ok(())
}

async fn detach_below(
    only: &[String],
    pins: &Pins,
    netlink: &Handle,
    out: &mut impl Write,
) -> Result<()> {
    let (leaving, staying): (Vec<_>, Vec<_>) = pins
        .interfaces()?
        .into_iter()
        .partition(|name| only.is_empty() || only.contains(name));
    if let Some(name) = only.iter().find(|name| !leaving.contains(name)) {
        bail!("{name} is not attached; attached: {}", staying.join(", "));
    }
    if leaving.is_empty() {
        writeln!(out, "nothing is attached")?;
    } else if staying.is_empty() {
        take_off_lo(&leaving, pins, netlink, out).await?;
    } else {
        writeln!(
            out,
            "the VIPs stay on lo for {}; {} answers for them from now on",
            staying.join(", "),
            leaving.join(", ")
        )?;
    }
    for name in &leaving {
        let link = links::find(netlink, name).await?;
        realserver::detach(&pins.interface(name), link.as_ref(), netlink).await?;
        writeln!(out, "{name}: detached")?;
    }
    Ok(())
}

async fn take_off_lo(
    names: &[String],
    pins: &Pins,
    netlink: &Handle,
    out: &mut impl Write,
) -> Result<()> {
    let mut added: BTreeSet<Ipv4Addr> = BTreeSet::new();
    for name in names {
        // What a killed command left may have no maps: it had no VIPs then.
        let Ok(maps) = Maps::open(&pins.interface(name)) else {
            continue;
        };
        let vips = maps.vips()?.into_iter();
        added.extend(
            vips.filter(|(_, vip)| vip.is_added())
                .map(|(address, _)| address),
        );
    }
    let lo = links::find(netlink, "lo")
        .await?
        .context("there is no interface lo")?;
    for vip in added {
        if addresses::remove(netlink, lo.index, vip.into()).await? {
            writeln!(out, "{vip}: taken off lo")?;
        }
    }
    Ok(())
}
