//! Asks the LAN who has the VIPs and the real servers' addresses, and hears who says so.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use anyhow::Result;
use futures_util::StreamExt as _;
use lb_common::wire::MacAddr;
use tokio::time::{Instant, timeout_at};

use super::{seen::Seen, site::Site};
use crate::{
    cli::progress::Progress,
    net::{
        Handle, announce, ask,
        claims::{self, Claim},
        links::Link,
        neighbours::{self, State},
    },
};

/// Addresses that are asked for: each question is a frame to all hosts.
pub(super) const ASKED_MAX: usize = 1024;
/// Questions for each: one may be lost.
const TIMES: usize = 3;
/// After each question.
const PATIENCE: Duration = Duration::from_millis(250);

#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Why nobody could be asked.
    pub(super) error: Option<String>,
    /// Who says to have what: address, interface, MAC.
    pub(super) claims: BTreeSet<(IpAddr, u32, MacAddr)>,
    /// Neighbours that an operator has set for good.
    pub(super) permanent: BTreeSet<IpAddr>,
    pub(super) asked: BTreeSet<IpAddr>,
}

impl Heard {
    pub(super) async fn listen(
        site: &Site,
        seen: &Seen,
        netlink: &Handle,
        progress: &Progress,
    ) -> Self {
        let mut heard = Self::default();
        if let Err(error) = heard.ask_all(site, seen, progress).await {
            heard.error = Some(format!("{error:#}"));
        }
        let known = neighbours::list(netlink).await.unwrap_or_default();
        let permanent = known
            .iter()
            .filter(|it| matches!(it.state, State::Permanent(_)));
        heard.permanent = permanent.map(|it| it.address).collect();
        heard
    }

    async fn ask_all(&mut self, site: &Site, seen: &Seen, progress: &Progress) -> Result<()> {
        let ports = seen.ports(site);
        // A real server where it belongs, as proxies may answer elsewhere; a VIP everywhere.
        let reals = site.reals.iter().filter_map(|&rip| {
            let port = seen.port_of(site, rip)?;
            Some((rip, vec![port]))
        });
        let vips = site.vips.iter().map(|&vip| (vip, ports.clone()));
        let questions: Vec<(IpAddr, Vec<&Link>)> = reals.chain(vips).take(ASKED_MAX).collect();
        self.asked = questions.iter().map(|(address, _)| *address).collect();
        if let Some((first, _)) = questions.first() {
            let more = match questions.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            progress.now(&format!("asking the LAN who has {first}{more}"));
        }
        let socket = announce::open()?;
        let mut claims = claims::listen()?;
        for _ in 0..TIMES {
            for (address, ports) in &questions {
                for port in ports {
                    let Some(mac) = port.mac else { continue };
                    // What cannot be sent is not answered.
                    let _ = ask::ask(&socket, (port.index, mac), source(port, seen), *address);
                }
            }
            let deadline = Instant::now() + PATIENCE;
            while let Ok(Some(claim)) = timeout_at(deadline, claims.next()).await {
                let Claim {
                    interface,
                    address,
                    mac,
                } = claim;
                if self.asked.contains(&address) {
                    self.claims.insert((address, interface, mac));
                }
            }
        }
        Ok(())
    }

    /// The MACs that an address is at by other hosts' word, with the interfaces they were heard on.
    pub(super) fn of(&self, address: IpAddr, seen: &Seen) -> Vec<(u32, MacAddr)> {
        let its = self.claims.iter().filter(|(of, _, _)| *of == address);
        let others = its.filter(|(_, _, mac)| !seen.links.iter().any(|it| it.mac == Some(*mac)));
        others
            .map(|(_, interface, mac)| (*interface, *mac))
            .collect()
    }
}

/// In whose name IPv6 is asked.
fn source(port: &Link, seen: &Seen) -> Option<Ipv6Addr> {
    let usable = seen.addresses_of(port.index).filter(|it| !it.is_secondary);
    let addresses = usable.filter_map(|it| it.ipv6()).map(|net| net.addr());
    addresses.max_by_key(Ipv6Addr::is_unicast_link_local)
}
