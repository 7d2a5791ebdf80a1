//! The lab keeps its promises: a LAN that behaves as one, and nothing left of it.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::Result;
use tests::{Lab, Nginx};

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 9);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);

#[test]
fn hosts_reach_each_other_and_know_their_macs() -> Result<()> {
    let lab = lab()?;
    let (client, server) = (lab.host("client"), lab.host("server"));
    client
        .run(&["ping", "-c", "1", "-W", "2", "10.1.0.2"])?
        .success()?;
    assert_eq!(client.neighbour(SERVER)?, Some(server.mac()));
    assert_eq!(server.neighbour(CLIENT)?, Some(client.mac()));
    client.flush_arp()?;
    assert_eq!(client.neighbour(SERVER)?, None);
    Ok(())
}

#[test]
fn two_labs_with_the_same_addresses_do_not_meet() -> Result<()> {
    let (one, other) = (lab()?, lab()?);
    let _web = one.host("server").nginx("one\n")?;
    let curl = ["curl", "-sS", "--max-time", "1", "http://10.1.0.2/"];
    assert_eq!(one.host("client").run(&curl)?.success()?, "one\n");
    assert!(!other.host("client").run(&curl)?.status.success());
    Ok(())
}

#[test]
fn nginx_serves_large_files_whole() -> Result<()> {
    let lab = lab()?;
    let _web = lab.host("server").nginx("server\n")?;
    let size = lab
        .host("client")
        .sh("curl -sS http://10.1.0.2/big | wc -c")?;
    assert_eq!(size.trim(), Nginx::BIG.to_string());
    Ok(())
}

#[test]
fn a_command_that_takes_too_long_is_killed() -> Result<()> {
    let lab = lab()?;
    let error = lab
        .host("client")
        .run_within(Duration::from_millis(100), &["sleep", "60"])
        .unwrap_err();
    assert!(
        error.to_string().starts_with("`sleep 60` was killed"),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_dropped_lab_leaves_nothing() -> Result<()> {
    let lab = lab()?;
    let trace = lab.trace()?;
    // One with a guard, one that nobody waits for.
    let web = lab.host("server").nginx("server\n")?;
    let mut stray = lab.host("client").command("sleep").arg("60").spawn()?;
    let there = trace.left()?;
    for kind in ["namespace", "mount", "process", "files"] {
        assert!(
            there.iter().any(|what| what.starts_with(kind)),
            "{kind} is not among {there:?}"
        );
    }
    drop(web);
    drop(lab);
    stray.wait()?;
    assert_eq!(trace.left()?, Vec::<String>::new());
    Ok(())
}

fn lab() -> Result<Lab> {
    Lab::new(&[("client", CLIENT), ("server", SERVER)])
}
