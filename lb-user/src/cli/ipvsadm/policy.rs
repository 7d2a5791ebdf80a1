//! What ipvsadm writes behind a service's name.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr},
};

use crate::{api::ServiceReport, scheduler::listed};

/// Scheduler, flags, persistence, mask and one-packet scheduling.
pub(super) fn policy(report: &ServiceReport) -> String {
    let mut text = report.scheduler.to_string();
    // Writing to a string does not fail.
    if !report.flags.is_empty() {
        let _ = write!(text, " ({})", listed(&report.flags));
    }
    if report.policy.persistence != 0 {
        let _ = write!(text, " persistent {}", report.policy.persistence);
        if let Some(mask) = mask(report) {
            let _ = write!(text, " mask {mask}");
        }
    }
    if report.policy.one_packet {
        text.push_str(" ops");
    }
    text
}

/// The mask of persistent clients, unless it is all of an address: IPv4's with dots, IPv6's a prefix length.
pub(super) fn mask(report: &ServiceReport) -> Option<String> {
    let prefix = report.policy.persistence_prefix;
    match report.service.vip {
        IpAddr::V4(_) if (1..32).contains(&prefix) => {
            let mask = u32::MAX << (32 - prefix);
            Some(Ipv4Addr::from_bits(mask).to_string())
        }
        IpAddr::V6(_) if prefix < 128 => Some(prefix.to_string()),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}
