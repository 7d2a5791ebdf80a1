//! The path of checks: the programs in the kernel on one frame at a time, and on a LAN. Needs root.

mod kernel;
mod leftovers;
mod packet;
mod scale;
mod site;

use std::{
    net::{IpAddr, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use self::site::{ECHO, Site, VIPS, url};

/// The VIPs are on the director, too, where its own program and daemon are.
#[test]
fn each_real_server_answers_for_itself() -> Result<()> {
    let site = Site::new()?;
    site.checking(|checks| {
        let probes = checks.set(&site.probed(&["server2", "server3"]))?;
        for vip in VIPS {
            for name in ["server2", "server3"] {
                let probe = probes[&(site::ip(vip), site.real(name, vip))];
                for _ in 0..3 {
                    assert_eq!(site.page(probe)?, format!("{name}\n"), "{vip} by {probe}");
                }
                // Segments that are longer than a frame, in both directions.
                let words = format!("curl -gsS {} | wc -c", url(probe, "big"));
                let octets = site.director().sh(&words)?;
                assert_eq!(octets.trim(), tests::Nginx::BIG.to_string(), "{probe}");
                let words = format!(
                    "head -c 900000 /dev/zero | curl -gsS -o /dev/null -w '%{{http_code}}' \
                     -H Expect: --data-binary @- {}",
                    url(probe, "")
                );
                assert_eq!(site.director().sh(&words)?, "405", "{probe}");
            }
        }
        Ok(())
    })
}

#[test]
fn a_real_server_without_the_vip_times_out() -> Result<()> {
    const TIMED_OUT: i32 = 28;
    let site = Site::new()?;
    site.checking(|checks| {
        let probes = checks.set(&site.probed(&["server2", "server4"]))?;
        for vip in VIPS {
            let real = site.real("server4", vip);
            assert_eq!(site.page(real)?, "server4\n", "its web server runs");
            let probe = probes[&(site::ip(vip), real)];
            let output = site.curl(&url(probe, ""))?;
            assert_eq!(output.status.code(), Some(TIMED_OUT), "{output:?}");
        }
        Ok(())
    })
}

#[test]
fn datagrams_and_echoes_come_back() -> Result<()> {
    let site = Site::new()?;
    for name in ["server2", "server3"] {
        for vip in VIPS {
            let host = site.lab.host(name);
            let socket = host.enter(|| UdpSocket::bind((site::ip(vip), ECHO)))??;
            thread::spawn(move || {
                let mut datagram = [0; 2048];
                while let Ok((len, from)) = socket.recv_from(&mut datagram) {
                    let said = [name.as_bytes(), &datagram[..len]].concat();
                    let _ = socket.send_to(&said, from);
                }
            });
        }
    }
    site.checking(|checks| {
        let probes = checks.set(&site.probed(&["server2", "server3", "server4"]))?;
        for ((vip, real), &probe) in &probes {
            let name = site.name(*real);
            let ping = [
                "ping",
                "-c",
                "2",
                "-i",
                "0.1",
                "-W",
                "1",
                &probe.to_string(),
            ];
            let pinged = site.director().run(&ping)?;
            assert_eq!(
                pinged.status.success(),
                name != "server4",
                "{vip} on {name}: {pinged:?}"
            );
            if name == "server4" {
                continue;
            }
            for len in [0, 1, 512, 1400] {
                let said = echo(probe, len).with_context(|| format!("{vip} on {name}"))?;
                let want = [name.as_bytes(), &vec![b'x'; len]].concat();
                assert_eq!(said, want, "{vip} on {name}, {len} octets");
            }
        }
        Ok(())
    })
}

#[test]
fn a_reverse_path_filter_lets_replies_in() -> Result<()> {
    let site = Site::new()?;
    for (mode, what) in [(1, "strict"), (2, "loose")] {
        for interface in ["all", "eth0"] {
            let set = format!("sysctl -qw net.ipv4.conf.{interface}.rp_filter={mode}");
            site.director().sh(&set)?;
        }
        site.checking(|checks| {
            let probes = checks.set(&site.probed(&["server3"]))?;
            for (pair, &probe) in &probes {
                assert_eq!(site.page(probe)?, "server3\n", "{what}, {pair:?}");
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Not from a VIP, which the real server has, too, though it is the subnet's first address; nor from
/// one that is more like the probe address (RFC 6724 section 5, rule 8).
#[test]
fn checks_are_sent_from_the_subnets_own_address() -> Result<()> {
    let site = Site::new()?;
    site.director().sh(
        "ip addr del 172.25.138.5/24 dev eth0 && ip addr add 172.25.138.100/24 dev eth0 && \
         ip addr add 172.25.138.5/24 dev eth0 && ip addr add 1:2::5/64 dev eth0 nodad",
    )?;
    site.checking(|checks| {
        let probes = checks.set(&site.probed(&["server2"]))?;
        for (vip, source) in VIPS.into_iter().zip(["172.25.138.5", "2001:db8::5"]) {
            let probe = probes[&(site::ip(vip), site.real("server2", vip))];
            let route = site.director().sh(&format!("ip route get {probe}"))?;
            assert!(route.contains(&format!("src {source} ")), "{route}");
            assert_eq!(site.page(probe)?, "server2\n");
        }
        Ok(())
    })
}

#[test]
fn what_changes_leaves_the_others_as_they_are() -> Result<()> {
    let site = Site::new()?;
    site.checking(|checks| {
        let probes = checks.set(&site.probed(&["server2", "server3"]))?;
        let kept = site.probed(&["server3", "server4"]);
        let after = checks.set(&kept)?;
        assert_eq!(after.len(), 4);
        for (pair, probe) in &probes {
            let page = site.curl(&url(*probe, ""))?;
            if site.name(pair.1) == "server3" {
                assert_eq!(after[pair], *probe);
                assert_eq!(page.success()?, "server3\n");
            } else {
                assert!(page.stderr.contains("Couldn't connect"), "{page:?}");
            }
        }
        Ok(())
    })
}

/// The kernel takes routes away with their interface; a default route leads to who has the VIP, too.
#[test]
fn a_probe_without_a_route_goes_nowhere_until_it_has_one() -> Result<()> {
    let site = Site::new()?;
    site.checking(|checks| {
        let wanted = site.probed(&["server2"]);
        let probes = checks.set(&wanted)?;
        site.director()
            .sh("ip link set eth0 down && ip link set eth0 up && \
             ip addr replace 2001:db8::5/64 dev eth0 nodad && \
             ip route add default via 172.25.138.3 && ip route add default via 2001:db8::3")?;
        for &probe in probes.values() {
            let page = site.curl(&url(probe, ""))?;
            assert!(page.stderr.contains("Couldn't connect"), "{page:?}");
        }
        assert_eq!(checks.set(&wanted)?, probes);
        for &probe in probes.values() {
            assert_eq!(site.page(probe)?, "server2\n");
        }
        Ok(())
    })
}

/// Where this kernel has VLANs.
#[test]
fn a_real_server_in_a_vlan_is_reached() -> Result<()> {
    let site = Site::new()?;
    let has_vlans = "ip link add link eth0 name probe type vlan id 9 && ip link del probe";
    if site.director().sh(has_vlans).is_err() {
        println!("not run: this kernel has no VLAN interfaces (8021q)");
        return Ok(());
    }
    for host in [site.director(), site.lab.host("server2")] {
        let last = host.address().octets()[3];
        host.sh(&format!(
            "ip link add link eth0 name eth0.100 type vlan id 100 && \
             ip addr add 10.9.0.{last}/24 dev eth0.100 && ip link set eth0.100 up"
        ))?;
    }
    site.checking(|checks| {
        let mut wanted = site.probed(&["server3"]);
        wanted.push(site.probed_by("10.9.0.2".parse()?, "eth0.100")?);
        let probes = checks.set(&wanted)?;
        let vip = site::ip(VIPS[0]);
        for (real, page) in [
            ("10.9.0.2".parse()?, "server2\n"),
            (site.real("server3", VIPS[0]), "server3\n"),
        ] {
            assert_eq!(site.page(probes[&(vip, real)])?, page);
        }
        Ok(())
    })
}

/// Sends a datagram until it is answered.
fn echo(probe: IpAddr, len: usize) -> Result<Vec<u8>> {
    let any: IpAddr = match probe {
        IpAddr::V4(_) => [0; 4].into(),
        IpAddr::V6(_) => [0; 16].into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    let begin = Instant::now();
    let mut datagram = [0; 2048];
    loop {
        socket.send_to(&vec![b'x'; len], (probe, ECHO))?;
        if let Ok((len, from)) = socket.recv_from(&mut datagram) {
            ensure!(from.ip() == probe, "answered by {from}");
            return Ok(datagram[..len].to_vec());
        }
        ensure!(begin.elapsed() < Duration::from_secs(5), "no answer");
    }
}
