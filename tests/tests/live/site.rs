//! A director in front of real servers that are set up by hand, and what operators and clients do.

use std::{
    cell::RefCell,
    fs,
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde_json::Value;
pub(crate) use tests::wait;
use tests::{Director, Host, Lab, Nginx};

const CLIENT: Ipv4Addr = Ipv4Addr::new(172, 25, 138, 9);
const DIRECTOR: Ipv4Addr = Ipv4Addr::new(172, 25, 138, 5);
pub(crate) const REALS: [(&str, Ipv4Addr); 3] = [
    ("server2", Ipv4Addr::new(172, 25, 138, 2)),
    ("server3", Ipv4Addr::new(172, 25, 138, 3)),
    ("server4", Ipv4Addr::new(172, 25, 138, 4)),
];
pub(crate) const VIP: &str = "172.25.138.100";
pub(crate) const SERVICE: &str = "tcp/172.25.138.100:80";
pub(crate) const VIP6: &str = "2001:db8::100";
pub(crate) const SERVICE6: &str = "tcp/[2001:db8::100]:80";
/// Of both services.
pub(crate) const URLS: [&str; 2] = ["http://172.25.138.100/", "http://[2001:db8::100]/"];

/// A lab with a director in front of some of its real servers, of both versions.
pub(crate) struct Site {
    pub(crate) director: Director,
    pub(crate) servers: Vec<Nginx>,
    pub(crate) lab: Lab,
}

impl Site {
    pub(crate) fn new(options: &str, scheduler: &str, reals: usize) -> Result<Self> {
        let lab = lab()?;
        let mut servers = Vec::new();
        let mut config = format!("# The site.\n[director]\ninterfaces = [\"eth0\"]\n{options}\n");
        for name in [SERVICE, SERVICE6] {
            config += &format!("\n[[service]]\nlisten = \"{name}\"\nscheduler = \"{scheduler}\"\n");
            for (_, address) in &REALS[..reals] {
                let address = match name {
                    SERVICE => address.to_string(),
                    _ => ipv6(&address.to_string()),
                };
                config += &format!("\n[[service.real]]\naddress = \"{address}\"\n");
            }
        }
        for (name, _) in REALS {
            classic_real_server(lab.host(name), VIP)?;
            companion(lab.host(name), VIP6)?;
            servers.push(lab.host(name).nginx(&format!("{name}\n"))?);
        }
        let site = Self {
            director: lab.host("director").director(&config)?,
            servers,
            lab,
        };
        for service in [SERVICE, SERVICE6] {
            site.wait_for(service, |all| {
                all.iter().all(|real| real["state"] == "active")
            })?;
        }
        Ok(site)
    }

    pub(crate) fn drover(&self, arguments: &[&str]) -> Result<String> {
        self.lab.host("director").drover(arguments)?.success()
    }

    /// Does to the service of IPv6 what is done to that of IPv4.
    pub(crate) fn drover_both(&self, arguments: &[&str]) -> Result<()> {
        self.drover(arguments)?;
        let others: Vec<String> = arguments.iter().map(|word| ipv6(word)).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        self.drover(&others)?;
        Ok(())
    }

    pub(crate) fn page(&self, url: &str) -> Result<String> {
        let client = self.lab.host("client");
        client
            .run(&["curl", "-gsS", "--max-time", "2", url])?
            .success()
    }

    /// Waits until a service's real servers are as they should be; says how long it took.
    pub(crate) fn wait_for(
        &self,
        service: &str,
        are_right: impl Fn(&[Value]) -> bool,
    ) -> Result<Duration> {
        let start = Instant::now();
        let last = RefCell::new(String::new());
        let right = wait("the real servers are as they should be", || {
            let list: Value = serde_json::from_str(&self.drover(&["list", "-o", "json"])?)?;
            *last.borrow_mut() = list.to_string();
            let services = list.as_array().context("no services")?;
            let service = services.iter().find(|it| it["service"] == service);
            let reals = service.and_then(|it| it["reals"].as_array());
            Ok(are_right(reals.context("no reals")?))
        });
        right.with_context(|| last.take())?;
        Ok(start.elapsed())
    }

    /// Adds, weighs, removes, adds again, kills, reloads: an operator's day in some seconds. What
    /// becomes of one service becomes of the other.
    pub(crate) fn work(&mut self) -> Result<()> {
        let pause = || sleep(Duration::from_millis(400));
        let config = self.lab.host("director").director_config();
        for round in 0..3 {
            let other = if round % 2 == 0 { "mh" } else { "rr" };
            for command in [
                &["real", "add", SERVICE, "172.25.138.4", "--weight", "2"][..],
                &["real", "edit", SERVICE, "172.25.138.3", "--weight", "3"],
                &["real", "edit", SERVICE, "172.25.138.3", "--weight", "0"],
                &["real", "remove", SERVICE, "172.25.138.3"],
                &["service", "edit", SERVICE, "--scheduler", other],
                &["real", "add", SERVICE, "172.25.138.3"],
                &["service", "edit", SERVICE, "--scheduler", "wrr"],
                &["real", "remove", SERVICE, "172.25.138.4"],
            ] {
                self.drover_both(command)?;
                pause();
            }
            self.director.kill9();
            pause();
            self.director.start()?;
            pause();
            let text = fs::read_to_string(&config)?;
            fs::write(&config, text.replace("# The site.", "# The site, changed."))?;
            self.drover(&["reload"])?;
            pause();
        }
        Ok(())
    }
}

/// Hosts that have an address of IPv6 for that of IPv4.
pub(crate) fn lab() -> Result<Lab> {
    let mut hosts = vec![("client", CLIENT), ("director", DIRECTOR)];
    hosts.extend(REALS);
    let lab = Lab::new(&hosts)?;
    for host in lab.hosts() {
        let address = ipv6(&host.address().to_string());
        host.sh(&format!("ip addr add {address}/64 dev eth0 nodad"))?;
    }
    Ok(lab)
}

/// What has the place of an address or a service of IPv4; other words as they are.
pub(crate) fn ipv6(word: &str) -> String {
    word.replace(SERVICE, SERVICE6)
        .replace("172.25.138.", "2001:db8::")
}

/// A real server set up by hand, as operators do without the companion.
pub(crate) fn classic_real_server(host: &Host, vip: &str) -> Result<()> {
    host.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2")?;
    host.sh(&format!("ip addr add {vip}/32 dev lo"))?;
    Ok(())
}

/// A real server of IPv6, by the companion.
pub(crate) fn companion(host: &Host, vip: &str) -> Result<()> {
    let attach = ["realserver", "attach", "--interface", "eth0", "--vip", vip];
    host.drover(&attach)?.success()?;
    Ok(())
}

/// Fetches pages one after the other; returns how many, and what was said of each that failed.
pub(crate) fn fetch_until(
    client: &Host,
    url: &str,
    done: &AtomicBool,
) -> Result<(usize, Vec<String>)> {
    let (mut pages, mut failed) = (0, Vec::new());
    while !done.load(Relaxed) {
        let output = client.run(&["curl", "-gsS", "--max-time", "3", url])?;
        pages += 1;
        if !output.status.success() {
            failed.push(output.stderr);
        }
    }
    Ok((pages, failed))
}

/// Fetches what takes eight seconds; returns its octets.
pub(crate) fn download(client: &Host, url: &str) -> Result<u64> {
    let url = format!("{url}slow");
    let words = [
        "curl",
        "-gsS",
        "-o",
        "/dev/null",
        "-w",
        "%{size_download}",
        &url,
    ];
    Ok(client.run(&words)?.success()?.parse()?)
}
