//! Other hosts that answer for a VIP, as the director sees them.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tests::{Host, Process};

use crate::site::{SERVICE, Site, VIP, VIP6, wait};

/// Both versions: a VIP on `lo` of a host that does not ignore ARP for it, and one on `eth0`.
#[test]
fn a_real_server_that_answers_is_named_until_it_is_quiet() -> Result<()> {
    let site = Site::new("leak_check = 1", "rr", 2)?;
    let [server2, server3] = ["server2", "server3"].map(|name| site.lab.host(name));
    let (macs, mut events) = ([server2, server3].map(mac), events(&site)?);
    // Each is asked several times, and quiet.
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(leaks(&site)?, Vec::<Value>::new());

    server2.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=0")?;
    server3.drover(&["realserver", "detach"])?.success()?;
    server3.sh(&format!("ip addr add {VIP6}/128 dev eth0 nodad"))?;
    let reals = [
        json!(["172.25.138.2", "2001:db8::2"]),
        json!(["172.25.138.3", "2001:db8::3"]),
    ];
    let named = |i: usize, vip: &str| json!({"vip": vip, "mac": macs[i], "real": reals[i], "interface": "eth0"});
    let both = [named(0, VIP), named(1, VIP6)];
    wait("both are named", || Ok(pairs(&site)? == both))?;
    let status = site.drover(&["status"])?;
    let line = format!(
        "leak         {VIP} is also at {} on eth0: real server 172.25.138.2, 2001:db8::2\n",
        macs[0]
    );
    assert!(status.contains(&line), "{status}");
    let count = |i: usize| leaks(&site).map(|it| it[i]["count"].as_u64().unwrap_or_default());
    wait("they are counted", || Ok(count(0)? > 2 && count(1)? > 2))?;

    server2.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1")?;
    server3.sh(&format!("ip addr del {VIP6}/128 dev eth0"))?;
    wait("both are over", || Ok(leaks(&site)?.is_empty()))?;
    events.kill9();
    for (i, vip) in [VIP, VIP6].into_iter().enumerate() {
        let of_it = told(&events)?.into_iter().filter(|it| it["vip"] == vip);
        let told: Vec<Value> = of_it.collect();
        let kinds: Vec<&Value> = told.iter().map(|it| &it["event"]).collect();
        assert_eq!(kinds, ["leak", "leak-over"], "each once");
        assert!(told.iter().all(|it| it["real"] == reals[i]), "{told:?}");
        let line = format!("WARN {vip} is also at {} on eth0: real server ", macs[i]);
        let log = site.director.log();
        assert_eq!(log.matches(&line).count(), 1, "{log}");
    }
    // What the director is told of its own address changes nothing for it.
    let director = site.lab.host("director");
    for vip in [VIP, VIP6] {
        let held = director.sh(&format!("ip addr show dev eth0 to {vip}"))?;
        assert!(held.contains(vip) && !held.contains("dadfailed"), "{held}");
        assert_eq!(director.sh(&format!("ip neigh show to {vip}"))?, "");
    }
    Ok(())
}

#[test]
fn a_stranger_is_told_without_a_real_server() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let client = site.lab.host("client");
    // As of who is no host of the VIP.
    client.sh("sysctl -qw net.ipv4.ip_nonlocal_bind=1")?;
    let stranger = json!({"vip": VIP, "mac": mac(client), "real": [], "interface": "eth0"});
    client.sh(&format!("arping -c 1 -A -I eth0 {VIP}"))?;
    wait("-A is heard", || Ok(pairs(&site)? == [stranger.clone()]))?;
    client.sh(&format!("arping -c 1 -U -I eth0 {VIP}"))?;
    wait("-U, too", || Ok(leaks(&site)?[0]["count"] == 2))?;
    let log = site.director.log();
    let line = format!(
        "{VIP} is also at {} on eth0: no real server's MAC",
        mac(client)
    );
    assert_eq!(log.matches(&line).count(), 1, "{log}");
    client.transmit(&announcement([0, 0, 0x5e, 0, 1, 7]))?;
    wait("a virtual router is told as one", || {
        let line = format!("{VIP} is also at 00:00:5e:00:01:07 on eth0: a virtual router's MAC");
        Ok(site.director.log().contains(&line))
    })?;
    // What the director says itself is heard by nobody here.
    site.drover(&["service", "remove", SERVICE])?;
    wait("they go with the VIP", || Ok(leaks(&site)?.is_empty()))
}

/// Where something else decides who has the VIP, who has it is not told, unless it is a real server.
#[test]
fn another_director_is_no_leak() -> Result<()> {
    let site = Site::new("vip = \"external\"\nleak_check = 1", "rr", 2)?;
    let [client, server2] = ["client", "server2"].map(|name| site.lab.host(name));
    client.transmit(&announcement([2, 0, 0, 0, 0, 0x66]))?;
    server2.sh(&format!("arping -c 1 -A -I eth0 {VIP}"))?;
    let leak = json!({"vip": VIP, "mac": mac(server2), "real": ["172.25.138.2", "2001:db8::2"], "interface": "eth0"});
    wait("the real server is told", || {
        Ok(pairs(&site)? == [leak.clone()])
    })?;
    // It takes over.
    site.lab
        .host("director")
        .sh(&format!("ip addr add {VIP}/32 dev eth0"))?;
    let other = || {
        Ok(pairs(&site)?
            .iter()
            .any(|it| it["mac"] == "02:00:00:00:00:66"))
    };
    wait("then the other is one", || {
        client.transmit(&announcement([2, 0, 0, 0, 0, 0x66]))?;
        other()
    })
}

#[test]
fn a_leak_in_a_vlan_is_found_there() -> Result<()> {
    let site = Site::new("leak_check = 1", "rr", 2)?;
    let probe = "ip link add link eth0 name probe type vlan id 9 && ip link del probe";
    if site.lab.host("client").sh(probe).is_err() {
        println!("not run: this kernel has no VLAN interfaces (8021q)");
        return Ok(());
    }
    for (name, host) in [("director", 5), ("server4", 4)] {
        let vlan = "ip link add link eth0 name eth0.100 type vlan id 100";
        let host = format!("ip addr add 10.9.0.{host}/24 dev eth0.100; ip link set eth0.100 up");
        site.lab.host(name).sh(&format!("{vlan}; {host}"))?;
    }
    let server4 = site.lab.host("server4");
    server4.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=0; ip addr add 10.9.0.100/32 dev lo")?;
    let service = "tcp/10.9.0.100:80";
    wait("the VLAN is known", || {
        let added = site.drover(&["service", "add", service]);
        Ok(added
            .and_then(|_| site.drover(&["real", "add", service, "10.9.0.4"]))
            .is_ok())
    })?;
    let leak = json!({"vip": "10.9.0.100", "mac": mac(server4), "real": ["10.9.0.4"], "interface": "eth0.100"});
    // On `eth0`, the VIP that it has on `lo` is told as well.
    wait("it is told", || Ok(pairs(&site)?.contains(&leak)))
}

/// A gratuitous request for the VIP, of RFC 5227 section 2.3.
fn announcement(mac: [u8; 6]) -> Vec<u8> {
    let (head, vip) = ([8, 6, 0, 1, 8, 0, 6, 4, 0, 1], [172, 25, 138, 100]);
    [&[0xff; 6][..], &mac, &head, &mac, &vip, &[0; 6], &vip].concat()
}

fn mac(host: &Host) -> String {
    host.mac().to_string()
}

fn leaks(site: &Site) -> Result<Vec<Value>> {
    let status: Value = serde_json::from_str(&site.drover(&["status", "-o", "json"])?)?;
    Ok(status["leaks"].as_array().context("no leaks")?.clone())
}

/// The same without times and counts.
fn pairs(site: &Site) -> Result<Vec<Value>> {
    let mut leaks = leaks(site)?;
    for leak in leaks.iter_mut().filter_map(Value::as_object_mut) {
        for key in ["since", "last_seen", "count"] {
            leak.remove(key).with_context(|| format!("no {key}"))?;
        }
    }
    Ok(leaks)
}

pub(crate) fn events(site: &Site) -> Result<Process> {
    let director = site.lab.host("director");
    let socket = director.dir().join("director.sock").display().to_string();
    let url = "http://drover/v1/events";
    let listener = director.spawn(&["curl", "-sSN", "--unix-socket", &socket, url])?;
    // Until it listens.
    std::thread::sleep(std::time::Duration::from_millis(300));
    Ok(listener)
}

pub(crate) fn told(listener: &Process) -> Result<Vec<Value>> {
    let log = listener.log();
    let told = log.lines().filter_map(|line| line.strip_prefix("data: "));
    Ok(told.map(serde_json::from_str).collect::<Result<_, _>>()?)
}
