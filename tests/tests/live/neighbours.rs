//! What the LAN knows of a VIP, of either version.

use anyhow::Result;

use crate::site::{SERVICE, Site, URLS, VIP, VIP6, wait};

/// The VIP was another machine's: who knew it there is told, without asking.
#[test]
fn a_vip_that_comes_is_announced() -> Result<()> {
    let site = Site::new("", "mh", 2)?;
    let (client, director) = (site.lab.host("client"), site.lab.host("director"));
    site.drover_both(&["service", "remove", SERVICE])?;
    for vip in [VIP, VIP6] {
        client.sh(&format!(
            "ip neigh replace {vip} lladdr 02:00:00:00:00:77 nud stale dev eth0"
        ))?;
    }
    site.drover_both(&["service", "add", SERVICE])?;
    let mac = director.mac().to_string();
    for vip in [VIP, VIP6] {
        let known = || client.sh(&format!("ip neigh show to {vip} dev eth0"));
        wait("the client knows the director", || {
            Ok(known()?.contains(&mac))
        })?;
    }
    Ok(())
}

/// By Maglev a client's connections are spread, and each stays where it is.
#[test]
fn both_versions_are_spread_by_hash_and_asked_of_the_director() -> Result<()> {
    let site = Site::new("", "mh", 2)?;
    let (client, director) = (site.lab.host("client"), site.lab.host("director"));
    for (url, vip) in URLS.into_iter().zip([VIP, VIP6]) {
        client.flush_arp()?;
        // All from one server once in a million times.
        let pages: Vec<String> = (0..20).map(|_| site.page(url)).collect::<Result<_>>()?;
        let first = pages.iter().filter(|page| **page == pages[0]).count();
        assert!(first < pages.len(), "{url}: {pages:?}");
        let known = client.sh(&format!("ip neigh show to {vip} dev eth0"))?;
        assert!(known.contains(&director.mac().to_string()), "{known}");
    }
    Ok(())
}
