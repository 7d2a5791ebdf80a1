//! A director whose metrics can be asked for, a web server behind it, and what it says.

use std::{collections::BTreeMap, net::Ipv4Addr};

use anyhow::{Context as _, Result};
use tests::{Director, Host, Lab, Nginx, wait};

pub(crate) const VIP: &str = "10.2.0.100";
pub(crate) const WEB: &str = "tcp/10.2.0.100:80";
pub(crate) const REAL: &str = "10.2.0.2";
/// A real server that is not there.
pub(crate) const NOBODY: &str = "10.2.0.77";
pub(crate) const URL: &str = "http://10.2.0.5:9208";

const HOSTS: [(&str, Ipv4Addr); 3] = [
    ("client", Ipv4Addr::new(10, 2, 0, 9)),
    ("director", Ipv4Addr::new(10, 2, 0, 5)),
    ("server2", Ipv4Addr::new(10, 2, 0, 2)),
];

pub(crate) const CONFIG: &str = r#"[director]
interfaces = ["eth0"]
http = "10.2.0.5:9208"

[[service]]
listen = "tcp/10.2.0.100:80"
scheduler = "rr"

[service.check]
kind = "http"
interval = 0.2

[[service.real]]
address = "10.2.0.2"
weight = 3

[[service]]
listen = "tcp/10.2.0.100:81"
scheduler = "mh"
quorum = 2

[[service.real]]
address = "10.2.0.2"

[[service.real]]
address = "10.2.0.77"
"#;

pub(crate) struct Site {
    pub(crate) director: Director,
    pub(crate) web: Nginx,
    pub(crate) lab: Lab,
}

impl Site {
    /// With the web service serving.
    pub(crate) fn new() -> Result<Self> {
        let lab = Lab::new(&HOSTS)?;
        let server = lab.host("server2");
        server.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2")?;
        server.sh(&format!("ip addr add {VIP}/32 dev lo"))?;
        let web = server.nginx("page\n")?;
        let director = lab.host("director").director(CONFIG)?;
        let site = Self { director, web, lab };
        wait("the web service serves", || Ok(site.page().is_ok()))?;
        Ok(site)
    }

    pub(crate) fn host(&self) -> &Host {
        self.lab.host("director")
    }

    /// Fetches a page by the VIP.
    pub(crate) fn page(&self) -> Result<String> {
        let url = format!("http://{VIP}/");
        get(self.lab.host("client"), &[&url])
    }

    pub(crate) fn drover(&self, arguments: &[&str]) -> Result<String> {
        self.host().drover(arguments)?.success()
    }

    pub(crate) fn series(&self) -> Result<Series> {
        let url = format!("{URL}/metrics");
        Ok(Series::of(&get(self.lab.host("client"), &[&url])?))
    }

    /// Waits until the metrics are as they should be.
    pub(crate) fn wait_for(&self, what: &str, is_so: impl Fn(&Series) -> bool) -> Result<()> {
        wait(what, || Ok(is_so(&self.series()?)))
    }
}

/// What `curl` gets; what is refused is an error.
pub(crate) fn get(host: &Host, words: &[&str]) -> Result<String> {
    let curl = ["curl", "-gfsS", "--max-time", "20"];
    host.run(&[&curl, words].concat())?.success()
}

/// Values by name and labels, as they are written.
#[derive(Debug)]
pub(crate) struct Series(BTreeMap<String, f64>);

impl Series {
    pub(crate) fn of(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.filter_map(|line| line.rsplit_once(' '));
        let series = pairs.map(|(name, value)| (name.to_owned(), value.parse()));
        let numbers = series.filter_map(|(name, value)| Some((name, value.ok()?)));
        Self(numbers.collect())
    }

    pub(crate) fn get(&self, name: &str) -> Result<f64> {
        self.0.get(name).copied().with_context(|| {
            let family = name.split('{').next().unwrap_or_default();
            let near: Vec<_> = self.0.keys().filter(|it| it.starts_with(family)).collect();
            format!("no {name}; there are {near:?}")
        })
    }

    /// As `get`, of the web service's real server.
    pub(crate) fn of_web(&self, name: &str) -> Result<f64> {
        self.get(&format!("{name}{{service=\"{WEB}\",real=\"{REAL}\"}}"))
    }
}
