//! A director in front of two real servers of three services, and who asks it.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::{Director, Host, Lab, Nginx, wait};

pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(172, 25, 138, 9);
const DIRECTOR: Ipv4Addr = Ipv4Addr::new(172, 25, 138, 5);
pub(crate) const REALS: [(&str, Ipv4Addr); 2] = [
    ("server2", Ipv4Addr::new(172, 25, 138, 2)),
    ("server3", Ipv4Addr::new(172, 25, 138, 3)),
];
pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(172, 25, 138, 100);
const VIP6: &str = "2001:db8::100";
pub(crate) const MH: &str = "tcp/172.25.138.100:80";
pub(crate) const RR: &str = "tcp/172.25.138.100:81";
pub(crate) const RR6: &str = "tcp/[2001:db8::100]:80";
pub(crate) const UDP: &str = "udp/172.25.138.100:53";
const SERVICES: [(&str, &str); 4] = [(MH, "mh"), (RR, "rr"), (RR6, "rr"), (UDP, "rr")];

pub(crate) struct Site {
    _director: Director,
    _servers: Vec<Nginx>,
    pub(crate) lab: Lab,
}

impl Site {
    pub(crate) fn new() -> Result<Self> {
        let mut hosts = vec![("client", CLIENT), ("director", DIRECTOR)];
        hosts.extend(REALS);
        let lab = Lab::new(&hosts)?;
        for host in lab.hosts() {
            let address = ipv6(host.address());
            host.sh(&format!("ip addr add {address}/64 dev eth0 nodad"))?;
        }
        let mut servers = Vec::new();
        for (name, _) in REALS {
            let host = lab.host(name);
            let vip = VIP.to_string();
            let attach = [
                "realserver",
                "attach",
                "--interface",
                "eth0",
                "--vip",
                &vip,
                "--vip",
                VIP6,
            ];
            host.drover(&attach)?.success()?;
            for port in [80, 81] {
                servers.push(host.nginx_on(port, name)?);
            }
        }
        let host = lab.host("director");
        let site = Self {
            _director: host.director(&config())?,
            _servers: servers,
            lab,
        };
        wait("the real servers are active", || {
            let list = site.director().drover(&["list"])?.success()?;
            Ok(list.matches(" active").count() == SERVICES.len() * REALS.len())
        })?;
        Ok(site)
    }

    pub(crate) fn director(&self) -> &Host {
        self.lab.host("director")
    }

    /// What is said of one packet, in JSON.
    pub(crate) fn explain(&self, words: &str) -> Result<Value> {
        let mut packets = self.explained(words)?;
        ensure!(packets.len() == 1, "{} explanations", packets.len());
        packets.pop().context("none")
    }

    /// What is said of each packet.
    pub(crate) fn explained(&self, words: &str) -> Result<Vec<Value>> {
        let words = format!("explain -o json {words}");
        let words: Vec<&str> = words.split(' ').collect();
        let answer = self.director().drover(&words)?.success()?;
        explanations(&answer)
    }

    /// Connects from a port of the client's; returns the name of the server that answers.
    pub(crate) fn page(&self, url: &str, port: u16) -> Result<String> {
        let port = port.to_string();
        let words = ["curl", "-gsS", "-m", "3", "--local-port", &port, url];
        self.lab.host("client").run(&words)?.success()
    }
}

pub(crate) fn explanations(answer: &str) -> Result<Vec<Value>> {
    let answer: Value = serde_json::from_str(answer)?;
    ensure!(answer["warnings"] == serde_json::json!([]), "{answer}");
    Ok(answer["packets"].as_array().context("packets")?.clone())
}

pub(crate) fn ipv6(address: Ipv4Addr) -> String {
    format!("2001:db8::{}", address.octets()[3])
}

/// The name of the server that an explanation names by its RIP.
pub(crate) fn server(explanation: &Value) -> Result<&'static str> {
    let is_it = |address: Ipv4Addr| {
        explanation["real"] == address.to_string() || explanation["real"] == ipv6(address)
    };
    let found = REALS.into_iter().find(|&(_, address)| is_it(address));
    let (name, _) = found.with_context(|| explanation.to_string())?;
    Ok(name)
}

fn config() -> String {
    let mut config = String::from("[director]\ninterfaces = [\"eth0\"]\nflow_memory = \"1MiB\"\n");
    for (name, scheduler) in SERVICES {
        config += &format!("\n[[service]]\nlisten = \"{name}\"\nscheduler = \"{scheduler}\"\n");
        for (_, address) in REALS {
            let address = match name {
                RR6 => ipv6(address),
                _ => address.to_string(),
            };
            config += &format!("\n[[service.real]]\naddress = \"{address}\"\n");
        }
    }
    config
}
