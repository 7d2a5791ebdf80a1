//! The companion is attached, asked and detached.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::lab::{
    ATTACH, OTHER_VIP, VIP, answers, attach, counts, lab, on_lo, refused, said_while, trace,
    watching,
};

#[test]
fn attached_again_it_changes_in_place() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    attach(server, &[])?;
    // What is counted stays: the maps do.
    answers(&lab)?;
    let before = counts(server)?;
    let stormed = said_while(&lab, || {
        for hook in ["tc", "xdp", "auto"] {
            attach(server, &["--vip", OTHER_VIP, "--hook", hook])?;
            answers(&lab)?;
        }
        attach(server, &[])
    })?;
    assert!(!stormed.contains(VIP), "{stormed}");
    assert!(counts(server)?.asked > before.asked);
    assert_eq!(on_lo(server)?, [VIP]);
    Ok(())
}

#[test]
fn detached_it_leaves_no_trace() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    let before = trace(server)?;
    for hook in ["xdp", "tc"] {
        attach(server, &["--vip", OTHER_VIP, "--hook", hook])?;
        assert_ne!(trace(server)?, before);
        assert_eq!(on_lo(server)?, [VIP, OTHER_VIP]);
        let mut watcher = watching(server)?;
        server.drover(&["realserver", "detach"])?.success()?;
        assert_eq!(trace(server)?, before, "{hook}");
        let ended = watcher.wait(Duration::from_secs(3))?;
        assert_eq!(ended.code(), Some(1));
        let log = watcher.log();
        assert!(
            log.ends_with("\ndrover: nothing is attached any more\n"),
            "{log}"
        );
    }
    let again = server.drover(&["realserver", "detach"])?.success()?;
    assert_eq!(again, "nothing is attached\n");
    Ok(())
}

#[test]
fn a_vip_that_was_on_lo_stays_there() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    server.sh(&format!("ip addr add {VIP}/32 dev lo"))?;
    attach(server, &[])?;
    attach(server, &[])?;
    server.drover(&["realserver", "detach"])?.success()?;
    assert_eq!(on_lo(server)?, [VIP]);
    Ok(())
}

#[test]
fn an_interface_that_cannot_be_attached_leaves_all_as_it_was() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    server.sh("ip link add eth1 type veth peer name peer1 && ip link set eth1 up")?;
    let before = trace(server)?;
    let both = server.drover(&[&ATTACH[..], &["--interface", "eth1"]].concat())?;
    refused(&both, "drover: eth1 has no IPv4 address of its own")?;
    assert_eq!(trace(server)?, before);
    Ok(())
}

#[test]
fn status_names_what_is_wrong() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    let status = || server.drover(&["realserver", "status"]);
    refused(&status()?, "drover: nothing is attached")?;
    attach(server, &[])?;
    status()?.success()?;
    for (harm, problem) in [
        (
            format!("ip addr del {VIP}/32 dev lo"),
            format!("drover: {VIP}: not on lo; attach again"),
        ),
        (
            "ip addr add 10.2.0.2/24 dev eth0".into(),
            "drover: eth0: its addresses have changed; attach again".into(),
        ),
        (
            format!(
                "rm {}/realserver/net-*/eth0/egress",
                server.pins().display()
            ),
            "drover: eth0: the egress program is missing; attach again".into(),
        ),
        (
            format!(
                "rm {}/realserver/net-*/eth0/ingress",
                server.pins().display()
            ),
            "drover: eth0: the ingress program is missing; attach again".into(),
        ),
    ] {
        server.sh(&harm)?;
        refused(&status()?, &problem)?;
        attach(server, &[])?;
        status()?.success().context(harm)?;
    }
    Ok(())
}

#[test]
fn bad_commands_are_refused_in_one_line() -> Result<()> {
    let lab = lab()?;
    let server = lab.host("server");
    let attach = ["realserver", "attach", "--interface"];
    for (rest, want) in [
        (
            &["eht0", "--vip", VIP][..],
            "drover: there is no interface eht0; did you mean `eth0`?",
        ),
        (
            &["lo", "--vip", VIP],
            "drover: lo is where the VIPs are put",
        ),
        (
            &["eth0", "--vip", "10.1.0.2"],
            "drover: 10.1.0.2 is an address of eth0 (10.1.0.2/24)",
        ),
        (
            &["eth0", "--vip", "10.1.0"],
            "drover: `10.1.0` is no IP address",
        ),
        (
            &["eth0", "--vip", "0.0.0.0"],
            "drover: 0.0.0.0 is no host's address",
        ),
        (
            &["eth0", "--vip", VIP, "--vip", VIP],
            "drover: VIP 10.1.0.100 is named twice",
        ),
    ] {
        refused(&server.drover(&[&attach[..], rest].concat())?, want)?;
    }
    let elsewhere = format!("{} --pins /tmp", tests::drover_binary().display());
    let elsewhere = format!("{elsewhere} {}", ATTACH.join(" "));
    refused(
        &server.run(&["sh", "-c", &elsewhere])?,
        "drover: the pins directory /tmp is not on a bpffs",
    )?;
    assert_eq!(on_lo(server)?, [""; 0]);
    Ok(())
}
