//! What is told: by both formats' rules, and the same as the commands tell.

use std::{fs, time::SystemTime};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::wait;

use crate::site::{CONFIG, NOBODY, REAL, Series, Site, URL, VIP, WEB, get};

const MH: &str = "tcp/10.2.0.100:81";

#[test]
fn prometheus_s_linter_has_nothing_to_say() -> Result<()> {
    let site = Site::new()?;
    let host = site.host();
    let file = host.dir().join("metrics").display().to_string();
    let url = format!("{URL}/metrics");
    let headers = get(host, &["-D", "-", "-o", &file, &url])?;
    let text = "content-type: text/plain; version=0.0.4; charset=utf-8\r\n";
    ensure!(headers.contains(text), "{headers}");
    let linted = host.sh(&format!("promtool check metrics <{file} 2>&1"))?;
    assert_eq!(linted, "");

    // As Prometheus 2.42 asks.
    let accept = "accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let headers = get(host, &["-H", accept, "-D", "-", "-o", &file, &url])?;
    let open = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
    ensure!(headers.contains(open), "{headers}");
    let open = fs::read_to_string(&file)?;
    ensure!(open.ends_with("\n# EOF\n"), "{open}");
    ensure!(
        open.contains("# UNIT drover_member_bytes bytes\n"),
        "{open}"
    );
    Ok(())
}

/// Numbers from what `drover` says, and from what was done.
#[test]
fn the_numbers_are_those_of_the_commands() -> Result<()> {
    let site = Site::new()?;
    // The last packets of the page are counted, and the connection is closed.
    let listed = || -> Result<Value> {
        let list: Value = serde_json::from_str(&site.drover(&["list", "-o", "json"])?)?;
        Ok(list[0]["reals"][0].clone())
    };
    let mut before = listed()?;
    wait("all is counted", || {
        let last = std::mem::replace(&mut before, listed()?);
        Ok(last["packets"] == before["packets"] && before["inactive"] != 0)
    })?;
    site.wait_for("and in the metrics", |series| {
        series.of_web("drover_member_packets_total").ok() == before["packets"].as_f64()
    })?;
    let series = site.series()?;
    for (name, key) in [
        ("packets_total", "packets"),
        ("bytes_total", "bytes"),
        ("connections_total", "connections"),
        ("active_connections", "active"),
        ("inactive_connections", "inactive"),
        ("persistent_clients", "persistent"),
        ("weight", "weight"),
        ("unanswered_connections_total", "unanswered"),
    ] {
        let told = series.of_web(&format!("drover_member_{name}"))?;
        assert_eq!(Some(told), before[key].as_f64(), "{name}");
    }
    let real = |name: &str, service: &str, real: &str, state: &str| {
        series.get(&format!(
            "drover_member_{name}{{service=\"{service}\",real=\"{real}\",state=\"{state}\"}}"
        ))
    };
    assert_eq!(real("state", WEB, REAL, "active")?, 1.0);
    assert_eq!(real("state", WEB, REAL, "down")?, 0.0);
    assert_eq!(real("state", MH, NOBODY, "unresolved")?, 1.0);
    let since = series.of_web("drover_member_state_since_timestamp_seconds")?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    ensure!(
        (0.0..3600.0).contains(&(now.as_secs_f64() - since)),
        "{since}"
    );
    assert_eq!(series.of_web("drover_member_check_good")?, 1.0);
    ensure!(series.of_web("drover_member_check_age_seconds")? <= 60.0);
    ensure!(series.of_web("drover_member_check_duration_seconds")? < 1.0);
    // Of a service without records there are none to count.
    let active = format!("drover_member_active_connections{{service=\"{MH}\",real=\"{REAL}\"}}");
    ensure!(series.get(&active).is_err(), "{active}");

    for (name, service, value) in [
        ("members", WEB, 1.0),
        ("members", MH, 2.0),
        ("quorum", MH, 2.0),
        ("has_quorum", WEB, 1.0),
        ("has_quorum", MH, 0.0),
        ("slots", WEB, 1.0),
        // README: 1021 doubled until there are 100 per real server.
        ("slots", MH, 1021.0),
        ("slots_moving", MH, 0.0),
    ] {
        let told = series.get(&format!("drover_service_{name}{{service=\"{service}\"}}"))?;
        assert_eq!(told, value, "{name} of {service}");
    }
    of_the_daemon(&site, &series)
}

fn of_the_daemon(site: &Site, series: &Series) -> Result<()> {
    let status: Value = serde_json::from_str(&site.drover(&["status", "-o", "json"])?)?;
    for (name, value) in [
        ("services", &status["services"]["used"]),
        ("services_max", &status["services"]["most"]),
        ("members", &status["members"]["used"]),
        ("members_max", &status["members"]["most"]),
        ("flows_max", &status["flows"]["most"]),
        ("map_memory_bytes", &status["memory"]),
    ] {
        let told = series.get(&format!("drover_{name}"))?;
        assert_eq!(Some(told), value.as_f64(), "{name}");
    }
    let mac = status["interfaces"][0]["mac"].as_str().context("a MAC")?;
    let xdp = status["interfaces"][0]["xdp"].as_str().context("a mode")?;
    let info = format!("drover_interface_info{{interface=\"eth0\",xdp=\"{xdp}\",mac=\"{mac}\"}}");
    let version = status["version"].as_str().context("a version")?;
    for (name, value) in [
        (info.as_str(), 1.0),
        (&format!("drover_build_info{{version=\"{version}\"}}"), 1.0),
        ("drover_interface_up{interface=\"eth0\"}", 1.0),
        ("drover_neighbours", 2.0),
        ("drover_neighbours_resolved", 1.0),
        ("drover_slots", 1.0 + 1021.0),
        ("drover_slots_max", 1_048_576.0),
        ("drover_members_omitted", 0.0),
        ("drover_unconfirmed_change", 0.0),
        ("drover_config_last_reload_successful", 1.0),
        ("drover_vip_leak_unlisted_total", 0.0),
        (
            "drover_not_forwarded_packets_total{reason=\"no_member\",fate=\"drop\"}",
            0.0,
        ),
        // The unit's, which is not in force here, has another.
        ("process_max_fds", limit(site)?),
    ] {
        assert_eq!(series.get(name)?, value, "{name}");
    }
    for name in [
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
    ] {
        ensure!(series.get(name)? > 0.0, "{name}");
    }
    Ok(())
}

fn limit(site: &Site) -> Result<f64> {
    let status: Value = serde_json::from_str(&site.drover(&["status", "-o", "json"])?)?;
    let limits = fs::read_to_string(format!("/proc/{}/limits", status["pid"]))?;
    let line = limits.lines().find(|it| it.starts_with("Max open files"));
    let word = line.and_then(|it| it.split_whitespace().nth(3));
    Ok(word.context("a limit")?.parse()?)
}

/// What happens is told: a refused reload, a change to be confirmed, a state, a leak, an interface.
#[test]
fn what_happens_is_told() -> Result<()> {
    let site = Site::new()?;
    let is = |name: &'static str, value: f64| {
        move |series: &Series| series.get(name).is_ok_and(|it| it == value)
    };
    let reloaded = "drover_config_last_reload_successful";
    let refused = site.director.reload("[director\n")?;
    ensure!(!refused.status.success());
    site.wait_for("a refused reload", is(reloaded, 0.0))?;
    let other = CONFIG.replace("weight = 3", "weight = 4");
    site.director.reload(&other)?.success()?;
    site.wait_for("a good one", is(reloaded, 1.0))?;

    let path = site.host().dir().join("other.toml").display().to_string();
    fs::write(&path, CONFIG)?;
    site.drover(&["apply", &path, "--confirm-within", "60s"])?;
    site.wait_for(
        "a change to be confirmed",
        is("drover_unconfirmed_change", 1.0),
    )?;
    let left = site.series()?.get("drover_unconfirmed_change_seconds")?;
    ensure!((1.0..=60.0).contains(&left), "{left}");
    site.drover(&["confirm"])?;
    site.wait_for("none", is("drover_unconfirmed_change", 0.0))?;

    let quiesced = "drover_state_changes_total{state=\"quiesced\"}";
    assert_eq!(site.series()?.get(quiesced)?, 0.0);
    site.drover(&["real", "edit", WEB, REAL, "--weight", "0"])?;
    site.wait_for("a state", is(quiesced, 1.0))?;

    // Half of its flows are to be the new one's, as soon as its MAC is known.
    let client = site.lab.host("client");
    site.drover(&["real", "add", MH, &client.address().to_string()])?;
    let moving = format!("drover_service_slots_moving{{service=\"{MH}\"}}");
    site.wait_for("slots that move", |series| {
        series
            .get(&moving)
            .is_ok_and(|it| (256.0..768.0).contains(&it))
    })?;

    client.sh("sysctl -qw net.ipv4.ip_nonlocal_bind=1")?;
    client.sh(&format!("arping -c 1 -A -I eth0 {VIP}"))?;
    let leak = format!(
        "drover_vip_leak{{vip=\"{VIP}\",mac=\"{}\",real=\"10.2.0.9\",interface=\"eth0\"}}",
        client.mac()
    );
    site.wait_for("a leak", |series| series.get(&leak).is_ok())?;
    Ok(())
}
