//! LANs that are less plain.

use anyhow::Result;
use tests::Nginx;

use crate::site::{
    SERVICE, SERVICE6, Site, URLS, VIP, VIP6, classic_real_server, companion, lab, wait,
};

/// A client behind a router whose link to it takes smaller packets than both ends know of. The
/// router tells the VIP; what it says has to reach the real server, or no large page arrives.
#[test]
fn a_smaller_mtu_on_the_way_is_found() -> Result<()> {
    for scheduler in ["rr", "mh"] {
        let site = Site::new("", scheduler, 2)?;
        let router = site.lab.host("client");
        let mut far = router.spawn(&["unshare", "--net", "sleep", "60"])?;
        let inside = format!("nsenter --target {} --net", far.id());
        let is_apart = || {
            let namespaces = format!(
                "readlink /proc/{}/ns/net /proc/self/ns/net | uniq",
                far.id()
            );
            Ok(router.sh(&namespaces)?.lines().count() == 2)
        };
        wait("the far host has a namespace of its own", is_apart)?;
        for line in [
            format!(
                "ip link add near type veth peer name far netns {}",
                far.id()
            ),
            "ip addr add 10.55.0.1/24 dev near".into(),
            "ip link set near mtu 1400 up".into(),
            "sysctl -qw net.ipv4.ip_forward=1".into(),
            format!("{inside} ip addr add 10.55.0.9/24 dev far"),
            format!("{inside} ip link set far mtu 1500 up"),
            format!("{inside} ip route add default via 10.55.0.1"),
            "ip addr add 2001:db8:55::1/64 dev near nodad".into(),
            "sysctl -qw net.ipv6.conf.all.forwarding=1".into(),
            format!("{inside} ip addr add 2001:db8:55::9/64 dev far nodad"),
            format!("{inside} ip route add default via 2001:db8:55::1"),
            // The router's own segmentation must not do what it should complain about.
            "ethtool -K eth0 gro off; ethtool -K near gso off tso off tx off".into(),
            format!("{inside} ethtool -K far tx off"),
        ] {
            router.sh(&line)?;
        }
        for server in ["server2", "server3"] {
            let server = site.lab.host(server);
            server.sh("ip route add 10.55.0.0/24 via 172.25.138.9")?;
            server.sh("ip route add 2001:db8:55::/64 via 2001:db8::9")?;
            server.sh("ethtool -K eth0 gso off tso off")?;
        }
        for url in [URLS, URLS].concat() {
            let curl = format!(
                "{inside} curl -gsS --max-time 10 -o /dev/null -w '%{{size_download}}' {url}big"
            );
            let got = router.sh(&curl)?;
            assert_eq!(got, Nginx::BIG.to_string(), "{scheduler}, {url}");
        }
        far.stop()?;
    }
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

/// Clients are on the LAN, real servers in a VLAN of the director's eth0: their frames get its tag.
#[test]
fn frames_for_real_servers_in_a_vlan_get_its_tag() -> Result<()> {
    let lab = lab()?;
    let probe = "ip link add link eth0 name probe type vlan id 9 && ip link del probe";
    if lab.host("client").sh(probe).is_err() {
        println!("not run: this kernel has no VLAN interfaces (8021q)");
        return Ok(());
    }
    let (client, director) = (lab.host("client"), lab.host("director"));
    let reals = ["server2", "server3"].map(|name| lab.host(name));
    for host in reals.into_iter().chain([director]) {
        let last = host.address().octets()[3];
        host.sh("ip link add link eth0 name eth0.100 type vlan id 100")?;
        host.sh(&format!("ip addr add 10.9.0.{last}/24 dev eth0.100"))?;
        host.sh(&format!(
            "ip addr add 2001:db8:9::{last}/64 dev eth0.100 nodad"
        ))?;
        host.sh("ip link set eth0.100 up")?;
    }
    let mut servers = Vec::new();
    let mut config = String::from("[director]\ninterfaces = [\"eth0\"]\n");
    for (name, net) in [(SERVICE, "10.9.0."), (SERVICE6, "2001:db8:9::")] {
        config += &format!("\n[[service]]\nlisten = \"{name}\"\nscheduler = \"rr\"\n");
        for last in [2, 3] {
            config += &format!("\n[[service.real]]\naddress = \"{net}{last}\"\n");
        }
    }
    for host in reals {
        classic_real_server(host, VIP)?;
        companion(host, VIP6)?;
        servers.push(host.nginx(&format!("{host}\n"))?);
    }
    let _director = director.director(&config)?;
    let list = || director.drover(&["list"])?.success();
    wait("the real servers are active", || {
        Ok(list()?.matches(" active").count() == 4)
    })?;
    for url in URLS {
        let curl = ["curl", "-gsS", "--max-time", "2", url];
        let page = |_| client.run(&curl)?.success();
        let pages: Vec<String> = (0..4).map(page).collect::<Result<_>>()?;
        assert_eq!(pages[..2], pages[2..]);
        assert_ne!(pages[0], pages[1]);
    }
    Ok(())
}
