//! A director on a LAN, with real clients, real web servers and an operator at work.

mod agents;
mod fragments;
mod groups;
mod health;
mod leaks;
mod links;
mod neighbours;
mod passive;
mod paths;
mod progress;
mod site;
mod states;
mod terminal;
mod top;
mod transactions;
mod upgrade;

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use anyhow::Result;
use serde_json::Value;
use site::{SERVICE, SERVICE6, Site, URLS, VIP, VIP6, download, fetch_until, wait};
use tests::Nginx;

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
        for url in URLS {
            let pages: Vec<String> = (0..6).map(|_| site.page(url)).collect::<Result<_>>()?;
            assert_eq!(pages[..2], pages[2..4], "{pages:?}");
            assert_ne!(pages[0], pages[1], "{pages:?}");
        }
    }
    Ok(())
}

#[test]
fn what_is_not_for_a_service_is_the_hosts_own() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let (client, director) = (site.lab.host("client"), site.lab.host("director"));
    let _own = director.nginx_on(8080, "director\n")?;
    for vip in [VIP, VIP6] {
        for size in ["56", "4000"] {
            client
                .run(&["ping", "-c", "2", "-i", "0.2", "-s", size, "-W", "1", vip])?
                .success()?;
        }
    }
    // What the director asks is not asked in the name of a VIP: the answer would be the real
    // server's own.
    for real in ["172.25.138.2", "2001:db8::2"] {
        director
            .run(&["ping", "-c", "1", "-W", "1", real])?
            .success()?;
    }
    for address in ["172.25.138.5", VIP, "[2001:db8::5]", "[2001:db8::100]"] {
        let page = site.page(&format!("http://{address}:8080/"))?;
        assert_eq!(page, "director\n", "{address}");
    }
    Ok(())
}

#[test]
fn no_request_fails_while_the_operator_of_rr_works() -> Result<()> {
    no_request_fails_while_the_operator_works("rr")
}

#[test]
fn no_request_fails_while_the_operator_of_mh_works() -> Result<()> {
    no_request_fails_while_the_operator_works("mh")
}

/// A connection that is held open, one that was closed, and what of them is asked for.
#[test]
fn flows_are_listed_with_their_addresses() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let client = site.lab.host("client");
    let connect = "exec 3<>/dev/tcp/172.25.138.100/80; sleep 30";
    let _held = client.spawn(&["bash", "-c", connect])?;
    let is_held = || {
        Ok(site
            .drover(&["flows", "--state", "established"])?
            .lines()
            .count()
            == 2)
    };
    wait("the connection is listed", is_held)?;
    client
        .run(&["curl", "-sS", "--local-port", "40001", URLS[0]])?
        .success()?;
    let json = |options: &[&str]| -> Result<Value> {
        let words = [&["flows", "-o", "json"], options].concat();
        Ok(serde_json::from_str(&site.drover(&words)?)?)
    };
    let closed = json(&["--state", "FIN_WAIT"])?;
    let flow = &closed["flows"][0];
    assert_eq!(flow["protocol"], "tcp");
    assert_eq!(flow["client"], "172.25.138.9:40001");
    assert_eq!(flow["vip"], "172.25.138.100:80");
    let expires = flow["expires"].as_u64().unwrap_or_default();
    assert!((110..=120).contains(&expires), "{flow}");
    let real = flow["real"].as_str().unwrap_or_default();
    let page = client
        .run(&["curl", "-sS", &format!("http://{real}/")])?
        .success()?;
    let list = site.drover(&["list", "-o", "json"])?;
    let list: Value = serde_json::from_str(&list)?;
    let reals = list[0]["reals"].as_array().expect("real servers");
    let its = reals
        .iter()
        .find(|it| it["inactive"] == 1)
        .expect("the one with a closed flow");
    assert_eq!(
        real,
        format!("{}:80", its["address"].as_str().unwrap_or_default()),
        "{page}"
    );

    let table = site.drover(&["flows", "--state", "FIN_WAIT"])?;
    let (title, row) = table.split_once('\n').expect("a title and a row");
    assert_eq!(
        title,
        "pro expire state       source             virtual            destination"
    );
    let row: Vec<&str> = row.split_whitespace().collect();
    assert!(row[1].starts_with("01:5") || row[1] == "02:00", "{row:?}");
    let rest = ["FIN_WAIT", "172.25.138.9:40001", "172.25.138.100:80", real];
    assert_eq!((row[0], &row[2..]), ("TCP", &rest[..]));

    let rip = real.trim_end_matches(":80");
    for (options, flows) in [
        (&[][..], 2),
        (&["--service", SERVICE], 2),
        (&["--real", rip], 1),
        (&["--real", "172.25.138.4"], 0),
        (&["--client", "172.25.138.9"], 2),
        (&["--client", "172.25.138.0/29"], 0),
        (&["--client", "172.25.138.8/29", "--real", rip], 1),
        (&["--state", "UDP"], 0),
    ] {
        let found = json(options)?;
        assert_eq!(
            found["flows"].as_array().map(Vec::len),
            Some(flows),
            "{options:?}"
        );
        assert_eq!((&found["more"], &found["unknown"]), (&0.into(), &0.into()));
    }
    let one = site
        .lab
        .host("director")
        .drover(&["flows", "--limit", "1"])?;
    assert_eq!(one.stderr, "1 more, as --limit is 1\n");
    assert_eq!(one.stdout.lines().count(), 2);
    let status = site.drover(&["status"])?;
    assert!(status.contains(" of 1048576, 48 octets each"), "{status}");
    Ok(())
}

#[test]
fn a_changed_mac_is_taken_up_at_once() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let server2 = site.lab.host("server2");
    // As a bond that fails over does: the kernel tells the LAN of the new address.
    server2.sh("sysctl -qw net.ipv4.conf.eth0.arp_notify=1 net.ipv6.conf.eth0.ndisc_notify=1")?;
    server2.sh("ip link set eth0 address 02:00:00:00:00:77")?;
    for service in [SERVICE, SERVICE6] {
        let is_new = |reals: &[Value]| reals[0]["mac"] == "02:00:00:00:00:77";
        let changed = site.wait_for(service, is_new)?;
        println!("{service}: taken up after {changed:?}");
    }
    // What the kernel forgets is not lost to new flows while it asks again.
    site.lab.host("director").sh("ip neigh flush all")?;
    let list = site.drover(&["list"])?;
    assert_eq!(list.matches(" active").count(), 4, "{list}");
    for url in [URLS, URLS].concat() {
        site.page(url)?;
    }
    Ok(())
}

#[test]
fn a_real_server_that_is_not_there_says_so_until_it_is() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    site.drover_both(&["real", "add", SERVICE, "172.25.138.77"])?;
    let server4 = site.lab.host("server4");
    for (service, url, address, asked) in [
        (
            SERVICE,
            URLS[0],
            "172.25.138.77/24",
            "ARP for 172.25.138.77",
        ),
        (
            SERVICE6,
            URLS[1],
            "2001:db8::77/64",
            "Neighbor Discovery for 2001:db8::77",
        ),
    ] {
        let reason = format!("nobody answers {asked} on eth0");
        site.wait_for(service, |reals| {
            reals[2]["state"] == "unresolved"
                && reals[2]["reason"] == reason
                && reals[2]["mac"].is_null()
        })?;
        let pages: Vec<String> = (0..4).map(|_| site.page(url)).collect::<Result<_>>()?;
        assert_eq!(pages[..2], pages[2..], "two take turns: {pages:?}");
        server4.sh(&format!("ip addr add {address} dev eth0"))?;
        site.wait_for(service, |reals| reals[2]["state"] == "active")?;
    }
    Ok(())
}

/// To ask for a neighbour that is permanent would make it one like others.
#[test]
fn a_permanent_neighbour_stays_permanent() -> Result<()> {
    let mut site = Site::new("", "rr", 2)?;
    let director = site.lab.host("director").clone();
    let reals = [(SERVICE, "172.25.138.77"), (SERVICE6, "2001:db8::77")];
    for (service, real) in reals {
        director.sh(&format!(
            "ip neigh add {real} lladdr 02:00:00:00:00:77 nud permanent dev eth0"
        ))?;
        site.drover(&["real", "add", service, real])?;
        site.wait_for(service, |reals| reals[2]["state"] == "active")?;
    }
    // A daemon that starts asks for all of them.
    site.director.stop()?;
    site.director.start()?;
    for (service, real) in reals {
        site.wait_for(service, |reals| reals[2]["state"] == "active")?;
        let neighbour = director.sh(&format!("ip neigh show {real}"))?;
        assert!(neighbour.contains("PERMANENT"), "{neighbour}");
    }
    Ok(())
}

#[test]
fn vips_come_with_the_first_service_and_go_with_the_last() -> Result<()> {
    let site = Site::new("", "rr", 2)?;
    let director = site.lab.host("director");
    let has_vip = || Ok::<_, anyhow::Error>(director.sh("ip -4 addr show eth0")?.contains(VIP));
    let vip6 = || director.sh(&format!("ip -6 addr show dev eth0 to {VIP6}"));
    assert!(has_vip()?);
    // Nobody else's to be found out, at once of use, and not a source.
    let at_first = vip6()?;
    assert!(
        ["/128 ", " nodad", " deprecated"]
            .iter()
            .all(|it| at_first.contains(it)),
        "{at_first}"
    );
    site.drover(&["service", "remove", SERVICE6])?;
    assert_eq!(vip6()?, "");
    site.drover(&["service", "add", SERVICE6])?;
    assert_eq!(vip6()?, at_first);
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
    for url in URLS {
        site.page(url)?;
    }
    director.drover(&["director", "detach"])?.success()?;
    assert!(!director.sh("ip link show eth0")?.contains("xdp"));
    let left = director.sh("ip addr show eth0")?;
    assert!(!left.contains(VIP) && !left.contains(VIP6), "{left}");
    assert!(!director.pins().join("director").exists());
    Ok(())
}

/// What an operator does in a day, while clients fetch pages all the time.
fn no_request_fails_while_the_operator_works(scheduler: &str) -> Result<()> {
    let mut site = Site::new("", scheduler, 3)?;
    site.drover_both(&["real", "remove", SERVICE, "172.25.138.4"])?;
    let client = site.lab.host("client").clone();
    let done = AtomicBool::new(false);
    let clients = thread::scope(|scope| -> Result<_> {
        let clients = URLS.map(|url| {
            let curl = scope.spawn(|| fetch_until(&client, url, &done));
            (curl, scope.spawn(|| download(&client, url)))
        });
        let worked = site.work();
        done.store(true, Relaxed);
        let clients = clients.map(|(curl, download)| {
            let curl = curl.join().expect("the thread does not panic");
            (curl, download.join().expect("the thread does not panic"))
        });
        worked?;
        Ok(clients)
    })?;
    for (url, (curl, slow)) in URLS.into_iter().zip(clients) {
        let (pages, failed) = curl?;
        println!("{scheduler}, {url}: {pages} pages, {} failed", failed.len());
        assert_eq!(failed, Vec::<String>::new(), "{scheduler}, {url}");
        assert!(pages > 100, "{scheduler}, {url}: only {pages} pages");
        assert_eq!(
            slow?,
            Nginx::SLOW,
            "{scheduler}, {url}: a download that runs through it all"
        );
    }
    Ok(())
}
