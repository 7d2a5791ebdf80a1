//! The director has the capabilities that its unit gives: they are enough, and each is needed.

use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::MetadataExt,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tests::{Host, Lab, Nginx};

use crate::rights::{GROUP, Rights};

const UNIT: &str = "drover-director.service";
const VIP: Ipv4Addr = Ipv4Addr::new(10, 2, 0, 100);
const SERVERS: [&str; 2] = ["server2", "server3"];
const HOSTS: [(&str, Ipv4Addr); 4] = [
    ("client", Ipv4Addr::new(10, 2, 0, 9)),
    ("director", Ipv4Addr::new(10, 2, 0, 5)),
    ("server2", Ipv4Addr::new(10, 2, 0, 2)),
    ("server3", Ipv4Addr::new(10, 2, 0, 3)),
];
const SERVICE: &str = "tcp/10.2.0.100:80";
const CONFIG: &str = r#"[director]
interfaces = ["eth0"]
http = "10.2.0.5:9208"

[[service]]
listen = "tcp/10.2.0.100:80"
scheduler = "rr"

[[service.real]]
address = "10.2.0.2"
"#;

#[test]
fn the_daemon_does_its_work_with_the_unit_s_capabilities() -> Result<()> {
    let site = Site::new()?;
    let (rights, director) = (Rights::of(UNIT)?, site.lab.host("director"));
    let mut daemon = rights.start(director)?;
    let log = daemon.log();
    ensure!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    let socket = fs::metadata(director.dir().join("director.sock"))?;
    assert_eq!((socket.gid(), socket.mode() & 0o777), (GROUP, 0o660));
    site.serves(&["server2"])?;
    let metrics = "curl -fsS http://10.2.0.5:9208/metrics";
    ensure!(director.sh(metrics)?.contains("\nprocess_open_fds "));

    director
        .drover(&["real", "add", SERVICE, "10.2.0.3"])?
        .success()?;
    site.serves(&SERVERS)?;
    let new = ["service", "add", "tcp/10.2.0.101:80"];
    director.drover(&new)?.success()?;
    director.drover(&["reload"])?.success()?;

    daemon.kill9();
    site.serves(&SERVERS)?;
    let daemon = rights.start(director)?;
    site.serves(&SERVERS)?;
    director
        .drover(&["real", "remove", SERVICE, "10.2.0.2"])?
        .success()?;
    site.serves(&["server3"])?;
    let log = daemon.log();
    ensure!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    Ok(())
}

#[test]
fn each_right_is_needed() -> Result<()> {
    // What is taken away; whether the daemon becomes ready; what it says.
    let table = [
        (
            "CAP_BPF",
            false,
            "this needs CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON",
        ),
        (
            "CAP_NET_ADMIN",
            false,
            "this needs CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON",
        ),
        (
            "CAP_PERFMON",
            false,
            "this needs CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON",
        ),
        (
            "CAP_NET_RAW",
            true,
            "cannot open a packet socket to announce a VIP by: Operation not permitted",
        ),
        ("group", false, "cannot listen on"),
    ];
    let rights = Rights::of(UNIT)?;
    let mut listed: Vec<_> = table.iter().map(|(right, ..)| *right).collect();
    listed.pop();
    assert_eq!(rights.capabilities, listed, "the table has them all");

    let lab = Lab::new(&[HOSTS[1]])?;
    let director = lab.host("director");
    let log = director.dir().join("sh.log");
    for (right, is_ready, said) in table {
        fs::write(director.director_config(), CONFIG)?;
        let started = rights.without(right).start(director);
        assert_eq!(started.is_ok(), is_ready, "without {right}");
        drop(started);
        let text = fs::read_to_string(&log)?;
        println!("without {right}: {}", text.trim());
        ensure!(text.contains(said), "without {right}: {text}");
        fs::remove_file(&log)?;
        // The VIP is added, and announced, anew.
        if director.drover(&["director", "detach"])?.status.success() {
            let addresses = director.sh("ip -br addr show eth0")?;
            ensure!(!addresses.contains(&VIP.to_string()), "{addresses}");
        }
    }
    Ok(())
}

/// Real servers as they are set up by hand: the VIP on `lo`, and ARP kept quiet by the two variables.
struct Site {
    /// Dropped before their hosts.
    _webs: Vec<Nginx>,
    lab: Lab,
}

impl Site {
    fn new() -> Result<Self> {
        let lab = Lab::new(&HOSTS)?;
        let mut webs = Vec::new();
        for name in SERVERS {
            let server = lab.host(name);
            by_hand(server)?;
            webs.push(server.nginx(name)?);
        }
        fs::write(lab.host("director").director_config(), CONFIG)?;
        Ok(Self { _webs: webs, lab })
    }

    /// Waits until new connections reach all of `servers`, and no other, 10 s at the most.
    fn serves(&self, servers: &[&str]) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let pages = (0..4).map(|_| self.page()).collect::<Result<Vec<_>>>()?;
            if servers
                .iter()
                .all(|name| pages.iter().any(|page| page == name))
                && pages.iter().all(|page| servers.contains(&page.as_str()))
            {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "{pages:?} in place of {servers:?}"
            );
            sleep(Duration::from_millis(100));
        }
    }

    fn page(&self) -> Result<String> {
        let url = format!("http://{VIP}/");
        let curl = ["curl", "-sS", "--max-time", "2", &url];
        let output = self.lab.host("client").run(&curl)?;
        Ok(output.stdout + &output.stderr)
    }
}

fn by_hand(server: &Host) -> Result<()> {
    server.sh("echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore")?;
    server.sh("echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce")?;
    server.sh(&format!("ip addr add {VIP}/32 dev lo"))?;
    Ok(())
}
