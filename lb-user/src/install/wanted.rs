//! A service as it should be.

use std::{iter, net::IpAddr};

use lb_common::wire::{MacAddr, VlanId};

use crate::{
    scheduler::{Flag, Scheduler},
    service::{ServiceName, Transport},
};

/// A service as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub name: ServiceName,
    /// What else its clients connect to: the VIPs are of one version.
    pub also: Vec<ServiceName>,
    pub scheduler: Scheduler,
    pub flags: Vec<Flag>,
    pub policy: Policy,
    pub members: Vec<WantedMember>,
}

impl Wanted {
    /// All that its clients connect to.
    pub fn destinations(&self) -> impl Iterator<Item = ServiceName> + Clone {
        iter::once(self.name).chain(self.also.iter().copied())
    }

    /// Whether all of its flows are of datagrams.
    pub(super) fn is_udp(&self) -> bool {
        self.destinations().all(|it| it.protocol == Transport::Udp)
    }

    /// Whether every flow has a record.
    pub(super) fn is_tracked(&self) -> bool {
        let counts = self.members.iter().any(|it| it.thresholds.upper > 0);
        let (policy, scheduler) = (&self.policy, self.scheduler);
        policy.tracks(scheduler, self.destinations(), counts)
    }
}

/// How a service treats flows, but for spreading new ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Drop, not refuse, when no member is eligible.
    pub drops: bool,
    pub persistence: Option<Persistence>,
    /// Datagrams have no records.
    pub one_packet: bool,
    /// Clients that come back are not sent to a member of weight 0.
    pub expire_quiescent: bool,
    /// A removed member's flows do not go on.
    pub expire_nodest: bool,
}

impl Policy {
    /// Whether every flow of a service has a record; `counts`, if it goes by their number.
    ///
    /// A datagram does not tell whether it begins a flow: only a record can. A persistent service's
    /// flow tells that its client is still there, and flows that are counted are recorded.
    pub fn tracks(
        &self,
        scheduler: Scheduler,
        mut destinations: impl Iterator<Item = ServiceName>,
        counts: bool,
    ) -> bool {
        let is_recorded = !scheduler.is_hashed()
            || destinations.any(|it| it.protocol == Transport::Udp)
            || self.persistence.is_some()
            || counts;
        is_recorded && !self.one_packet
    }
}

/// Clients come back to the member they were last sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persistence {
    pub seconds: u32,
    /// How much of a client's address counts.
    pub prefix: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedMember {
    pub address: IpAddr,
    pub weight: u32,
    pub thresholds: Thresholds,
    pub standing: Standing,
    /// Index of the interface it is reached through, and the VLAN there.
    pub interface: u32,
    pub vlan: VlanId,
    /// Its MAC, if its neighbour is resolved: else it takes no new flows.
    pub mac: Option<MacAddr>,
}

/// Whether a member can serve, as far as anybody has looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    #[default]
    Up,
    /// It takes no new flows, and keeps those it has.
    Inhibited,
    /// It has no flows any more: their clients are to connect anew.
    Down,
}

/// A member that has so many flows takes no new ones until it has few enough again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thresholds {
    /// 0 is none.
    pub upper: u32,
    /// 0: three quarters of the upper one, as in IPVS (`l_threshold_val` in ip_vs_ctl.c).
    pub lower: u32,
}

impl Thresholds {
    /// Whether a member is overloaded that was, or was not (`__ip_vs_dest_update_overload`).
    pub(super) fn is_exceeded(self, flows: u64, was: bool) -> bool {
        let lower = match self.lower {
            0 => u64::from(self.upper) * 3 / 4,
            lower => lower.into(),
        };
        self.upper != 0 && (flows >= self.upper.into() || was && flows >= lower)
    }
}
