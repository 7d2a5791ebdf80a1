//! A director that has VIPs and a daemon, real servers, one of them without the VIPs, and checks.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
};

use anyhow::{Context as _, Result};
use lb_user::{
    dataplane::pins::{Pins, Role},
    health::path::{Path, Probed},
    net::{self, Handle},
};
use tests::{Director, Host, Lab, Nginx, Output};
use tokio::runtime::{Builder, Runtime};

pub(crate) const VIPS: [&str; 2] = ["172.25.138.100", "2001:db8::100"];
pub(crate) const ECHO: u16 = 7;

const HOSTS: [(&str, Ipv4Addr); 4] = [
    ("director", Ipv4Addr::new(172, 25, 138, 5)),
    ("server2", Ipv4Addr::new(172, 25, 138, 2)),
    ("server3", Ipv4Addr::new(172, 25, 138, 3)),
    ("server4", Ipv4Addr::new(172, 25, 138, 4)),
];
/// It has a web server and no VIP.
const WITHOUT: &str = "server4";

pub(crate) struct Site {
    pub(crate) daemon: Director,
    _servers: Vec<Nginx>,
    pub(crate) lab: Lab,
}

impl Site {
    pub(crate) fn new() -> Result<Self> {
        let lab = Lab::new(&HOSTS)?;
        let mut servers = Vec::new();
        for host in lab.hosts() {
            let address = of_v6(host);
            host.sh(&format!("ip addr add {address}/64 dev eth0 nodad"))?;
            // The director's is what a check would see that goes astray.
            servers.push(host.nginx(&format!("{host}\n"))?);
            if host.name() == "director" || host.name() == WITHOUT {
                continue;
            }
            let [v4, v6] = VIPS;
            // The kernel is silent about IPv6 addresses on lo by itself.
            host.sh(&format!(
                "sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 && \
                 ip addr add {v4}/32 dev lo && \
                 ip addr add {v6}/128 dev lo nodad preferred_lft 0"
            ))?;
        }
        let mut config = String::from("[director]\ninterfaces = [\"eth0\"]\n");
        for (listen, real) in [
            ("172.25.138.100", "172.25.138.2"),
            ("[2001:db8::100]", "2001:db8::2"),
        ] {
            config += &format!(
                "\n[[service]]\nlisten = \"tcp/{listen}:80\"\nscheduler = \"rr\"\n\
                 \n[[service.real]]\naddress = \"{real}\"\n"
            );
        }
        Ok(Self {
            daemon: lab.host("director").director(&config)?,
            _servers: servers,
            lab,
        })
    }

    pub(crate) fn director(&self) -> &Host {
        self.lab.host("director")
    }

    /// Both VIPs on each of these.
    pub(crate) fn probed(&self, names: &[&str]) -> Vec<Probed> {
        let interface = self.index("eth0").unwrap();
        let pairs = names.iter().flat_map(|name| VIPS.map(|vip| (*name, vip)));
        let probed = pairs.map(|(name, vip)| Probed {
            vip: ip(vip),
            real: self.real(name, vip),
            interface,
        });
        probed.collect()
    }

    /// The first VIP on a real server by another interface.
    pub(crate) fn probed_by(&self, real: IpAddr, interface: &str) -> Result<Probed> {
        Ok(Probed {
            vip: ip(VIPS[0]),
            real,
            interface: self.index(interface)?,
        })
    }

    /// Of the VIP's version.
    pub(crate) fn real(&self, name: &str, vip: &str) -> IpAddr {
        let host = self.lab.host(name);
        match ip(vip) {
            IpAddr::V4(_) => host.address().into(),
            IpAddr::V6(_) => ip(&of_v6(host)),
        }
    }

    pub(crate) fn name(&self, real: IpAddr) -> &str {
        let mut hosts = self.lab.hosts().iter();
        let is_it = |host: &&Host| real == host.address() || real == ip(&of_v6(host));
        hosts.find(is_it).unwrap().name()
    }

    /// With patience, as the machine may be busy.
    pub(crate) fn page(&self, address: IpAddr) -> Result<String> {
        let words = ["curl", "-gsS", "--max-time", "10", &url(address, "")];
        self.director().run(&words)?.success()
    }

    pub(crate) fn curl(&self, url: &str) -> Result<Output> {
        let words = ["curl", "-gsS", "--max-time", "2", url];
        self.director().run(&words)
    }

    /// Opens the path on the director, does the work there, and closes it: nothing may be left.
    pub(crate) fn checking<T: Send>(
        &self,
        work: impl FnOnce(&mut Checks) -> Result<T> + Send,
    ) -> Result<T> {
        self.director().enter(|| {
            let before = self.trace()?;
            let mut checks = Checks::open(self.director())?;
            assert_eq!(self.trace()?, before, "nothing is there without checks");
            let done = work(&mut checks)?;
            checks.close()?;
            assert_eq!(self.trace()?, before);
            Ok(done)
        })?
    }

    /// Whatever a path makes: routes, programs, qdiscs, pins.
    pub(crate) fn trace(&self) -> Result<String> {
        self.director().sh(&format!(
            "ip route show table all proto 208; ip -6 route show table all proto 208; \
             tc qdisc show; find {} -path '*/probe*'",
            self.director().pins().display()
        ))
    }

    pub(crate) fn index(&self, interface: &str) -> Result<u32> {
        let index = format!("cat /sys/class/net/{interface}/ifindex");
        Ok(self.director().sh(&index)?.trim().parse()?)
    }
}

/// The path as a daemon has it, on this thread's host.
pub(crate) struct Checks {
    runtime: Runtime,
    netlink: Handle,
    path: Path,
}

impl Checks {
    pub(crate) fn open(host: &Host) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let pins = Pins::make(Some(host.pins()), Role::Director)?;
        let (netlink, path) = runtime.block_on(async {
            let netlink = net::connect()?;
            let path = Path::open(&netlink, pins.dir()).await?;
            anyhow::Ok((netlink, path))
        })?;
        Ok(Self {
            runtime,
            netlink,
            path,
        })
    }

    pub(crate) fn set(&mut self, wanted: &[Probed]) -> Result<HashMap<(IpAddr, IpAddr), IpAddr>> {
        self.runtime.block_on(self.path.set(&self.netlink, wanted))
    }

    pub(crate) fn close(self) -> Result<()> {
        let closed = self.runtime.block_on(self.path.close(&self.netlink));
        closed.context("cannot close the path")
    }
}

pub(crate) fn url(address: IpAddr, page: &str) -> String {
    match address {
        IpAddr::V4(address) => format!("http://{address}/{page}"),
        IpAddr::V6(address) => format!("http://[{address}]/{page}"),
    }
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn of_v6(host: &Host) -> String {
    format!("2001:db8::{}", host.address().octets()[3])
}
