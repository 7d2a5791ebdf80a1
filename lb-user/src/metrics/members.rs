//! Of each member: a real server within a service.

use std::fmt;

use lb_common::tables::Counters;
use prometheus_client::registry::Unit;

use super::{
    MEMBERS_MAX,
    families::{Families, NONE, Read},
    timestamp,
};
use crate::api::{CheckReport, RealReport, ServiceReport, State};

/// A member, and its labels: service and real server.
type One<'a> = ([(&'static str, &'a str); 2], &'a RealReport);

pub(super) fn encode(
    families: &mut Families<'_>,
    services: &[(ServiceReport, Counters)],
) -> fmt::Result {
    let reports = services.iter().map(|(report, _)| report);
    let names: Vec<(String, Vec<String>)> = reports
        .clone()
        .map(|report| {
            let reals = report.reals.iter().map(|real| real.address.to_string());
            (report.service.to_string(), reals.collect())
        })
        .collect();
    let members = reports
        .clone()
        .zip(&names)
        .flat_map(|(report, (service, reals))| {
            let labels = |real| [("service", service.as_str()), ("real", real)];
            let reals = reals.iter().map(move |real| labels(real.as_str()));
            reals.zip(&report.reals)
        });
    let told: Vec<One<'_>> = members.take(MEMBERS_MAX).collect();
    let all: usize = reports.map(|report| report.reals.len()).sum();
    families.gauge(
        (
            "members_omitted",
            None,
            "Members that have no series of their own here, as they are too many.",
        ),
        [(NONE, all - told.len())],
    )?;
    counters(families, &told)?;
    connections(families, &told)?;
    states(families, &told)?;
    checks(families, &told)?;
    words(families, &told)
}

fn counters(families: &mut Families<'_>, members: &[One<'_>]) -> fmt::Result {
    let counters: [Read<'_, RealReport, u64>; 3] = [
        (
            (
                "member_packets",
                None,
                "Packets forwarded to the real server for the service.",
            ),
            |it| it.packets,
        ),
        (
            (
                "member",
                Some(Unit::Bytes),
                "Octets of these packets, from the Ethernet header to the end of the IP packet.",
            ),
            |it| it.bytes,
        ),
        (
            (
                "member_connections",
                None,
                "Connections that began at the real server, or first datagrams of flows.",
            ),
            |it| it.connections,
        ),
    ];
    for (named, value) in counters {
        families.counter(named, members.iter().map(|&(it, real)| (it, value(real))))?;
    }
    Ok(())
}

fn connections(families: &mut Families<'_>, members: &[One<'_>]) -> fmt::Result {
    let gauges: [Read<'_, RealReport, Option<u64>>; 4] = [
        (
            (
                "member_active_connections",
                None,
                "Established connections, as IPVS counts them, at the last sweep; none told where flows have no records.",
            ),
            |it| it.active,
        ),
        (
            (
                "member_inactive_connections",
                None,
                "Other connections and flows of datagrams at the last sweep; none told where flows have no records.",
            ),
            |it| it.inactive,
        ),
        (
            (
                "member_persistent_clients",
                None,
                "Clients that come back to the real server, at the last sweep.",
            ),
            |it| Some(it.persistent),
        ),
        (
            (
                "member_weight",
                None,
                "Weight as configured; of a sorry server 1 while it takes new connections, of one that drains 0.",
            ),
            |it| Some(it.weight.into()),
        ),
    ];
    for (named, value) in gauges {
        let samples = members.iter();
        let samples = samples.filter_map(|&(it, real)| Some((it, value(real)?)));
        families.gauge(named, samples)?;
    }
    Ok(())
}

fn states(families: &mut Families<'_>, members: &[One<'_>]) -> fmt::Result {
    let each = members.iter().flat_map(|&(it, real)| {
        State::ALL.map(|state| {
            let is_it = u32::from(state == real.state);
            ((it, [("state", state.name())]), is_it)
        })
    });
    families.gauge(
        (
            "member_state",
            None,
            "The state of the real server in the service: 1 for the one that it has, 0 for all others.",
        ),
        each,
    )?;
    let since = members.iter().filter_map(|&(it, real)| {
        let since = humantime::parse_rfc3339(&real.since).ok()?;
        Some((it, timestamp(since)))
    });
    families.gauge(
        (
            "member_state_since_timestamp",
            Some(Unit::Seconds),
            "When the real server came into the state that it has.",
        ),
        since,
    )
}

fn checks(families: &mut Families<'_>, members: &[One<'_>]) -> fmt::Result {
    let gauges: [Read<'_, CheckReport, f64>; 3] = [
        (
            (
                "member_check_good",
                None,
                "Whether the last check of the real server was good: 1 or 0.",
            ),
            |it| it.is_good.into(),
        ),
        (
            (
                "member_check_duration",
                Some(Unit::Seconds),
                "How long the last check took.",
            ),
            |it| it.milliseconds as f64 / 1e3,
        ),
        (
            (
                "member_check_age",
                Some(Unit::Seconds),
                "How long ago the last check ended.",
            ),
            |it| it.seconds_ago as f64,
        ),
    ];
    for (named, value) in gauges {
        let checked = members.iter();
        let checked = checked.filter_map(|&(it, real)| Some((it, value(real.check.as_ref()?))));
        families.gauge(named, checked)?;
    }
    Ok(())
}

/// What clients' connections tell, and the real servers themselves.
fn words(families: &mut Families<'_>, members: &[One<'_>]) -> fmt::Result {
    let unanswered = members
        .iter()
        .filter_map(|&(it, real)| Some((it, real.unanswered?)));
    families.counter(
        (
            "member_unanswered_connections",
            None,
            "Connections that the real server left without an answer for 3 seconds; none told where flows have no records.",
        ),
        unanswered,
    )?;
    let percent = members
        .iter()
        .filter_map(|&(it, real)| Some((it, f64::from(real.agent.as_ref()?.percent) / 100.0)));
    families.gauge(
        (
            "member_agent_weight_ratio",
            None,
            "Part of its weight that the real server's agent says it can take.",
        ),
        percent,
    )
}
