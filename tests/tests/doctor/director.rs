//! A director: before it is set up, as it should be, and with each fault.

use std::fs;

use anyhow::{Context as _, Result};
use tests::{Director, Host, Lab};

use crate::patient::{
    CONFIG, Fault, Role::Director as ROLE, VIP, attach, doctor, file, findings, is_sound, lab, told,
};

/// A director's daemon in front of two real servers.
pub(crate) fn site() -> Result<(Lab, Director)> {
    let lab = lab()?;
    attach(&lab)?;
    let daemon = lab.host("director").director(CONFIG)?;
    Ok((lab, daemon))
}

fn fault<'a>(
    harm: impl Into<String>,
    (id, severity, subject): (&'a str, &'a str, &'a str),
    undo: Option<&'a str>,
) -> Fault<'a> {
    Fault {
        host: "director",
        role: ROLE,
        harm: harm.into(),
        id,
        severity,
        subject,
        undo,
    }
}

#[test]
fn a_sound_director_has_nothing_worth_a_warning() -> Result<()> {
    let lab = lab()?;
    let director = lab.host("director");
    attach(&lab)?;
    // Before it is set up, and once it is.
    assert_eq!(told(director, ROLE)?, [""; 0]);
    let daemon = director.director(CONFIG)?;
    is_sound(director, ROLE)?;
    let all = findings(director, ROLE)?;
    for id in [
        "kernel-release",
        "rights",
        "bpffs",
        "programs",
        "jit",
        "interface",
        "xdp-driver",
        "mtu",
        "offloads",
        "vip",
        "rip",
        "rip-mac",
        "vip-leak",
        "daemon",
        "daemon-version",
        "interface-xdp",
        "config",
        "config-pending",
        "table",
    ] {
        let found = all.iter().find(|it| it["id"] == id);
        assert_eq!(found.with_context(|| id)?["severity"], "ok", "{id}");
    }
    drop(daemon);
    Ok(())
}

#[test]
fn interfaces_and_rules_that_keep_frames_away_are_found() -> Result<()> {
    let (lab, _daemon) = site()?;
    fault(
        "ip link set eth0 down",
        ("interface", "error", "eth0"),
        None,
    )
    .is_found_and_mended(&lab)?;
    let bridge = "ip link add br0 type bridge && ip link set eth0 master br0";
    fault(
        bridge,
        ("bridge-port", "error", "eth0"),
        Some("ip link set eth0 nomaster"),
    )
    .is_found_and_mended(&lab)?;
    // As arptables had it when this host was a real server.
    let rule = format!(
        "nft add table arp old && nft 'add chain arp old in {{ type filter hook input priority 0; }}' && \
         nft add rule arp old in arp daddr ip {VIP} drop"
    );
    fault(rule, ("netfilter", "error", VIP), None).is_found_and_mended(&lab)
}

#[test]
fn what_keeps_the_program_off_is_found_before() -> Result<()> {
    let lab = lab()?;
    let director = lab.host("director");
    let id = program_that_passes_all(&lab)?;
    let other = format!("bpftool net attach xdp id {id} dev eth0");
    fault(other, ("other-xdp", "error", "eth0"), None).is_found_and_mended(&lab)?;

    // The other end sends by more queues than this one receives by.
    let native = CONFIG.replace("[\"eth0\"]", "[\"eth0\"]\nxdp = \"native\"");
    fs::write(file(director, ROLE), &native)?;
    let most = director.sh("ethtool -l eth0 | awk '/^RX:/ { print $2; exit }'")?;
    if most.trim() == "1" {
        println!("not run: on one CPU, a veth has one queue");
        return Ok(());
    }
    let more = format!(
        "nsenter --net=/run/netns/{}-lan ethtool -L director tx 2",
        lab.id()
    );
    fault(more, ("xdp-driver", "error", "eth0"), None).is_found_and_mended(&lab)
}

/// The number of the program that is at the switch's port.
fn program_that_passes_all(lab: &Lab) -> Result<String> {
    let show = format!(
        "nsenter --net=/run/netns/{}-lan ip -d link show director",
        lab.id()
    );
    let shown = lab.host("director").sh(&show)?;
    let mut words = shown.split_whitespace().skip_while(|word| *word != "id");
    Ok(words.nth(1).context(shown.clone())?.to_owned())
}

#[test]
fn a_veth_that_sends_nothing_back_is_found() -> Result<()> {
    let lab = lab()?;
    let director = lab.host("director");
    fs::write(
        file(director, ROLE),
        CONFIG.replace("[\"eth0\"]", "[\"eth0\", \"eth1\"]"),
    )?;
    let pair =
        "ip link add eth1 type veth peer name peer1 && ip link set eth1 up && ip link set peer1 up";
    fault(pair, ("veth-peer", "error", "eth1"), None).is_found_and_mended(&lab)?;
    fault(
        "ip link set peer1 down",
        ("interface", "error", "eth1"),
        Some("ip link set peer1 up"),
    )
    .is_found_and_mended(&lab)?;
    fault(
        "ip link del eth1",
        ("interface", "error", "eth1"),
        Some(pair),
    )
    .is_found_and_mended(&lab)
}

#[test]
fn addresses_that_are_wrong_are_found() -> Result<()> {
    let (lab, _daemon) = site()?;
    fault(
        format!("ip addr add {VIP}/24 dev lo"),
        ("vip-wide", "error", VIP),
        None,
    )
    .is_found_and_mended(&lab)?;
    let quiet = format!("drover realserver attach --interface eth0 --vip {VIP}");
    fault(quiet, ("both-roles", "error", VIP), None).is_found_and_mended(&lab)?;
    let config = file(lab.host("director"), ROLE);
    let wrong = format!("sed -i s/10.4.0.3/10.9.0.3/ {}", config.display());
    let right = format!("sed -i s/10.9.0.3/10.4.0.3/ {}", config.display());
    fault(wrong, ("rip", "error", "10.9.0.3"), Some(&right)).is_found_and_mended(&lab)
}

#[test]
fn a_file_that_is_not_in_force_is_found() -> Result<()> {
    let (lab, _daemon) = site()?;
    let config = file(lab.host("director"), ROLE).display().to_string();
    fault(
        format!("echo '# Edited.' >>{config}"),
        ("config-pending", "warning", &config),
        None,
    )
    .is_found_and_mended(&lab)?;
    fault(
        format!("sed -i s/scheduler/shceduler/ {config}"),
        ("config", "error", &config),
        Some(&format!("sed -i s/shceduler/scheduler/ {config}")),
    )
    .is_found_and_mended(&lab)?;
    let socket = lab.host("director").dir().join("director.sock");
    let apply = format!(
        "sed s/rr/wrr/ {config} >{config}.new && drover apply {config}.new --confirm-within 60s --socket {}",
        socket.display()
    );
    fault(apply, ("unconfirmed", "note", &config), None).is_found_and_mended(&lab)
}

#[test]
fn a_daemon_that_is_gone_is_found() -> Result<()> {
    let (lab, mut daemon) = site()?;
    let director = lab.host("director");
    is_sound(director, ROLE)?;
    daemon.kill9();
    assert_eq!(told(director, ROLE)?, ["daemon error drover director"]);
    let found = findings(director, ROLE)?;
    let fix = found
        .iter()
        .find(|it| it["id"] == "daemon")
        .context("no daemon")?;
    // There is no systemd here.
    assert_eq!(fix["fix"], "systemctl start drover-director");
    daemon.start()?;
    is_sound(director, ROLE)?;
    shows_within_80_columns(director)
}

/// Prose does; commands are longer where they have to be.
fn shows_within_80_columns(director: &Host) -> Result<()> {
    let text = doctor(director, ROLE, "--all")?.stdout;
    let prose = text.lines().filter(|line| !line.contains("fix"));
    let long: Vec<&str> = prose.filter(|line| line.chars().count() > 80).collect();
    assert_eq!(long, [""; 0]);
    assert!(!text.contains('\u{1b}'), "{text}");
    let short = doctor(director, ROLE, "")?.stdout;
    let last = short.lines().last().context("nothing")?;
    assert!(
        last.contains(" checks, ") && last.ends_with(" fine"),
        "{short}"
    );
    assert!(!short.contains("\nok "), "{short}");
    assert!(text.len() > short.len());
    Ok(())
}
