//! The same real servers behind this director and behind the kernel's own: what is alike, and what is not.
//!
//! One director has both, each for a VIP of its own. Not every kernel has `ip_vs`: `cargo xtask vm` runs these on some
//! that do.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::Result;
use tests::{
    Director, Host, Lab, Nginx,
    frames::{ACK, Sent},
    wait,
};

const OURS: &str = "172.25.138.100";
const IPVS: &str = "172.25.138.200";
const REALS: [(&str, Ipv4Addr); 3] = [
    ("server2", Ipv4Addr::new(172, 25, 138, 2)),
    ("server3", Ipv4Addr::new(172, 25, 138, 3)),
    ("server4", Ipv4Addr::new(172, 25, 138, 4)),
];

struct Site {
    lab: Lab,
    _director: Director,
    _servers: Vec<Nginx>,
}

#[test]
#[ignore = "needs the kernel's ip_vs"]
fn new_connections_go_to_the_same_shares() -> Result<()> {
    for (scheduler, weights, want) in [
        ("rr", [1, 1, 1], [4, 4, 4]),
        ("wrr", [3, 2, 1], [6, 4, 2]),
        // A client's are all at one.
        ("sh", [1, 1, 1], [12, 0, 0]),
    ] {
        let site = Site::new(scheduler, &weights)?;
        for vip in [OURS, IPVS] {
            let mut shares = site.shares(vip, 12)?;
            if scheduler == "sh" {
                shares.sort_by(|a, b| b.cmp(a));
            }
            assert_eq!(shares, want, "{scheduler} by {vip}");
        }
    }
    Ok(())
}

/// MACs, type of service, TTL, flags, lengths.
#[test]
#[ignore = "needs the kernel's ip_vs"]
fn what_a_real_server_gets_is_the_same() -> Result<()> {
    let site = Site::new("rr", &[1])?;
    let server = site.lab.host("server2");
    let mut seen = Vec::new();
    for vip in [OURS, IPVS] {
        let syn = format!("dst host {vip} and tcp[13] = 2");
        let log = heard(server, &syn, || site.shares(vip, 1).map(drop))?;
        // Without its time and identification, and what is the client's choice.
        let (_, head) = log.split_once("02:00:").expect("a frame");
        let (head, _) = head.split_once("proto").expect("an IP header");
        let words = head.split(' ').scan("", |before, word| {
            let is_id = std::mem::replace(before, word) == "id";
            Some(if is_id { "" } else { word })
        });
        seen.push(words.collect::<Vec<_>>().join(" "));
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].contains("ttl 63"), "{seen:?}");
    Ok(())
}

#[test]
#[ignore = "needs the kernel's ip_vs"]
fn without_a_real_server_connections_are_refused() -> Result<()> {
    let site = Site::new("rr", &[])?;
    for vip in [OURS, IPVS] {
        let url = format!("http://{vip}/");
        let output = site
            .lab
            .host("client")
            .run(&["curl", "-sS", "-m", "20", &url])?;
        assert_eq!(output.status.code(), Some(7), "{vip}: {}", output.stderr);
    }
    Ok(())
}

/// IPVS resets it; here it is taken for older than the records, and goes where the hash says.
#[test]
#[ignore = "needs the kernel's ip_vs"]
fn a_connection_that_nobody_knows_goes_on_here() -> Result<()> {
    let site = Site::new("sh", &[1])?;
    let (client, director) = (site.lab.host("client"), site.lab.host("director"));
    let server = site.lab.host("server2");
    for (vip, from) in [(OURS, server), (IPVS, director)] {
        let orphan = Sent {
            to: director.mac().0,
            from: client.mac().0,
            client: client.address(),
            client_port: 50123,
            vip: vip.parse()?,
            port: 80,
            ttl: 64,
        };
        let reset = format!("src host {vip} and tcp[13] & 4 != 0");
        let log = heard(client, &reset, || client.transmit(&summed(orphan.tcp(ACK))))?;
        assert!(log.contains(&format!("{} >", from.mac())), "{vip}: {log}");
    }
    Ok(())
}

/// IPVS drops what comes from the client from then on; here its connections drain.
#[test]
#[ignore = "needs the kernel's ip_vs"]
fn connections_of_a_removed_one_end_well_here() -> Result<()> {
    let site = Site::new("rr", &[1])?;
    let client = site.lab.host("client");
    let mut downloads = Vec::new();
    for vip in [OURS, IPVS] {
        let url = format!("http://{vip}/slow");
        downloads.push(client.spawn(&["curl", "-sS", "-m", "40", "-o", "/dev/null", &url])?);
        let connected = format!("ss -Htn state established dst {vip}");
        wait("it has begun", || Ok(!client.sh(&connected)?.is_empty()))?;
    }
    let director = site.lab.host("director");
    let service = format!("tcp/{OURS}:80");
    director
        .drover(&["real", "remove", &service, "172.25.138.2"])?
        .success()?;
    director.sh(&format!("ipvsadm -d -t {IPVS}:80 -r 172.25.138.2"))?;
    for (mut download, want) in downloads.into_iter().zip([0, 28]) {
        let status = download.wait(Duration::from_secs(60))?;
        assert_eq!(status.code(), Some(want), "{}", download.log());
    }
    Ok(())
}

/// The first frame of a kind that a host hears when something is done, in tcpdump's words.
fn heard(host: &Host, filter: &str, act: impl FnOnce() -> Result<()>) -> Result<String> {
    let mut tcpdump = host.spawn(&["tcpdump", "-nlevi", "eth0", "-c", "1", filter])?;
    // The log is that of all before it.
    let times = |log: &str, word| log.matches(word).count();
    wait("it listens", || {
        let log = tcpdump.log();
        Ok(times(&log, "listening") > times(&log, "received by filter"))
    })?;
    act()?;
    tcpdump.wait(Duration::from_secs(20))?;
    let log = tcpdump.log();
    let (_, last) = log.rsplit_once("listening").unwrap_or_default();
    Ok(last.to_owned())
}

/// With its TCP checksum (RFC 9293, section 3.1), of a header of IPv4 without options.
fn summed(mut frame: Vec<u8>) -> Vec<u8> {
    const PROTOCOL: u32 = 6;
    let segment = 14 + 20..14 + 20 + 20;
    let words = frame[26..segment.end].chunks(2);
    let sum = words.fold(PROTOCOL + segment.len() as u32, |sum, word| {
        sum + u32::from(u16::from_be_bytes([word[0], word[1]]))
    });
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    frame[segment.start + 16..][..2].copy_from_slice(&(!folded as u16).to_be_bytes());
    frame
}

impl Site {
    /// As many real servers as there are weights, behind both.
    fn new(scheduler: &str, weights: &[u32]) -> Result<Self> {
        let mut hosts = vec![
            ("client", Ipv4Addr::new(172, 25, 138, 9)),
            ("director", Ipv4Addr::new(172, 25, 138, 5)),
        ];
        hosts.extend(&REALS[..weights.len()]);
        let lab = Lab::new(&hosts)?;
        let director = lab.host("director");
        let mut config = format!(
            "[director]\ninterfaces = [\"eth0\"]\n\
             [[service]]\nlisten = \"tcp/{OURS}:80\"\nscheduler = \"{scheduler}\"\n"
        );
        let mut rules =
            format!("ip addr add {IPVS}/32 dev eth0; ipvsadm -A -t {IPVS}:80 -s {scheduler}");
        let mut servers = Vec::new();
        for ((name, address), weight) in REALS.iter().zip(weights) {
            config += &format!("[[service.real]]\naddress = \"{address}\"\nweight = {weight}\n");
            rules += &format!(" && ipvsadm -a -t {IPVS}:80 -r {address} -g -w {weight}");
            let host = lab.host(name);
            host.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2")?;
            host.sh(&format!(
                "ip addr add {OURS}/32 dev lo; ip addr add {IPVS}/32 dev lo"
            ))?;
            servers.push(host.nginx(&format!("{name}\n"))?);
        }
        director.sh(&rules)?;
        let director = director.director(&config)?;
        let site = Self {
            lab,
            _director: director,
            _servers: servers,
        };
        wait("all are active", || {
            let list = site
                .lab
                .host("director")
                .drover(&["list", "-o", "json"])?
                .success()?;
            let list: serde_json::Value = serde_json::from_str(&list)?;
            let reals = list[0]["reals"].as_array().map_or(&[][..], Vec::as_slice);
            Ok(reals.len() == weights.len() && reals.iter().all(|real| real["state"] == "active"))
        })?;
        Ok(site)
    }

    /// How many of some connections each real server has got.
    fn shares(&self, vip: &str, connections: usize) -> Result<Vec<usize>> {
        let url = format!("http://{vip}/");
        let mut words = vec!["curl", "-sS", "-m", "20", "-H", "Connection: close"];
        words.extend(std::iter::repeat_n(url.as_str(), connections));
        let pages = self.lab.host("client").run(&words)?.success()?;
        let count =
            |(name, _): &(&str, Ipv4Addr)| pages.lines().filter(|page| page == name).count();
        Ok(REALS.iter().map(count).collect())
    }
}
