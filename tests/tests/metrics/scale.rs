//! More members than are told of one by one.

use std::{fmt::Write as _, fs, net::Ipv4Addr};

use anyhow::{Result, ensure};
use tests::{Director, Host, Lab};

use crate::site::{Series, get};

/// As many neighbours as the kernel keeps by default.
const REALS: u32 = 1000;
/// `metrics::MEMBERS_MAX`; octets of each, and of what there is besides.
const MOST: usize = 16_384;
const OCTETS_OF_ONE: usize = 1750;
const OCTETS_BESIDES: usize = 64 << 10;
const URL: &str = "http://127.0.0.1:9208/metrics";

#[test]
fn more_members_than_are_told_of_are_counted() -> Result<()> {
    // 17 times 1000; 16384 are told of.
    let (lab, _director) = site(17)?;
    let text = get(lab.host("director"), &["--max-time", "60", URL])?;
    ensure!(text.len() < MOST * OCTETS_OF_ONE + OCTETS_BESIDES);
    let series = Series::of(&text);
    let omitted = series.get("drover_members_omitted")?;
    assert_eq!(omitted, 17_000.0 - MOST as f64);
    let count = |what: &str| text.matches(what).count();
    assert_eq!(count("drover_member_weight{"), MOST);
    assert_eq!(count(",state=\"active\"} 1\n"), MOST);
    assert_eq!(count("drover_service_members{"), 17);
    Ok(())
}

/// A director with so many services, of all the real servers each.
fn site(services: u32) -> Result<(Lab, Director)> {
    let lab = Lab::new(&[("director", Ipv4Addr::new(10, 2, 0, 5))])?;
    let host = lab.host("director");
    host.sh("ip addr add 10.64.255.2/16 dev eth0")?;
    know_neighbours(host)?;
    let mut config = String::from(
        "[director]\ninterfaces = [\"eth0\"]\nmembers_max = 32767\nhttp = \"127.0.0.1:9208\"\n",
    );
    for port in 1..=services {
        write!(
            config,
            "[[service]]\nlisten = \"tcp/10.2.0.100:{port}\"\nscheduler = \"rr\"\n"
        )?;
        for real in (0..REALS).map(real) {
            write!(config, "[[service.real]]\naddress = \"{real}\"\n")?;
        }
    }
    let director = host.director(&config)?;
    Ok((lab, director))
}

fn know_neighbours(host: &Host) -> Result<()> {
    let mut batch = String::new();
    for address in (0..REALS).map(real) {
        let [_, _, c, d] = address.octets();
        let mac = format!("02:00:00:00:{c:02x}:{d:02x}");
        writeln!(
            batch,
            "neigh replace {address} lladdr {mac} nud permanent dev eth0"
        )?;
    }
    let file = host.dir().join("neighbours");
    fs::write(&file, batch)?;
    host.sh(&format!("ip -batch {}", file.display()))?;
    Ok(())
}

fn real(i: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 64, 1, 0)) + i)
}
