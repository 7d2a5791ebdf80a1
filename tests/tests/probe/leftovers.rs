//! What a daemon that was killed has left.

use anyhow::Result;

use crate::site::{Checks, Site};

#[test]
fn the_next_daemon_keeps_nothing() -> Result<()> {
    let site = Site::new()?;
    site.director().enter(|| {
        let before = site.trace()?;
        killed(&site)?;
        let own = "240.208.7.7 dev eth0 proto static";
        site.director().sh(&format!("ip route add {own}"))?;
        Checks::open(site.director())?;
        assert_eq!(site.trace()?, before);
        let kept = site.director().sh("ip route show proto static")?;
        assert!(kept.starts_with("240.208.7.7 "), "the operator's: {kept:?}");
        Ok(())
    })?
}

#[test]
fn detaching_the_director_takes_it_away() -> Result<()> {
    let mut site = Site::new()?;
    let before = site.director().enter(|| -> Result<String> {
        let before = site.trace()?;
        killed(&site)?;
        Ok(before)
    })??;
    site.daemon.kill9();
    site.director().drover(&["director", "detach"])?.success()?;
    assert_eq!(site.trace()?, before);
    Ok(())
}

/// A path that nobody has closed.
fn killed(site: &Site) -> Result<()> {
    let mut checks = Checks::open(site.director())?;
    checks.set(&site.probed(&["server2", "server3"]))?;
    drop(checks);
    let left = site.trace()?;
    for what in [
        "unreachable 240.208.0.0/16 ",
        "unreachable 100::d0:0/112 ",
        "via 172.25.138.3 dev eth0 src 172.25.138.5 metric 35331 onlink",
        "via 2001:db8::2 dev eth0 ",
        "/probe/eth0/ingress",
        "/probe/eth0/egress",
    ] {
        assert!(left.contains(what), "{what}: {left}");
    }
    Ok(())
}
