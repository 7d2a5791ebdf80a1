//! Of each service.

use std::fmt;

use lb_common::tables::Counters;
use prometheus_client::registry::Unit;

use super::families::{Families, Read};
use crate::api::ServiceReport;

type One = (ServiceReport, Counters);

pub(super) fn encode(families: &mut Families<'_>, services: &[One]) -> fmt::Result {
    let names: Vec<String> = services
        .iter()
        .map(|(report, _)| report.service.to_string())
        .collect();
    let samples = |value: fn(&One) -> u64| {
        let values = names.iter().zip(services);
        values.map(move |(name, one)| ([("service", name.as_str())], value(one)))
    };
    let counters: [Read<'_, One, u64>; 3] = [
        (
            (
                "service_packets",
                None,
                "Packets forwarded to the service's members, those that are gone included.",
            ),
            |(_, counted)| counted.packets,
        ),
        (
            (
                "service",
                Some(Unit::Bytes),
                "Octets of these packets, from the Ethernet header to the end of the IP packet.",
            ),
            |(_, counted)| counted.bytes,
        ),
        (
            (
                "service_connections",
                None,
                "Connections that began, or first datagrams of flows.",
            ),
            |(_, counted)| counted.flows,
        ),
    ];
    for (named, value) in counters {
        families.counter(named, samples(value))?;
    }
    let gauges: [Read<'_, One, u64>; 6] = [
        (
            (
                "service_members",
                None,
                "Members, the sorry server and removed ones that drain included.",
            ),
            |(report, _)| report.reals.len() as u64,
        ),
        (
            (
                "service_quorum",
                None,
                "Weight that the service needs of real servers that can serve.",
            ),
            |(report, _)| report.quorum.into(),
        ),
        (
            (
                "service_has_quorum",
                None,
                "Whether the service has its quorum: 1 or 0.",
            ),
            |(report, _)| report.has_quorum.into(),
        ),
        (
            ("service_slots", None, "Slots of the service's table."),
            |(report, _)| report.slots.into(),
        ),
        (
            (
                "service_slots_moving",
                None,
                "Slots whose new connections go to another member than the older ones, after a change.",
            ),
            |(report, _)| report.slots_moving.into(),
        ),
        (
            (
                "service_slots_exceptions",
                None,
                "Slots with connections whose records are looked up first, as they stay with another member.",
            ),
            |(report, _)| report.slots_exceptions.into(),
        ),
    ];
    for (named, value) in gauges {
        families.gauge(named, samples(value))?;
    }
    Ok(())
}
