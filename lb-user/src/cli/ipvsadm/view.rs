//! Services and real servers as ipvsadm lists them: in its order, and under its names.

use std::net::IpAddr;

use super::{names::Names, said::Target, site};
use crate::{
    api::{RealReport, ServiceReport, State},
    config::fwmarks::Fwmarks,
    service::PortRange,
};

pub(super) struct View<'r> {
    pub(super) report: &'r ServiceReport,
    /// None of one with a range of ports, which ipvsadm has no name for.
    pub(super) target: Option<Target>,
    pub(super) reals: Vec<&'r RealReport>,
}

/// Returns what there is to list; by protocols, addresses and ports, if `is_sorted`, as IPVS's are
/// (`ipvs_cmp_services` in libipvs.c), or in the order of the file.
pub(super) fn views<'r>(
    reports: &'r [ServiceReport],
    marks: &Fwmarks,
    is_sorted: bool,
) -> Vec<View<'r>> {
    let view = |report: &'r ServiceReport| {
        let mut reals: Vec<_> = report.reals.iter().filter(|real| is_listed(real)).collect();
        if is_sorted {
            reals.sort_by_key(|real| real.address);
        }
        View {
            report,
            target: site::target(&report.listen, marks),
            reals,
        }
    };
    let mut views: Vec<View<'_>> = reports.iter().map(view).collect();
    if is_sorted {
        views.sort_by_key(|view| {
            let name = view.report.service;
            let at = (name.protocol, name.vip, name.ports);
            (view.mark(), name.vip.is_ipv6(), at)
        });
    }
    views
}

/// A sorry server is one only while it takes connections; one that drains has been removed.
fn is_listed(real: &RealReport) -> bool {
    real.state != State::Draining && (!real.is_sorry || real.weight > 0)
}

impl View<'_> {
    /// 0 if it has none.
    fn mark(&self) -> u32 {
        match self.target {
            Some(Target::Mark { mark, .. }) => mark,
            Some(Target::At { .. }) | None => 0,
        }
    }

    /// Writes the service's name behind its protocol's, or a rule's option, of which `mark` is that of a mark.
    pub(super) fn name(&self, names: &mut Names, (mark, ipv6): (&str, &str)) -> String {
        let name = self.report.service;
        match self.target {
            Some(Target::Mark { mark: of, is_ipv6 }) => {
                let version = if is_ipv6 { ipv6 } else { "" };
                format!("{mark}{of}{version}")
            }
            Some(Target::At { vip, port, .. }) => names.at(vip, port, name.protocol),
            None => names.of_range(name.vip, name.ports),
        }
    }

    /// Writes a real server with its port: the service's, or 0 if there are several.
    pub(super) fn real(&self, names: &mut Names, address: IpAddr) -> String {
        let name = self.report.service;
        match self.target {
            Some(Target::Mark { .. }) => names.at(address, 0, name.protocol),
            Some(Target::At { port, .. }) => names.at(address, port, name.protocol),
            None => names.of_range(address, name.ports),
        }
    }

    /// Whether a rule can say all that there is of it.
    pub(super) fn is_sayable(&self) -> bool {
        let report = self.report;
        match self.target {
            Some(Target::Mark { .. }) => true,
            Some(Target::At { .. }) => {
                let is_any = report.service.ports == PortRange::ANY;
                report.listen.len() == 1 && (!is_any || report.policy.persistence > 0)
            }
            None => false,
        }
    }
}
