//! A director in front of three real servers, whose services are checked.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::Result;
use serde_json::Value;

use crate::{Director, Host, Lab, Nginx, wait_within};

const HOSTS: [(&str, Ipv4Addr); 5] = [
    ("client", Ipv4Addr::new(172, 25, 138, 9)),
    ("director", Ipv4Addr::new(172, 25, 138, 5)),
    ("server2", Ipv4Addr::new(172, 25, 138, 2)),
    ("server3", Ipv4Addr::new(172, 25, 138, 3)),
    ("server4", Ipv4Addr::new(172, 25, 138, 4)),
];
pub(super) const SERVICES: [&str; 2] = ["tcp/172.25.138.100:80", "tcp/[2001:db8::100]:80"];
pub(super) const URLS: [&str; 2] = ["http://172.25.138.100/", "http://[2001:db8::100]/"];
/// Of each service; the first is never without weight, and never killed.
pub(super) const REALS: [[&str; 3]; 2] = [
    ["172.25.138.2", "172.25.138.3", "172.25.138.4"],
    ["2001:db8::2", "2001:db8::3", "2001:db8::4"],
];
/// Of the daemon's log.
const LINES: usize = 60;
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Site {
    pub(super) director: Director,
    /// Of the real servers, while they run.
    pub(super) webs: Vec<Option<Nginx>>,
    pub(super) lab: Lab,
}

impl Site {
    pub(super) fn new() -> Result<Self> {
        let lab = Lab::new(&HOSTS)?;
        for host in lab.hosts() {
            let last = host.address().octets()[3];
            host.sh(&format!("ip addr add 2001:db8::{last}/64 dev eth0 nodad"))?;
        }
        let mut webs = Vec::new();
        for i in 0..3 {
            let host = Self::server_of(&lab, i);
            let vips = ["--vip", "172.25.138.100", "--vip", "2001:db8::100"];
            let attach = ["realserver", "attach", "--interface", "eth0"];
            host.drover(&[&attach[..], &vips].concat())?.success()?;
            host.sh(
                "sysctl -qw net.ipv4.conf.eth0.arp_notify=1 net.ipv6.conf.eth0.ndisc_notify=1",
            )?;
            webs.push(Some(host.nginx(&format!("{host}\n"))?));
        }
        let director = lab.host("director").director(&config())?;
        let site = Self {
            director,
            webs,
            lab,
        };
        site.wait_for(|real| real["state"] == "active")?;
        Ok(site)
    }

    pub(super) fn server(&self, i: usize) -> &Host {
        Self::server_of(&self.lab, i)
    }

    fn server_of(lab: &Lab, i: usize) -> &Host {
        lab.host(HOSTS[i + 2].0)
    }

    pub(super) fn drover(&self, words: &[&str]) -> Result<String> {
        self.lab.host("director").drover(words)?.success()
    }

    /// What the daemon has said last, and what it has counted.
    pub(super) fn told(&self) -> String {
        let log = self.director.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
        let status = self.drover(&["status"]);
        let status = status.unwrap_or_else(|error| format!("{error:#}"));
        format!("{last}\n{status}")
    }

    /// Waits until all real servers are as they should be.
    pub(super) fn wait_for(&self, is_right: impl Fn(&Value) -> bool) -> Result<()> {
        wait_within(PATIENCE, "the real servers are as they should be", || {
            let list: Value = serde_json::from_str(&self.drover(&["list", "-o", "json"])?)?;
            let services = list.as_array().into_iter().flatten();
            let mut reals = services.flat_map(|it| it["reals"].as_array().into_iter().flatten());
            Ok(reals.all(&is_right))
        })
    }
}

fn config() -> String {
    let mut text = "[director]\ninterfaces = [\"eth0\"]\n".to_owned();
    for (service, reals) in SERVICES.iter().zip(REALS) {
        text += &format!(
            "\n[[service]]\nlisten = \"{service}\"\nscheduler = \"rr\"\ninhibit_on_failure = true\n\n\
             [service.check]\nkind = \"http\"\ninterval = 0.2\ntimeout = 2\nfall = 2\n"
        );
        for real in reals {
            text += &format!("\n[[service.real]]\naddress = \"{real}\"\n");
        }
    }
    text
}
