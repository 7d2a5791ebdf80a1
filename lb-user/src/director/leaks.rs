//! Other hosts that say to have a VIP: real servers that leak, other directors, strangers. They are heard,
//! asked for, told once, and remembered for as long as they go on.

use std::{
    collections::HashSet,
    net::IpAddr,
    time::{Duration, Instant},
};

use anyhow::Result;
use lb_common::wire::MacAddr;

use super::{
    engine::Engine,
    heard::{Leak, Pair, Port},
    vips,
};
use crate::{
    api::{
        LeakReport,
        events::{Event, What},
    },
    config::director::{Service, VipMode},
    net::{claims::Claim, links},
};

/// One that so many questions have not brought up is over.
const QUESTIONS: u32 = 5;
/// The same, if none are asked.
const OVER: Duration = Duration::from_secs(300);

impl Engine {
    /// Finds where VIPs may be said to be elsewhere, and which are this director's.
    pub(super) async fn look_out(&mut self) -> Result<()> {
        let links = links::list(&self.netlink).await?;
        let is_listed = |name: &str| self.config.interfaces.iter().any(|it| it == name);
        let listed = links.iter().filter(|link| is_listed(&link.name));
        let listed: HashSet<u32> = listed.map(|link| link.index).collect();
        let is_port = |index: u32| listed.contains(&index);
        let ports = links
            .iter()
            .filter(|link| is_port(link.index) || link.vlan_of.is_some_and(is_port));
        self.leaks.ports = ports
            .filter_map(|link| {
                let port = Port {
                    name: link.name.clone(),
                    mac: link.mac?,
                    source: self.neighbours.ipv6_of(link.index),
                };
                Some((link.index, port))
            })
            .collect();
        self.leaks.own = links.iter().filter_map(|link| link.mac).collect();
        let services = self.config.services.iter();
        let vips = services.flat_map(Service::destinations).map(|it| it.vip);
        let held: HashSet<IpAddr> = match self.config.vip {
            VipMode::Own => vips.clone().collect(),
            VipMode::External => vips::everywhere(&self.netlink)
                .await?
                .into_iter()
                .map(|(_, address)| address)
                .collect(),
        };
        self.leaks
            .look(vips.map(|vip| (vip, held.contains(&vip))).collect());
        Ok(())
    }

    /// Takes up who says to have which address.
    pub(super) fn heard(&mut self, claims: &[Claim]) {
        let now = Instant::now();
        for &claim in claims {
            let Claim { address, mac, .. } = claim;
            if !self.leaks.vips.contains_key(&address) {
                continue;
            }
            let real = self.neighbours.reals_at(mac);
            if !self.leaks.hear(claim, !real.is_empty(), now) {
                continue;
            }
            let interface = self.leaks.pairs[&(address, mac)].interface.clone();
            tracing::warn!(
                "{address} is also at {mac} on {interface}: {}",
                whose(mac, &real)
            );
            self.events.send(Event::now(What::Leak {
                vip: address,
                mac: mac.to_string(),
                real,
                interface,
            }));
        }
    }

    /// Asks for the VIPs whose turn it is, and ends what is over.
    pub(super) fn check_leaks(&mut self, ticks: u64) {
        let period = self.config.leak_check;
        let after = match period {
            0 => OVER,
            period => Duration::from_secs(u64::from(period)) * QUESTIONS,
        };
        for ((vip, mac), interface) in self.leaks.end(after, Instant::now()) {
            tracing::info!("{vip} is not at {mac} on {interface} any more");
            self.events.send(Event::now(What::LeakOver {
                vip,
                mac: mac.to_string(),
                real: self.neighbours.reals_at(mac),
                interface,
            }));
        }
        // By the second tick, who answers is known for a real server.
        if period > 0 && ticks > 1 {
            self.leaks.ask(period.into(), ticks);
        }
    }

    /// Those that go on, and how often others were heard.
    pub(super) fn leaks(&self) -> (Vec<LeakReport>, u64) {
        let time = |time| humantime::format_rfc3339_seconds(time).to_string();
        let pairs = self.leaks.pairs.iter();
        let report = |(&(vip, mac), leak): (&Pair, &Leak)| LeakReport {
            vip,
            mac: mac.to_string(),
            real: self.neighbours.reals_at(mac),
            interface: leak.interface.clone(),
            since: time(leak.since),
            last_seen: time(leak.seen),
            count: leak.count,
        };
        let going_on = pairs.filter(|(_, leak)| !leak.is_over).map(report);
        (going_on.collect(), self.leaks.more)
    }
}

fn whose(mac: MacAddr, real: &[IpAddr]) -> String {
    let real: Vec<String> = real.iter().map(ToString::to_string).collect();
    match real.as_slice() {
        [] if mac.is_virtual_router() => "a virtual router's MAC (VRRP) of another host".to_owned(),
        [] => "no real server's MAC; another director, or a stranger".to_owned(),
        real => format!(
            "real server {} answers for the VIP; see `drover realserver status` there",
            real.join(", ")
        ),
    }
}
