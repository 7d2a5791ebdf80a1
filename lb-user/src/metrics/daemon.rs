//! Of the daemon, its tables, its interfaces and its LAN.

use std::fmt;

use prometheus_client::registry::Unit;

use super::{
    Snapshot,
    families::{Families, NONE},
    timestamp,
};
use crate::api::{State, Used};

pub(super) fn encode(families: &mut Families<'_>, snapshot: &Snapshot) -> fmt::Result {
    tables(families, snapshot)?;
    packets(families, snapshot)?;
    interfaces(families, snapshot)?;
    lan(families, snapshot)?;
    configuration(families, snapshot)
}

fn tables(families: &mut Families<'_>, snapshot: &Snapshot) -> fmt::Result {
    let (status, figures) = (&snapshot.status, &snapshot.figures);
    let tables: [(&str, &str, &Used, &str); 4] = [
        (
            "flows",
            "Records in the flow table at the last sweep, persistent clients included.",
            &status.flows,
            "Records that the flow table holds at the most.",
        ),
        (
            "services",
            "VIPs and ports in the tables.",
            &status.services,
            "VIPs and ports that the tables hold at the most.",
        ),
        (
            "members",
            "Members in the tables, removed ones that drain included.",
            &status.members,
            "Members that the tables hold at the most.",
        ),
        (
            "slots",
            "Slots that services have taken.",
            &figures.slots,
            "Slots that there are for all services.",
        ),
    ];
    for (name, help, Used { used, most }, help_most) in tables {
        families.gauge((name, None, help), [(NONE, *used)])?;
        let name = format!("{name}_max");
        families.gauge((&name, None, help_most), [(NONE, *most)])?;
    }
    families.gauge(
        (
            "map_memory",
            Some(Unit::Bytes),
            "Memory of the tables in the kernel, counters aside.",
        ),
        [(NONE, status.memory)],
    )?;
    families.gauge(
        (
            "sweep_duration",
            Some(Unit::Seconds),
            "How long the last sweep over the flow records took.",
        ),
        [(NONE, figures.sweep.as_secs_f64())],
    )
}

fn packets(families: &mut Families<'_>, snapshot: &Snapshot) -> fmt::Result {
    let reasons = snapshot.status.reasons.iter().map(|(name, it)| {
        let labels = [("reason", name.as_str()), ("fate", it.fate.as_str())];
        (labels, it.packets)
    });
    families.counter(
        (
            "not_forwarded_packets",
            None,
            "Packets that were not forwarded, by why: left to this host (pass), or dropped (drop).",
        ),
        reasons,
    )
}

fn interfaces(families: &mut Families<'_>, snapshot: &Snapshot) -> fmt::Result {
    let interfaces = snapshot.status.interfaces.iter();
    let is_up = |xdp: &str| !["down", "missing"].contains(&xdp);
    families.gauge(
        (
            "interface_up",
            None,
            "Whether the interface is there and up: 1 or 0.",
        ),
        interfaces.clone().map(|it| {
            let labels = [("interface", it.name.as_str())];
            (labels, u32::from(is_up(&it.xdp)))
        }),
    )?;
    families.gauge(
        (
            "interface_info",
            None,
            "Where the program runs on the interface: native or generic, or else what is wrong (xdp).",
        ),
        interfaces.map(|it| {
            let mac = it.mac.as_deref().unwrap_or_default();
            let labels = [("interface", &*it.name), ("xdp", &it.xdp), ("mac", mac)];
            (labels, 1_u32)
        }),
    )
}

fn lan(families: &mut Families<'_>, snapshot: &Snapshot) -> fmt::Result {
    let Used { used, most } = snapshot.figures.neighbours;
    families.gauge(
        (
            "neighbours",
            None,
            "Real servers, each counted once, sorry servers included.",
        ),
        [(NONE, most)],
    )?;
    families.gauge(
        ("neighbours_resolved", None, "Those whose MAC is known."),
        [(NONE, used)],
    )?;
    let leaks = snapshot.status.leaks.iter().map(|leak| {
        let reals: Vec<String> = leak.real.iter().map(ToString::to_string).collect();
        let labels = [
            ("vip", leak.vip.to_string()),
            ("mac", leak.mac.clone()),
            ("real", reals.join(",")),
            ("interface", leak.interface.clone()),
        ];
        (labels, 1_u32)
    });
    families.gauge(
        (
            "vip_leak",
            None,
            "1 for each other host that says to have a VIP: a real server (real), or a stranger.",
        ),
        leaks,
    )?;
    families.counter(
        (
            "vip_leak_unlisted",
            None,
            "How often such was heard of hosts that are not listed, as they are too many.",
        ),
        [(NONE, snapshot.status.leaks_more)],
    )
}

fn configuration(families: &mut Families<'_>, snapshot: &Snapshot) -> fmt::Result {
    let (status, figures) = (&snapshot.status, &snapshot.figures);
    families.gauge(
        ("build_info", None, "The daemon's version."),
        [([("version", status.version.as_str())], 1_u32)],
    )?;
    families.gauge(
        (
            "config_last_reload_successful",
            None,
            "Whether the last reload of the file was good: 1 or 0.",
        ),
        [(NONE, u32::from(figures.reloaded))],
    )?;
    families.gauge(
        (
            "config_last_reload_success_timestamp",
            Some(Unit::Seconds),
            "When the file was last read or written with success.",
        ),
        [(NONE, timestamp(figures.in_force))],
    )?;
    families.gauge(
        (
            "unconfirmed_change",
            None,
            "Whether a change waits to be confirmed: 1 or 0.",
        ),
        [(NONE, u32::from(status.unconfirmed.is_some()))],
    )?;
    families.gauge(
        (
            "unconfirmed_change",
            Some(Unit::Seconds),
            "Until that change is taken back; 0 if there is none.",
        ),
        [(NONE, status.unconfirmed.unwrap_or_default())],
    )?;
    let changes = State::ALL.iter().zip(figures.state_changes);
    families.counter(
        (
            "state_changes",
            None,
            "How often a real server of a service has come into the state since the daemon started.",
        ),
        changes.map(|(state, count)| ([("state", state.name())], count)),
    )
}
