//! The director's interfaces, with their subnets and those of their VLANs.

use std::iter;

use anyhow::{Context as _, Result};
use ipnet::IpNet;
use lb_common::wire::{MacAddr, VlanId};

use crate::{
    config::{director::Config, places::Named, suggested},
    net::{
        Handle,
        addresses::{self, Address},
        links::{self, Link},
    },
    service::not_a_hosts,
};

/// An interface of the director.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) index: u32,
    pub(super) mac: MacAddr,
    pub(super) is_up: bool,
    pub(super) has_carrier: bool,
    /// Its own subnets, and those of its VLANs, whose frames it has, too.
    pub(super) subnets: Vec<Subnet>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subnet {
    pub(super) net: IpNet,
    /// The interface that has its neighbours.
    pub(super) index: u32,
    /// The VLAN that is that interface's.
    pub(super) vlan: VlanId,
    pub(super) is_up: bool,
}

impl Interface {
    pub(super) async fn find_all(netlink: &Handle, config: &Config) -> Result<Vec<Self>> {
        let links = links::list(netlink).await?;
        let addresses = addresses::list_all(netlink).await?;
        let names = config.interfaces.iter();
        let interfaces = names.map(|name| {
            let found = Self::find(name, &links, &addresses);
            found.map_err(|error| config.places.told(&Named::Interface(name.clone()), error))
        });
        interfaces.collect()
    }

    /// Those that are there.
    pub(super) async fn find_there(netlink: &Handle, config: &Config) -> Result<Vec<Self>> {
        let links = links::list(netlink).await?;
        let addresses = addresses::list_all(netlink).await?;
        let is_there = |name: &&String| links.iter().any(|link| link.name == **name);
        let there = config.interfaces.iter().filter(is_there);
        there
            .map(|name| Self::find(name, &links, &addresses))
            .collect()
    }

    /// Whether hosts on its link reach it as they did that one.
    pub(super) fn is_reached_as(&self, other: &Self) -> bool {
        let place = |it: &Self| (it.index, it.mac, it.is_up, it.has_carrier);
        place(self) == place(other)
    }

    /// Whether it is as one of these says.
    pub(super) fn is_one_of(&self, links: &[Link]) -> bool {
        let place = (self.index, Some(self.mac), self.is_up, self.has_carrier);
        let mut links = links.iter();
        links
            .any(|it| it.name == self.name && place == (it.index, it.mac, it.is_up, it.has_carrier))
    }

    fn find(name: &str, links: &[Link], addresses: &[(u32, Address)]) -> Result<Self> {
        let link = links
            .iter()
            .find(|link| link.name == name)
            .with_context(|| {
                let ethernet = links.iter().filter(|link| !link.is_loopback);
                let names: Vec<&str> = ethernet.map(|link| link.name.as_str()).collect();
                format!(
                    "there is no interface `{name}`; {}",
                    suggested(name, &names)
                )
            })?;
        let mac = link
            .mac
            .filter(|_| !link.is_loopback)
            .with_context(|| format!("interface {name} is not Ethernet"))?;
        let (index, is_up, has_carrier) = (link.index, link.is_up, link.has_carrier);
        let vlans = links.iter().filter(|vlan| vlan.vlan_of == Some(link.index));
        let mut subnets = Vec::new();
        for link in iter::once(link).chain(vlans) {
            let its = addresses.iter().filter(|(of, _)| *of == link.index);
            subnets.extend(its.map(|(_, address)| Subnet {
                net: address.net,
                index: link.index,
                vlan: match link.index == index {
                    true => VlanId::NONE,
                    false => link.vlan,
                },
                is_up: is_up && link.is_up,
            }));
        }
        Ok(Self {
            name: name.to_owned(),
            index,
            mac,
            is_up,
            has_carrier,
            subnets,
        })
    }
}

/// As operators are told of it.
pub(super) fn describe(interface: &Interface) -> String {
    let subnets = interface.subnets.iter().map(|subnet| subnet.net);
    let nets: Vec<String> = subnets
        .filter(|net| net.prefix_len() < net.max_prefix_len())
        .filter(|net| not_a_hosts(net.addr()).is_none())
        .map(|net| net.to_string())
        .collect();
    match nets.as_slice() {
        [] => format!("{} (which has no subnet)", interface.name),
        nets => format!("{} ({})", interface.name, nets.join(", ")),
    }
}
