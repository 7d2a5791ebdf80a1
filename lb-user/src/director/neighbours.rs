//! Where the real servers are: on which interface's subnet, and at which MAC.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::{IpAddr, Ipv6Addr},
};

use anyhow::{Result, bail, ensure};
use ipnet::IpNet;
use lb_common::wire::{MacAddr, VlanId};

use super::links::{Interface, Subnet, describe};
use crate::{
    address,
    api::Used,
    config::director::{Config, Service},
    dataplane::director::Tables,
    net::{
        self, Handle,
        neighbours::{Neighbour, State},
    },
};

/// Ticks between two probes of a neighbour that is resolved: well within the half minute after
/// which the kernel calls it stale (`base_reachable_time_ms`).
const REFRESH: u64 = 15;

#[derive(Debug)]
pub(super) struct Neighbours {
    interfaces: Vec<Interface>,
    /// The subnets that have room for a real server, and their interfaces' places in the list.
    subnets: Vec<(usize, Subnet)>,
    /// The addresses of this director: VIPs are among them, and may be many.
    own: HashSet<IpAddr>,
    macs: HashMap<IpAddr, MacAddr>,
    /// Those that the operator has set: they are not asked.
    permanent: HashSet<IpAddr>,
    /// The real servers.
    watched: BTreeSet<IpAddr>,
    /// Those that the kernel has called unresolved once. It also does so when told to forget
    /// (`ip neigh flush`), so they are asked again before they are believed to be gone.
    suspects: BTreeSet<IpAddr>,
}

impl Neighbours {
    pub(super) fn new(interfaces: Vec<Interface>) -> Self {
        let mut neighbours = Self {
            interfaces: Vec::new(),
            subnets: Vec::new(),
            own: HashSet::new(),
            macs: HashMap::new(),
            permanent: HashSet::new(),
            watched: BTreeSet::new(),
            suspects: BTreeSet::new(),
        };
        neighbours.set_interfaces(interfaces);
        neighbours
    }

    pub(super) fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.iter()
    }

    /// Of the real servers, those whose MAC is known.
    pub(super) fn resolved(&self) -> Used {
        let known = self.watched.iter().filter(|it| self.mac(**it).is_some());
        Used {
            used: known.count() as u64,
            most: self.watched.len() as u64,
        }
    }

    pub(super) fn set_interfaces(&mut self, interfaces: Vec<Interface>) {
        let all = interfaces.iter().enumerate();
        let all = all.flat_map(|(i, it)| it.subnets.iter().map(move |&subnet| (i, subnet)));
        self.own = all.clone().map(|(_, subnet)| subnet.net.addr()).collect();
        self.subnets = all
            .filter(|(_, it)| it.net.prefix_len() < it.net.max_prefix_len())
            .collect();
        self.interfaces = interfaces;
    }

    /// Takes the MACs of the members that are in the tables.
    pub(super) fn remember(&mut self, tables: &Tables) {
        for member in tables.members.iter() {
            let service = &tables.services[usize::from(member.service())];
            let rip = address::ip(member.rip, service.destination.version());
            if let Some((rip, link)) = rip.zip(member.link()) {
                self.macs.insert(rip, link.mac);
            }
        }
    }

    /// Looks after the real servers of `config` from now on.
    pub(super) fn watch(&mut self, config: &Config) {
        self.watched = config
            .services
            .iter()
            .flat_map(Service::addresses)
            .collect();
    }

    /// Takes up what the kernel's table has of the real servers whose MAC is not known.
    ///
    /// One that the operator has just set is there, while word of it may wait behind the command that
    /// names the real server: to ask for it now would undo it.
    pub(super) async fn look_up(&mut self, netlink: &Handle) -> Result<()> {
        if self.watched.iter().all(|it| self.macs.contains_key(it)) {
            return Ok(());
        }
        for neighbour in net::neighbours::list(netlink).await? {
            if self.mac(neighbour.address).is_none() {
                self.learn(neighbour);
            }
        }
        Ok(())
    }

    /// Takes up what the kernel says; whether anything is different now for a real server.
    pub(super) fn learn(&mut self, neighbour: Neighbour) -> bool {
        let Neighbour {
            address,
            interface,
            state,
        } = neighbour;
        if self
            .subnet(address)
            .is_none_or(|(_, subnet)| subnet.index != interface)
        {
            return false;
        }
        match state {
            State::Permanent(_) => self.permanent.insert(address),
            State::Resolved(_) | State::Unresolved | State::Unknown => {
                self.permanent.remove(&address)
            }
        };
        let (before, mac) = match state {
            State::Resolved(mac) | State::Permanent(mac) => {
                self.suspects.remove(&address);
                (self.macs.insert(address, mac), Some(mac))
            }
            State::Unresolved => {
                let is_watched = self.watched.contains(&address);
                if is_watched && self.macs.contains_key(&address) && self.suspects.insert(address) {
                    return false;
                }
                (self.macs.remove(&address), None)
            }
            // What was known is believed until an answer comes, or none.
            State::Unknown => return false,
        };
        if before == mac || !self.watched.contains(&address) {
            return false;
        }
        match mac {
            Some(mac) => tracing::info!(%address, %mac, "neighbour resolved"),
            None => tracing::debug!(%address, "neighbour not resolved"),
        }
        true
    }

    /// Returns the MAC of who is on a subnet that can be reached at present.
    pub(super) fn mac(&self, address: IpAddr) -> Option<MacAddr> {
        let mac = self.macs.get(&address)?;
        self.is_reachable(address).then_some(*mac)
    }

    /// Returns the real servers that are at a MAC: those of both versions, and of several VLANs.
    pub(super) fn reals_at(&self, mac: MacAddr) -> Vec<IpAddr> {
        let reals = self.watched.iter().copied();
        reals.filter(|&real| self.mac(real) == Some(mac)).collect()
    }

    /// Returns an address that the interface, or VLAN, has for itself: the link-local one, if it has one.
    pub(super) fn ipv6_of(&self, index: u32) -> Option<Ipv6Addr> {
        let subnets = self.subnets.iter().filter_map(|(_, subnet)| {
            let IpNet::V6(net) = subnet.net else {
                return None;
            };
            (subnet.index == index).then_some(net.addr())
        });
        subnets.max_by_key(Ipv6Addr::is_unicast_link_local)
    }

    /// Whether it is on a subnet of an interface, and VLAN, that is up.
    pub(super) fn is_reachable(&self, address: IpAddr) -> bool {
        self.subnet(address).is_some_and(|(_, subnet)| subnet.is_up)
    }

    /// Returns the index of the interface that the address is reached through; 0 if there is none.
    pub(super) fn interface_of(&self, address: IpAddr) -> u32 {
        self.on_link(address).map_or(0, |interface| interface.index)
    }

    /// Returns the index of the interface that has its neighbour: a VLAN's, if it is in one. None while that is down.
    pub(super) fn neighbour_interface(&self, address: IpAddr) -> Option<u32> {
        let (_, subnet) = self.subnet(address)?;
        subnet.is_up.then_some(subnet.index)
    }

    /// Returns the VLAN of that interface's that it is in.
    pub(super) fn vlan_of(&self, address: IpAddr) -> VlanId {
        self.subnet(address)
            .map_or(VlanId::NONE, |(_, subnet)| subnet.vlan)
    }

    pub(super) fn on_link(&self, address: IpAddr) -> Option<&Interface> {
        self.subnet(address).map(|(interface, _)| interface)
    }

    fn subnet(&self, address: IpAddr) -> Option<(&Interface, &Subnet)> {
        let mut subnets = self.subnets.iter();
        let (interface, subnet) = subnets.find(|(_, subnet)| subnet.net.contains(&address))?;
        Some((&self.interfaces[*interface], subnet))
    }

    /// Checks that a real server can be one.
    pub(super) fn check_real(&self, address: IpAddr) -> Result<()> {
        if self.own.contains(&address) {
            bail!("real server {address} is this director itself");
        }
        if let Some((_, Subnet { net, .. })) = self.subnet(address) {
            // RFC 3021: a subnet of two has neither. Nor has one of IPv6; its routers' anycast
            // address, the first (RFC 4291 section 2.6.1), is no more a real server's.
            let is_a_hosts = match net {
                IpNet::V4(net) if net.prefix_len() > 30 => true,
                IpNet::V4(_) => net.network() != address && net.broadcast() != address,
                IpNet::V6(net) => net.prefix_len() > 126 || net.network() != address,
            };
            ensure!(
                is_a_hosts,
                "real server {address} is the {} address of {net}; give a host's",
                if net.network() == address {
                    "network"
                } else {
                    "broadcast"
                },
                net = net.trunc()
            );
            return Ok(());
        }
        let links: Vec<String> = self.interfaces.iter().map(describe).collect();
        bail!(
            "real server {address} is not on the link of {}; direct routing reaches it by its MAC alone",
            links.join(" or ")
        )
    }

    /// Has the kernel resolve the real servers whose MAC is not known.
    pub(super) async fn probe_unresolved(&self, netlink: &Handle) {
        self.probe(netlink, |_| false).await;
    }

    /// Has the kernel ask again for those it has just called unresolved.
    pub(super) async fn probe_suspects(&self, netlink: &Handle) {
        for &address in &self.suspects {
            self.probe_one(netlink, address).await;
        }
    }

    /// Has the kernel check all of them.
    pub(super) async fn probe_all(&self, netlink: &Handle) {
        self.probe(netlink, |_| true).await;
    }

    /// Resolves what is not, and checks what is, a part at each tick: nothing else is done meanwhile.
    pub(super) async fn look_after(&self, netlink: &Handle, ticks: u64) {
        let is_due = |i: usize| i as u64 % REFRESH == ticks % REFRESH;
        self.probe(netlink, is_due).await;
    }

    /// Probes those that are unresolved, and those that are due, by their order.
    async fn probe(&self, netlink: &Handle, is_due: impl Fn(usize) -> bool) {
        for (i, &address) in self.watched.iter().enumerate() {
            if is_due(i) || self.mac(address).is_none() {
                self.probe_one(netlink, address).await;
            }
        }
    }

    async fn probe_one(&self, netlink: &Handle, address: IpAddr) {
        if self.permanent.contains(&address) {
            return;
        }
        let Some((_, subnet)) = self.subnet(address) else {
            return;
        };
        if let Err(error) = net::neighbours::probe(netlink, subnet.index, address).await {
            tracing::debug!("{error:#}");
        }
    }
}
