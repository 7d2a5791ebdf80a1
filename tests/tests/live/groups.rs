//! Services of several VIPs and ports, which clients and operators take for one.

use std::collections::HashSet;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tests::{Host, Lab, Nginx};

use crate::site::{REALS, VIP, classic_real_server, lab};

const OTHER: &str = "172.25.138.101";
const CONFIG: &str = r#"[director]
interfaces = ["eth0"]

[[service]]
listen = ["tcp/172.25.138.100:80", "tcp/172.25.138.100:8080", "tcp/172.25.138.101:8000-8999"]
scheduler = "rr"
persistence = 300

[[service.real]]
address = "172.25.138.2"

[[service.real]]
address = "172.25.138.3"
"#;
const URLS: [&str; 4] = [
    "http://172.25.138.100/",
    "http://172.25.138.100:8080/",
    "http://172.25.138.101:8080/",
    "http://172.25.138.100:80/",
];
const NAME: &str = "tcp/172.25.138.100:80";

#[test]
fn a_client_has_one_server_on_all_vips_and_ports_through_an_operator_s_day() -> Result<()> {
    let lab = lab()?;
    let _servers = servers(&lab)?;
    let (client, host) = (lab.host("client"), lab.host("director"));
    let mut director = host.director(CONFIG)?;
    active(host)?;
    let homes = |from: &str| -> Result<HashSet<String>> {
        URLS.iter()
            .map(|url| {
                client
                    .run(&["curl", "-sS", "--max-time", "2", "--interface", from, url])?
                    .success()
            })
            .collect()
    };
    let clients: Vec<String> = (10..16).map(|host| format!("172.25.138.{host}")).collect();
    for client_address in &clients {
        client.sh(&format!("ip addr add {client_address}/24 dev eth0"))?;
    }
    let all = || -> Result<Vec<HashSet<String>>> { clients.iter().map(|it| homes(it)).collect() };
    let first = all()?;
    let one_each = first.iter().all(|servers| servers.len() == 1);
    assert!(one_each, "{first:?}");
    let used: HashSet<_> = first.iter().flatten().collect();
    assert_eq!(used.len(), 2, "and clients take turns: {first:?}");

    director.kill9();
    director.start()?;
    assert_eq!(all()?, first, "after kill -9 and a start");
    host.drover(&["service", "edit", NAME, "--also", "tcp/172.25.138.101:80"])?
        .success()?;
    host.drover(&["real", "edit", NAME, "172.25.138.2", "-w", "3"])?
        .success()?;
    host.drover(&["service", "edit", NAME, "-s", "mh"])?
        .success()?;
    assert_eq!(all()?, first, "after the operator's changes");
    Ok(())
}

#[test]
fn what_is_listed_of_a_group_is_all_of_it() -> Result<()> {
    let lab = lab()?;
    let _servers = servers(&lab)?;
    let (client, host) = (lab.host("client"), lab.host("director"));
    let _director = host.director(CONFIG)?;
    active(host)?;
    for url in &URLS[..3] {
        client.run(&["curl", "-sS", url])?.success()?;
    }
    let list = host.drover(&["list"])?.success()?;
    let lines: Vec<&str> = list.lines().skip(2).take(3).collect();
    assert_eq!(
        lines,
        [
            "TCP  172.25.138.100:80 rr persistent 300",
            "also tcp/172.25.138.100:8080",
            "also tcp/172.25.138.101:8000-8999",
        ],
        "{list}"
    );
    let list: Value = serde_json::from_str(&host.drover(&["list", "-o", "json"])?.success()?)?;
    let all = [
        NAME,
        "tcp/172.25.138.100:8080",
        "tcp/172.25.138.101:8000-8999",
    ];
    assert_eq!(list[0]["service"], NAME);
    assert_eq!(list[0]["listen"], json!(all));
    let flows = host.drover(&["flows", "--service", NAME, "-o", "json"])?;
    let flows: Value = serde_json::from_str(&flows.success()?)?;
    let flows = flows["flows"].as_array().context("no flows")?;
    let (clients, flows): (Vec<_>, Vec<_>) = flows.iter().partition(|it| it["state"] == "NONE");
    let mut vips: Vec<_> = flows
        .iter()
        .filter_map(|flow| flow["vip"].as_str())
        .collect();
    vips.sort_unstable();
    let expected = [
        "172.25.138.100:80",
        "172.25.138.100:8080",
        "172.25.138.101:8080",
    ];
    assert_eq!(vips, expected);
    let [client] = clients[..] else {
        bail!("one client comes back, not {clients:?}");
    };
    let ends = ["protocol", "client", "vip", "real"].map(|it| client[it].as_str());
    let real = flows[0]["real"].as_str();
    let expected = ["tcp", "172.25.138.9:0", "172.25.138.100:80"].map(Some);
    assert_eq!(ends[..3], expected);
    let host_of = |end: Option<&str>| end?.split_once(':').map(|(host, _)| host.to_owned());
    assert_eq!(host_of(ends[3]), host_of(real), "where its flows are");
    let expires = client["expires"].as_u64().unwrap_or_default();
    assert!((290..=300).contains(&expires), "{client}");
    let table = host.drover(&["flows", "--state", "none"])?.success()?;
    let row = table.lines().nth(1).context("no row")?;
    let row: Vec<_> = row.split_whitespace().skip(2).take(3).collect();
    assert_eq!(row, ["NONE", "172.25.138.9:0", "172.25.138.100:80"]);
    // Where each has gone to, whatever the others' port is.
    for flow in flows {
        let port = |end: &str| {
            flow[end]
                .as_str()?
                .rsplit_once(':')
                .map(|(_, port)| port.to_owned())
        };
        assert_eq!(port("vip"), port("real"), "{flow}");
    }
    assert_eq!(records(host)?, 3, "one each");
    Ok(())
}

#[test]
fn vips_of_a_group_come_with_the_first_of_theirs_and_go_with_the_last() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    let director = host.director(CONFIG)?;
    let vips = || -> Result<[usize; 2]> {
        let addresses = host.sh("ip -4 -oneline addr show dev eth0")?;
        Ok([VIP, OTHER].map(|vip| addresses.matches(&format!(" {vip}/32 ")).count()))
    };
    assert_eq!(vips()?, [1, 1]);
    let announced = director.log().matches("VIP added").count();
    assert_eq!(announced, 2, "once each");
    for (words, expected, of_records) in [
        (
            &["service", "edit", NAME, "--also", "udp/172.25.138.101:443"][..],
            [1, 1],
            4,
        ),
        (
            &[
                "service",
                "edit",
                NAME,
                "--not-also",
                "tcp/172.25.138.101:8000-8999",
            ],
            [1, 1],
            3,
        ),
        (
            &[
                "service",
                "edit",
                NAME,
                "--not-also",
                "udp/172.25.138.101:443",
            ],
            [1, 0],
            2,
        ),
        (
            &["service", "edit", NAME, "--also", "udp/172.25.138.101:443"],
            [1, 1],
            3,
        ),
    ] {
        host.drover(words)?.success()?;
        assert_eq!(
            (vips()?, records(host)?),
            (expected, of_records),
            "{words:?}"
        );
    }
    // Without the first, the rest is the service, and has another name.
    let other = "udp/172.25.138.101:443";
    let config = std::fs::read_to_string(host.director_config())?;
    let first = format!("\"{NAME}\", \"tcp/172.25.138.100:8080\", ");
    assert!(config.contains(&first), "{config}");
    director.reload(&config.replace(&first, ""))?.success()?;
    assert_eq!(vips()?, [0, 1]);
    host.drover(&["service", "remove", other])?.success()?;
    assert_eq!(vips()?, [0, 0]);
    Ok(())
}

/// Web servers that hold both VIPs, on ports 80 and 8080.
fn servers(lab: &Lab) -> Result<Vec<Nginx>> {
    let mut servers = Vec::new();
    for (name, _) in &REALS[..2] {
        let host = lab.host(name);
        for vip in [VIP, OTHER] {
            classic_real_server(host, vip)?;
        }
        for port in [80, 8080] {
            servers.push(host.nginx_on(port, &format!("{name}\n"))?);
        }
    }
    Ok(servers)
}

/// How many services `status` says that the tables have.
fn records(host: &Host) -> Result<u64> {
    let status = host.drover(&["status", "-o", "json"])?.success()?;
    let status: Value = serde_json::from_str(&status)?;
    status["services"]["used"].as_u64().context("no number")
}

fn active(host: &Host) -> Result<()> {
    crate::site::wait("both real servers are active", || {
        let list = host.drover(&["list"])?.success()?;
        Ok(list.matches(" active").count() == 2)
    })
}
