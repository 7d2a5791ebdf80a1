//! Interfaces.

use anyhow::{Context as _, Result};
use futures_util::TryStreamExt as _;
use lb_common::wire::{MacAddr, VlanId};
use netlink_packet_route::link::{
    BondMode, InfoBond, InfoData, InfoKind, InfoVlan, LinkAttribute, LinkFlags, LinkInfo,
    LinkMessage, LinkXdp, XdpAttached,
};
use rustix::io::Errno;

use super::{Handle, explained, is_one_of};

/// An interface, as it was when asked for.
#[derive(Clone, Debug, Default)]
pub struct Link {
    pub index: u32,
    pub name: String,
    pub mac: Option<MacAddr>,
    pub is_up: bool,
    /// It is up, and so is what it is connected to.
    pub has_carrier: bool,
    pub is_loopback: bool,
    /// It has no ARP: `ip link set IF arp off`, or no need of it.
    pub is_noarp: bool,
    pub xdp: Option<Xdp>,
    /// The interface whose tagged frames it has, if it is a VLAN's.
    pub vlan_of: Option<u32>,
    pub vlan: VlanId,
    /// As `ip -d link` has it: `veth`, `bond`; empty for a device's own.
    pub kind: String,
    pub mtu: u32,
    /// The bond or bridge that it is a port of.
    pub master: Option<u32>,
    /// The interface at the other end, or below, and whether that is in this network namespace.
    pub other_end: Option<(u32, bool)>,
    pub bond: Option<BondMode>,
}

/// The XDP program of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Xdp {
    pub program: u32,
    /// In the driver, not in the stack.
    pub is_native: bool,
}

/// Finds an interface by its name.
pub async fn find(netlink: &Handle, name: &str) -> Result<Option<Link>> {
    let mut links = netlink.link().get().match_name(name).execute();
    match links.try_next().await {
        Ok(link) => Ok(link.map(Link::from)),
        // Nobody has the name, or nobody could.
        Err(error) if is_one_of(&error, &[Errno::NODEV, Errno::INVAL, Errno::RANGE]) => Ok(None),
        Err(error) => {
            Err(explained(error)).with_context(|| format!("cannot look for interface {name}"))
        }
    }
}

/// Lists all interfaces.
pub async fn list(netlink: &Handle) -> Result<Vec<Link>> {
    let links = netlink.link().get().execute();
    let links: Vec<LinkMessage> = links
        .try_collect()
        .await
        .map_err(explained)
        .context("cannot list the interfaces")?;
    Ok(links.into_iter().map(Link::from).collect())
}

impl From<LinkMessage> for Link {
    fn from(message: LinkMessage) -> Self {
        let flags = message.header.flags;
        let mut link = Self {
            index: message.header.index,
            is_up: flags.contains(LinkFlags::Up),
            has_carrier: flags.contains(LinkFlags::Up | LinkFlags::LowerUp),
            is_loopback: flags.contains(LinkFlags::Loopback),
            is_noarp: flags.contains(LinkFlags::Noarp),
            ..Self::default()
        };
        let mut parent = None;
        let mut is_vlan = false;
        let mut is_here = true;
        for attribute in message.attributes {
            if let LinkAttribute::IfName(name) = attribute {
                link.name = name;
            } else if let LinkAttribute::Address(octets) = attribute {
                link.mac = octets.try_into().ok().map(|octets| MacAddr { octets });
            } else if let LinkAttribute::Xdp(xdp) = attribute {
                link.xdp = attached(&xdp);
            } else if let LinkAttribute::Link(index) = attribute {
                parent = Some(index);
            } else if let LinkAttribute::LinkNetNsId(_) = attribute {
                is_here = false;
            } else if let LinkAttribute::Mtu(mtu) = attribute {
                link.mtu = mtu;
            } else if let LinkAttribute::Controller(index) = attribute {
                link.master = Some(index);
            } else if let LinkAttribute::LinkInfo(info) = attribute {
                is_vlan = info.contains(&LinkInfo::Kind(InfoKind::Vlan));
                link.vlan = vlan(&info);
                link.bond = bond(&info);
                link.kind = kind(&info);
            }
        }
        link.other_end = parent.map(|index| (index, is_here));
        link.vlan_of = parent.filter(|_| is_vlan);
        link
    }
}

fn kind(info: &[LinkInfo]) -> String {
    let kind = info.iter().find_map(|info| {
        let LinkInfo::Kind(kind) = info else {
            return None;
        };
        Some(kind.to_string())
    });
    kind.unwrap_or_default()
}

fn bond(info: &[LinkInfo]) -> Option<BondMode> {
    info.iter().find_map(|info| {
        let LinkInfo::Data(InfoData::Bond(bond)) = info else {
            return None;
        };
        bond.iter().find_map(|it| {
            let InfoBond::Mode(mode) = it else {
                return None;
            };
            Some(*mode)
        })
    })
}

fn vlan(info: &[LinkInfo]) -> VlanId {
    let id = info.iter().find_map(|info| {
        let LinkInfo::Data(InfoData::Vlan(vlan)) = info else {
            return None;
        };
        vlan.iter().find_map(|it| {
            let InfoVlan::Id(id) = it else {
                return None;
            };
            Some(*id)
        })
    });
    id.map_or(VlanId::NONE, VlanId::new)
}

fn attached(xdp: &[LinkXdp]) -> Option<Xdp> {
    let mut is_native = false;
    let mut id = None;
    for attribute in xdp {
        if let LinkXdp::Attached(attached) = attribute {
            is_native = *attached == XdpAttached::Driver;
        } else if let LinkXdp::ProgId(program) = attribute {
            id = Some(*program);
        }
    }
    id.map(|program| Xdp { program, is_native })
}
