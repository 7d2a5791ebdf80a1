//! Where pages are served: where the file says, and nothing else waits for that.

use anyhow::{Result, ensure};
use tests::{Host, wait};

use crate::site::{CONFIG, Site, URL, get};

const OTHER: &str = "http://127.0.0.1:9300";

fn at(address: &str) -> String {
    CONFIG.replace("10.2.0.5:9208", address)
}

fn is_served(host: &Host, url: &str) -> bool {
    get(host, &[&format!("{url}/metrics")]).is_ok()
}

#[test]
fn a_reload_moves_the_pages() -> Result<()> {
    let site = Site::new()?;
    let host = site.host();
    ensure!(is_served(host, URL));
    let diff = host.dir().join("other.toml").display().to_string();
    std::fs::write(&diff, at("127.0.0.1:9300"))?;
    assert_eq!(
        site.drover(&["diff", &diff])?,
        "~ http 10.2.0.5:9208 -> 127.0.0.1:9300\n"
    );
    // Then one that has the port on all addresses, and back.
    for (address, url) in [
        ("127.0.0.1:9300", OTHER),
        ("0.0.0.0:9300", OTHER),
        ("127.0.0.1:9300", OTHER),
        ("[::1]:9300", "http://[::1]:9300"),
    ] {
        site.director.reload(&at(address))?.success()?;
        ensure!(is_served(host, url) && !is_served(host, URL), "{address}");
    }
    let none = CONFIG.replace("http = \"10.2.0.5:9208\"\n", "");
    site.director.reload(&none)?.success()?;
    for url in [URL, OTHER] {
        ensure!(!is_served(host, url), "{url}");
    }
    ensure!(!host.sh("ss -ltn")?.contains("9300"));
    site.director.reload(CONFIG)?.success()?;
    ensure!(is_served(host, URL));
    Ok(())
}

#[test]
fn where_pages_cannot_be_served_a_reload_is_refused_and_all_stays() -> Result<()> {
    let site = Site::new()?;
    let host = site.host();
    let _web = host.nginx_on(9400, "taken\n")?;
    for (address, why) in [
        (
            "127.0.0.1:9400",
            "something else listens on port 9400 (`ss -ltnp` tells what); give another: Address already in use (os error 98)",
        ),
        (
            "10.2.0.99:9208",
            "10.2.0.99 is no address of this host; give one: Cannot assign requested address (os error 99)",
        ),
    ] {
        let other = at(address).replace("weight = 3", "weight = 5");
        let refused = site.director.reload(&other)?;
        let line = format!("drover: cannot serve `http` at {address}: {why}\n");
        assert_eq!(refused.stderr, line);
        assert_eq!(refused.status.code(), Some(1));
        ensure!(is_served(host, URL), "where it was");
        ensure!(
            site.drover(&["list", "-o", "json"])?
                .contains("\"weight\": 3")
        );
        site.page()?;
    }
    Ok(())
}

/// A daemon that starts does all the rest, and serves its pages as soon as it can.
#[test]
fn a_daemon_without_its_port_forwards_and_waits_for_it() -> Result<()> {
    let mut site = Site::new()?;
    site.director.stop()?;
    let host = site.host().clone();
    let web = host.nginx_on(9208, "taken\n")?;
    site.director.start()?;
    site.page()?;
    let line = "ERROR cannot serve `http` at 10.2.0.5:9208: something else listens on port 9208";
    wait("it is told", || Ok(site.director.log().contains(line)))?;
    // Other changes are taken up meanwhile.
    site.director
        .reload(&CONFIG.replace("weight = 3", "weight = 5"))?
        .success()?;
    wait("another second has passed", || {
        Ok(site.drover(&["status"]).is_ok())
    })?;
    assert_eq!(site.director.log().matches(line).count(), 1);
    drop(web);
    wait("they are served", || Ok(is_served(&host, URL)))
}

#[test]
fn pages_are_read_and_nothing_else() -> Result<()> {
    let site = Site::new()?;
    let client = site.lab.host("client");
    for (words, status) in [
        (&["/metrics"][..], "200"),
        (&["-I", "/metrics"], "200"),
        (&["-d", "", "/metrics"], "405"),
        (&["-X", "DELETE", "/metrics"], "405"),
        (&["/v1/services"], "404"),
        (&["-d", "[]", "/v1/changes"], "404"),
        (&["/metrics/.."], "404"),
    ] {
        let (path, options) = words.split_last().expect("a path");
        let url = format!("{URL}{path}");
        let curl = [
            "curl",
            "-sS",
            "--path-as-is",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
        ];
        let got = client.run(&[&curl, options, &[&url]].concat())?.success()?;
        assert_eq!(got, status, "{words:?}");
    }
    Ok(())
}

/// Connections that only wait, and more than there is a place for, keep nobody out for long.
#[test]
fn clients_that_only_wait_keep_nobody_out_for_long() -> Result<()> {
    let site = Site::new()?;
    let client = site.lab.host("client");
    // Ends with its group when the command does; 200 connections that say half a request, for 20 s.
    let script = "for i in $(seq 200); do (printf 'GET /met'; sleep 20) | \
                  timeout 20 bash -c 'exec 3<>/dev/tcp/10.2.0.5/9208; cat >&3' & done; wait";
    let _waiting = client.spawn(&["bash", "-c", script])?;
    wait("there is no place", || Ok(!is_served(client, URL)))?;
    wait("there is one again", || Ok(is_served(client, URL)))?;
    // What the unix socket serves has places of its own.
    site.drover(&["list"])?;
    Ok(())
}
