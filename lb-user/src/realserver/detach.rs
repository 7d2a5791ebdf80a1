//! Detaching: the VIPs go first, then what kept quiet about them.

use std::{collections::BTreeSet, fmt::Write as _, net::IpAddr, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::{
    dataplane::{
        pins::{Pins, Role},
        realserver::{self, Maps},
    },
    net::{Handle, addresses, links},
};

/// Detaches all interfaces, or those named, and tells what was done.
pub(super) async fn detach(
    only: &[String],
    root: Option<&Path>,
    netlink: &Handle,
) -> Result<String> {
    let Some(pins) = Pins::find(root, Role::RealServer)? else {
        return match only.first() {
            Some(name) => bail!("{name} is not attached"),
            None => Ok("nothing is attached\n".into()),
        };
    };
    let lock = pins.lock()?;
    let text = detach_below(only, &pins, netlink).await?;
    drop(lock);
    pins.remove_if_empty();
    Ok(text)
}

async fn detach_below(only: &[String], pins: &Pins, netlink: &Handle) -> Result<String> {
    let (leaving, staying): (Vec<_>, Vec<_>) = pins
        .interfaces()?
        .into_iter()
        .partition(|name| only.is_empty() || only.contains(name));
    if let Some(name) = only.iter().find(|name| !leaving.contains(name)) {
        bail!("{name} is not attached");
    }
    let mut text = String::new();
    if leaving.is_empty() {
        writeln!(text, "nothing is attached")?;
    } else if staying.is_empty() {
        for vip in take_off_lo(&leaving, pins, netlink).await? {
            writeln!(text, "{vip}: taken off lo")?;
        }
    } else {
        writeln!(
            text,
            "the VIPs stay on lo for {}; {} answers for them from now on",
            staying.join(", "),
            leaving.join(", ")
        )?;
    }
    for name in &leaving {
        let link = links::find(netlink, name).await?;
        realserver::detach(&pins.interface(name), link.as_ref(), netlink).await?;
        writeln!(text, "{name}: detached")?;
    }
    Ok(text)
}

/// Takes the VIPs off `lo` that were put there, and returns them.
async fn take_off_lo(names: &[String], pins: &Pins, netlink: &Handle) -> Result<Vec<IpAddr>> {
    let mut added = BTreeSet::new();
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
    let mut taken = Vec::new();
    for vip in added {
        if addresses::remove(netlink, lo.index, vip.into()).await? {
            taken.push(vip);
        }
    }
    Ok(taken)
}
