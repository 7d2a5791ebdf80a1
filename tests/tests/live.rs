//! A director on a LAN, with real clients, real web servers and an operator at work.

use std::{
    fs,
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::{Director, Host, Lab, Nginx};

const CLIENT: Ipv4Addr = Ipv4Addr::new(172, 25, 138, 9);
const DIRECTOR: Ipv4Addr = Ipv4Addr::new(172, 25, 138, 5);
const REALS: [(&str, Ipv4Addr); 3] = [
    ("server2", Ipv4Addr::new(172, 25, 138, 2)),
    ("server3", Ipv4Addr::new(172, 25, 138, 3)),
    ("server4", Ipv4Addr::new(172, 25, 138, 4)),
];
const VIP: &str = "172.25.138.100";
const SERVICE: &str = "tcp/172.25.138.100:80";
const URL: &str = "http://172.25.138.100/";

#[test]
fn pages_alternate_in_native_and_in_generic_mode() -> Result<()> {
    for (mode, told) in [
        ("auto", "native"),
        ("native", "native"),
        ("generic", "generic"),
    ] {
        let site = Site::new(&format!("xdp = \"{mode}\""), "rr", 2)?;
        let status: Value = serde_json::from_str(&site.drover(&["status", "-o", "json"])?)?;
        assert_eq!(status["interfaces"][0]["xdp"], told, "{mode}");
        let pages: Vec<String> = (0..6).map(|_| site.page()).collect::<Result<_>>()?;
        assert_eq!(pages[..2], pages[2..4], "{pages:?}");
        assert_ne!(pages[0], pages[1], "{pages:?}");
    }
    Ok(())
}

#[test]
fn what_is_not_for_a_service_is_the_hosts_own() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let (client, director) = (site.lab.host("client"), site.lab.host("director"));
    let _own = director.nginx_on(8080, "director\n")?;
    client
        .run(&["ping", "-c", "2", "-W", "1", VIP])?
        .success()?;
    client
        .run(&["ping", "-c", "1", "-s", "4000", "-W", "1", VIP])?
        .success()?;
    for address in ["172.25.138.5:8080", "172.25.138.100:8080"] {
        let url = format!("http://{address}/");
        let page = client
            .run(&["curl", "-sS", "--max-time", "2", &url])?
            .success()?;
        assert_eq!(page, "director\n", "{address}");
    }
    Ok(())
}

/// What an operator does in a day, while clients fetch pages all the time.
#[test]
fn no_request_fails_while_the_operator_works() -> Result<()> {
    for scheduler in ["rr", "mh"] {
        let mut site = Site::new("", scheduler, 3)?;
        site.drover(&["real", "remove", SERVICE, "172.25.138.4"])?;
        let client = site.lab.host("client").clone();
        let done = AtomicBool::new(false);
        let (pages, failed, slow) = thread::scope(|scope| -> Result<_> {
            let curl = scope.spawn(|| fetch_until(&client, &done));
            let download = scope.spawn(|| download(&client));
            let worked = site.work();
            done.store(true, Relaxed);
            let (pages, failed) = curl.join().expect("the thread does not panic")?;
            let slow = download.join().expect("the thread does not panic")?;
            worked?;
            Ok((pages, failed, slow))
        })?;
        println!("{scheduler}: {pages} pages, {} failed", failed.len());
        assert_eq!(failed, Vec::<String>::new(), "{scheduler}");
        assert!(pages > 100, "{scheduler}: only {pages} pages");
        assert_eq!(
            slow,
            Nginx::SLOW,
            "{scheduler}: a download that runs through it all"
        );
    }
    Ok(())
}

#[test]
fn a_changed_mac_is_taken_up_at_once() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let server2 = site.lab.host("server2");
    // As a bond that fails over does: the kernel tells the LAN of the new address.
    server2.sh("sysctl -qw net.ipv4.conf.eth0.arp_notify=1")?;
    server2.sh("ip link set eth0 address 02:00:00:00:00:77")?;
    let changed = site.wait_for(|reals| reals[0]["mac"] == "02:00:00:00:00:77")?;
    println!("taken up after {changed:?}");
    // What the kernel forgets is not lost to new flows while it asks again.
    site.lab.host("director").sh("ip neigh flush all")?;
    let list = site.drover(&["list"])?;
    assert_eq!(list.matches(" active").count(), 2, "{list}");
    for _ in 0..4 {
        site.page()?;
    }
    Ok(())
}

#[test]
fn a_real_server_that_is_not_there_says_so_until_it_is() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    site.drover(&["real", "add", SERVICE, "172.25.138.77"])?;
    site.wait_for(|reals| {
        reals[2]["state"] == "unresolved"
            && reals[2]["reason"] == "nobody answers ARP for 172.25.138.77 on eth0"
            && reals[2]["mac"].is_null()
    })?;
    let pages: Vec<String> = (0..4).map(|_| site.page()).collect::<Result<_>>()?;
    assert_eq!(pages[..2], pages[2..], "two take turns: {pages:?}");
    let server4 = site.lab.host("server4");
    server4.sh("ip addr add 172.25.138.77/24 dev eth0")?;
    site.wait_for(|reals| reals[2]["state"] == "active")?;
    Ok(())
}

#[test]
fn vips_come_with_the_first_service_and_go_with_the_last() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let director = site.lab.host("director");
    let has_vip = || Ok::<_, anyhow::Error>(director.sh("ip -4 addr show eth0")?.contains(VIP));
    assert!(has_vip()?);
    site.drover(&["service", "add", "tcp/172.25.138.100:81"])?;
    site.drover(&["service", "remove", SERVICE])?;
    assert!(has_vip()?, "81 still needs it");
    site.drover(&["service", "remove", "tcp/172.25.138.100:81"])?;
    assert!(!has_vip()?);
    director.sh("ip addr add 172.25.138.100/32 dev eth0")?;
    site.drover(&["service", "add", SERVICE])?;
    site.drover(&["service", "remove", SERVICE])?;
    assert!(has_vip()?, "not the daemon's to take away");
    Ok(())
}

#[test]
fn detach_leaves_nothing_of_the_director() -> Result<()> {
    let mut site = Site::new("", "rr", 2)?;
    let director = site.lab.host("director").clone();
    let refused = director.drover(&["director", "detach"])?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        refused.stderr.contains("runs in this network namespace"),
        "{}",
        refused.stderr
    );
    site.director.stop()?;
    assert!(
        director.sh("ip link show eth0")?.contains("xdp"),
        "packets go on"
    );
    site.page()?;
    director.drover(&["director", "detach"])?.success()?;
    assert!(!director.sh("ip link show eth0")?.contains("xdp"));
    assert!(!director.sh("ip addr show eth0")?.contains(VIP));
    assert!(!director.pins().join("director").exists());
    Ok(())
}

/// Real servers are on the VLAN, and so is the VIP; the director's eth0 has its frames with their tag.
#[test]
fn a_vlan_is_served_from_its_parent() -> Result<()> {
    let lab = lab()?;
    let probe = "ip link add link eth0 name probe type vlan id 9 && ip link del probe";
    if lab.host("client").sh(probe).is_err() {
        println!("not run: this kernel has no VLAN interfaces (8021q)");
        return Ok(());
    }
    for host in lab.hosts() {
        let last = host.address().octets()[3];
        host.sh("ip link add link eth0 name eth0.10 type vlan id 10")?;
        host.sh(&format!(
            "ip addr add 10.9.0.{last}/24 dev eth0.10 && ip link set eth0.10 up"
        ))?;
    }
    let (client, director) = (lab.host("client"), lab.host("director"));
    let mut servers = Vec::new();
    for name in ["server2", "server3"] {
        classic_real_server(lab.host(name), "10.9.0.100")?;
        servers.push(lab.host(name).nginx(&format!("{name}\n"))?);
    }
    let config = "[director]\ninterfaces = [\"eth0\"]\n\n[[service]]\nlisten = \"tcp/10.9.0.100:80\"\nscheduler = \"rr\"\n\n\
                  [[service.real]]\naddress = \"10.9.0.2\"\n\n[[service.real]]\naddress = \"10.9.0.3\"\n";
    let _director = director.director(config)?;
    let resolved = || {
        Ok(director
            .drover(&["list"])?
            .success()?
            .matches(" active")
            .count()
            == 2)
    };
    wait("both real servers are active", resolved)?;
    let page = || {
        client
            .run(&["curl", "-sS", "--max-time", "2", "http://10.9.0.100/"])?
            .success()
    };
    let pages: Vec<String> = (0..4).map(|_| page()).collect::<Result<_>>()?;
    assert_eq!(pages[..2], pages[2..]);
    assert_ne!(pages[0], pages[1]);
    Ok(())
}

/// A lab with a director in front of some of its real servers.
struct Site {
    director: Director,
    _servers: Vec<Nginx>,
    lab: Lab,
}

impl Site {
    fn new(options: &str, scheduler: &str, reals: usize) -> Result<Self> {
        let lab = lab()?;
        let mut servers = Vec::new();
        let mut config = format!(
            "# The site.\n[director]\ninterfaces = [\"eth0\"]\n{options}\n\n\
             [[service]]\nlisten = \"{SERVICE}\"\nscheduler = \"{scheduler}\"\n"
        );
        for (name, address) in REALS {
            classic_real_server(lab.host(name), VIP)?;
            servers.push(lab.host(name).nginx(&format!("{name}\n"))?);
            if servers.len() <= reals {
                config += &format!("\n[[service.real]]\naddress = \"{address}\"\n");
            }
        }
        let site = Self {
            director: lab.host("director").director(&config)?,
            _servers: servers,
            lab,
        };
        site.wait_for(|all| all.iter().all(|real| real["state"] == "active"))?;
        Ok(site)
    }

    fn drover(&self, arguments: &[&str]) -> Result<String> {
        self.lab.host("director").drover(arguments)?.success()
    }

    fn page(&self) -> Result<String> {
        let client = self.lab.host("client");
        client
            .run(&["curl", "-sS", "--max-time", "2", URL])?
            .success()
    }

    /// Waits until the real servers are as they should be; says how long it took.
    fn wait_for(&self, are_right: impl Fn(&[Value]) -> bool) -> Result<Duration> {
        let start = Instant::now();
        wait("the real servers are as they should be", || {
            let list: Value = serde_json::from_str(&self.drover(&["list", "-o", "json"])?)?;
            let reals = list[0]["reals"].as_array().context("no reals")?;
            Ok(are_right(reals))
        })?;
        Ok(start.elapsed())
    }

    /// Adds, weighs, removes, adds again, kills, reloads: an operator's day in some seconds.
    fn work(&mut self) -> Result<()> {
        let pause = || sleep(Duration::from_millis(400));
        let config = self.lab.host("director").director_config();
        for round in 0..2 {
            let other = if round == 0 { "mh" } else { "rr" };
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
                self.drover(command)?;
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

fn lab() -> Result<Lab> {
    let mut hosts = vec![("client", CLIENT), ("director", DIRECTOR)];
    hosts.extend(REALS);
    Lab::new(&hosts)
}

/// A real server set up by hand, as operators do without the companion.
fn classic_real_server(host: &Host, vip: &str) -> Result<()> {
    host.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2")?;
    host.sh(&format!("ip addr add {vip}/32 dev lo"))?;
    Ok(())
}

/// Fetches pages one after the other; returns how many, and what was said of each that failed.
fn fetch_until(client: &Host, done: &AtomicBool) -> Result<(usize, Vec<String>)> {
    let (mut pages, mut failed) = (0, Vec::new());
    while !done.load(Relaxed) {
        let output = client.run(&["curl", "-sS", "--max-time", "3", URL])?;
        pages += 1;
        if !output.status.success() {
            failed.push(output.stderr);
        }
    }
    Ok((pages, failed))
}

/// Fetches what takes eight seconds; returns its octets.
fn download(client: &Host) -> Result<u64> {
    let url = format!("{URL}slow");
    let words = [
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{size_download}",
        &url,
    ];
    Ok(client.run(&words)?.success()?.parse()?)
}

fn wait(what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let start = Instant::now();
    while !is_so()? {
        ensure!(
            start.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        sleep(Duration::from_millis(20));
    }
    Ok(())
}
