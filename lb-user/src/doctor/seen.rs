//! What there is to see of the host.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{IpAddr, Ipv4Addr},
};

use anyhow::Result;
use futures_util::TryStreamExt as _;
use netlink_packet_route::{
    AddressFamily,
    route::{RouteAddress, RouteAttribute, RouteMessage},
};

use super::{netfilter, site::Site};
use crate::net::{
    Handle,
    addresses::{self, Address},
    ethtool::{Driver, Ethtool},
    links::{self, Link},
};

/// Of no host (RFC 5737): who is far away is reached as this would be.
const FAR_AWAY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Variables of each interface, and of `all`.
const VARIABLES: [&str; 4] = [
    "ipv4/conf/IF/rp_filter",
    "ipv4/conf/IF/arp_ignore",
    "ipv4/conf/IF/arp_announce",
    "ipv6/conf/IF/disable_ipv6",
];

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) links: Vec<Link>,
    pub(super) addresses: Vec<(u32, Address)>,
    /// Of the listed interfaces, by index.
    pub(super) drivers: BTreeMap<u32, Driver>,
    /// Below `/proc/sys/net`.
    pub(super) variables: BTreeMap<String, u32>,
    /// The interface by which clients that are far away are reached.
    pub(super) way_out: Option<u32>,
    pub(super) cpus: u32,
    /// `/proc/net/ip_vs`, if there is IPVS.
    pub(super) ipvs: String,
    /// Of nftables.
    pub(super) rules: String,
}

impl Seen {
    pub(super) async fn read(site: &Site, netlink: &Handle) -> Result<Self> {
        let cpus = std::thread::available_parallelism();
        let mut seen = Self {
            links: links::list(netlink).await?,
            addresses: addresses::list_all(netlink).await?,
            way_out: way_out(netlink).await,
            cpus: cpus.map_or(1, |cpus| cpus.get() as u32),
            ipvs: fs::read_to_string("/proc/net/ip_vs").unwrap_or_default(),
            rules: netfilter::rules(),
            ..Self::default()
        };
        let mut ethtool = Ethtool::connect()?;
        for link in seen.listed(site).cloned().collect::<Vec<_>>() {
            let driver = ethtool.driver(&link.name, link.index).await?;
            seen.drivers.insert(link.index, driver);
        }
        let names: Vec<String> = seen.links.iter().map(|link| link.name.clone()).collect();
        for name in names.iter().map(String::as_str).chain(["all"]) {
            for variable in VARIABLES {
                let variable = variable.replace("IF", name);
                let value = fs::read_to_string(format!("/proc/sys/net/{variable}"));
                if let Ok(value) = value.unwrap_or_default().trim().parse() {
                    seen.variables.insert(variable, value);
                }
            }
        }
        Ok(seen)
    }

    /// The interfaces that the site lists, as far as they are there.
    pub(super) fn listed<'a>(&'a self, site: &'a Site) -> impl Iterator<Item = &'a Link> {
        let links = site.interfaces.iter().map(|name| self.named(name));
        links.flatten()
    }

    pub(super) fn named(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.name == name)
    }

    pub(super) fn link(&self, index: u32) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    pub(super) fn addresses_of(&self, index: u32) -> impl Iterator<Item = &Address> {
        let its = self.addresses.iter().filter(move |(of, _)| *of == index);
        its.map(|(_, address)| address)
    }

    /// The interfaces that an address is on.
    pub(super) fn holders(&self, ip: IpAddr) -> impl Iterator<Item = (&Link, &Address)> + Clone {
        let its = self
            .addresses
            .iter()
            .filter(move |(_, address)| address.ip() == ip);
        its.filter_map(|(index, address)| Some((self.link(*index)?, address)))
    }

    pub(super) fn holds(&self, ip: IpAddr) -> bool {
        self.holders(ip).next().is_some()
    }

    /// The larger of an interface's variable and that of `all`, as the kernel takes it
    /// (`IN_DEV_MAXCONF`).
    pub(super) fn variable(&self, interface: &str, name: &str) -> u32 {
        let value = |of: &str| self.variables.get(&format!("ipv4/conf/{of}/{name}"));
        value("all").max(value(interface)).copied().unwrap_or(0)
    }

    /// The listed interfaces and their VLANs, that are up.
    pub(super) fn ports(&self, site: &Site) -> Vec<&Link> {
        let listed: BTreeSet<u32> = self.listed(site).map(|link| link.index).collect();
        let is_listed = |index: u32| listed.contains(&index);
        let ports = self
            .links
            .iter()
            .filter(|link| is_listed(link.index) || link.vlan_of.is_some_and(is_listed));
        ports.filter(|link| link.has_carrier).collect()
    }

    /// The port whose subnet has an address.
    pub(super) fn port_of(&self, site: &Site, ip: IpAddr) -> Option<&Link> {
        let mut ports = self.ports(site).into_iter();
        ports.find(|port| {
            let mut addresses = self.addresses_of(port.index);
            addresses.any(|address| address.net.contains(&ip))
        })
    }
}

/// Asks the kernel which way it would go to who is far away; `None`: no way.
async fn way_out(netlink: &Handle) -> Option<u32> {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.destination_prefix_length = 32;
    let to = RouteAddress::Inet(FAR_AWAY);
    message.attributes.push(RouteAttribute::Destination(to));
    let mut answer = netlink.route().get(message).execute();
    let route: RouteMessage = answer.try_next().await.ok()??;
    route.attributes.iter().find_map(|attribute| {
        let RouteAttribute::Oif(index) = attribute else {
            return None;
        };
        Some(*index)
    })
}
