//! What the LAN answers: leaks, strangers, and real servers' MACs.

use std::fs;

use anyhow::Result;

use crate::{
    director::site,
    patient::{CONFIG, Fault, Role::Director as ROLE, VIP, VIP6, file, is_sound, lab},
};

/// Of somebody else's doing.
fn fault<'a>(harm: &str, finding: (&'a str, &'a str, &'a str), undo: Option<&'a str>) -> Fault<'a> {
    let (id, severity, subject) = finding;
    Fault {
        host: "director",
        role: ROLE,
        harm: harm.to_owned(),
        id,
        severity,
        subject,
        undo,
    }
}

#[test]
fn who_else_answers_for_the_vip_is_found() -> Result<()> {
    let (lab, _daemon) = site()?;
    // By its own companion's absence, which the command on that host ends.
    let server2 = format!("nsenter --net=/run/netns/{}-server2", lab.id());
    let detach = format!(
        "drover realserver detach --pins {} && {server2} ip addr add {VIP}/32 dev lo",
        lab.host("server2").pins().display()
    );
    let detach = format!("{server2} env PATH=$PATH {detach}");
    fault(&detach, ("vip-leak", "error", VIP), None).is_found_and_mended(&lab)?;
    let client = format!("nsenter --net=/run/netns/{}-client", lab.id());
    let add = format!("{client} ip addr add {VIP}/32 dev lo");
    let del = format!("{client} ip addr del {VIP}/32 dev lo");
    fault(&add, ("vip-leak", "error", VIP), Some(&del)).is_found_and_mended(&lab)
}

#[test]
fn who_answers_for_a_vip_of_ipv6_is_found() -> Result<()> {
    let lab = lab()?;
    let director = lab.host("director");
    let config = CONFIG
        .replace("10.4.0.100", &format!("[{VIP6}]"))
        .replace("10.4.0.", "2001:db8:4::");
    fs::write(file(director, ROLE), config)?;
    for (name, last) in [("director", 5), ("server2", 2), ("server3", 3)] {
        lab.host(name)
            .sh(&format!("ip addr add 2001:db8:4::{last}/64 dev eth0 nodad"))?;
    }
    is_sound(director, ROLE)?;
    let server2 = format!("nsenter --net=/run/netns/{}-server2", lab.id());
    let add = format!("{server2} ip addr add {VIP6}/128 dev eth0 nodad");
    sh_fault(
        &lab,
        &add,
        &format!("{server2} ip addr del {VIP6}/128 dev eth0"),
    )
}

/// The command is for a host that has IPv4 alone in its file, so it is undone by hand.
fn sh_fault(lab: &tests::Lab, harm: &str, undo: &str) -> Result<()> {
    let director = lab.host("director");
    director.sh(harm)?;
    let found = crate::patient::findings(director, ROLE)?;
    let leak = found.iter().find(|it| it["id"] == "vip-leak");
    let leak = leak.expect("it is asked for");
    assert_eq!(leak["severity"], "error", "{leak}");
    assert_eq!(leak["fix_on"], "2001:db8:4::2", "{leak}");
    director.sh(undo)?;
    is_sound(director, ROLE)
}

#[test]
fn real_servers_without_a_mac_or_with_two_are_found() -> Result<()> {
    let (lab, _daemon) = site()?;
    let [client, server3] =
        ["client", "server3"].map(|name| format!("nsenter --net=/run/netns/{}-{name}", lab.id()));
    fault(
        &format!("{server3} ip link set eth0 down"),
        ("rip-mac", "warning", "10.4.0.3"),
        Some(&format!("{server3} ip link set eth0 up")),
    )
    .is_found_and_mended(&lab)?;
    fault(
        &format!("{client} ip addr add 10.4.0.2/32 dev lo"),
        ("rip-twice", "error", "10.4.0.2"),
        Some(&format!("{client} ip addr del 10.4.0.2/32 dev lo")),
    )
    .is_found_and_mended(&lab)
}
