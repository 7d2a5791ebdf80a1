//! The runner: who is checked when, and what is told.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use lb_user::health::runner::{Finding, Runner, Target};
use tests::Host;
use tokio::sync::mpsc;

use crate::{check, lab};

const SERVICE: &str = "tcp/192.0.2.100:80";
/// Probe addresses, all of them the loopback interface's.
const UP: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const DOWN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

struct Site {
    runner: Runner,
    findings: mpsc::Receiver<Finding>,
}

impl Site {
    fn new(host: &Host, room: usize) -> Result<Self> {
        let (sender, findings) = mpsc::channel(room);
        let runner = host.enter(|| Runner::start(sender))??;
        Ok(Self { runner, findings })
    }

    /// The next finding, if there is one soon.
    fn told(&mut self, limit: Duration) -> Option<(IpAddr, bool, String)> {
        let deadline = Instant::now() + limit;
        loop {
            match self.findings.try_recv() {
                Ok(it) => return Some((it.real, it.is_up, it.why)),
                Err(_) if Instant::now() > deadline => return None,
                Err(_) => thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

/// A target whose real server is its probe address.
fn target(probe: Ipv4Addr, lines: &str, before: Option<bool>) -> Result<Target> {
    let check = check(SERVICE, lines)?;
    Ok(Target {
        service: SERVICE.parse()?,
        real: probe.into(),
        vip: Ipv4Addr::new(192, 0, 2, 100).into(),
        probe: probe.into(),
        port: check.port,
        check,
        before,
    })
}

/// Takes connections to an address, and counts them.
fn listen(host: &Host, at: Ipv4Addr) -> Result<(TcpListener, Arc<AtomicU32>)> {
    let listener = host.enter(|| TcpListener::bind(SocketAddr::from((at, 80))))??;
    let (taken, counted) = (listener.try_clone()?, Arc::new(AtomicU32::new(0)));
    let count = counted.clone();
    thread::spawn(move || {
        while taken.accept().is_ok() {
            count.fetch_add(1, Relaxed);
        }
    });
    Ok((listener, counted))
}

/// Refuses from now on.
fn close(listener: &TcpListener) -> Result<()> {
    rustix::net::shutdown(listener, rustix::net::Shutdown::Both)?;
    Ok(())
}

const SOON: Duration = Duration::from_secs(2);
const FAST: &str = "kind = 'tcp'\ninterval = 0.1\nrise = 2\nfall = 3";

#[test]
fn the_first_check_and_then_changes_are_told() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    let (listener, _) = listen(host, UP)?;
    let mut site = Site::new(host, 16)?;
    site.runner.set(vec![target(UP, FAST, None)?]);
    let up = (UP.into(), true, "connected".to_owned());
    assert_eq!(site.told(SOON), Some(up.clone()));
    assert_eq!(site.told(Duration::from_millis(300)), None);

    close(&listener)?;
    drop(listener);
    let begun = Instant::now();
    let down = (UP.into(), false, "connection refused".to_owned());
    assert_eq!(site.told(SOON), Some(down));
    // Three checks, each a tenth of a second after the other, give or take.
    assert!(begun.elapsed() > Duration::from_millis(150));
    let latest = site.runner.latest(SERVICE.parse()?, UP.into());
    let latest = latest.context("nothing is known")?;
    assert_eq!((latest.is_up, latest.is_good), (Some(false), false));
    assert!(latest.in_a_row >= 3 && latest.took < SOON);

    let (_listener, _) = listen(host, UP)?;
    assert_eq!(site.told(SOON), Some(up));
    Ok(())
}

#[test]
fn what_was_known_stands_until_enough_says_otherwise() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    let (_listener, _) = listen(host, UP)?;
    let mut site = Site::new(host, 16)?;
    let lines = FAST.replace("fall = 3", "fall = 5");
    site.runner.set(vec![target(DOWN, &lines, Some(true))?]);
    let begun = Instant::now();
    assert_eq!(
        site.told(SOON),
        Some((DOWN.into(), false, "connection refused".into()))
    );
    assert!(begun.elapsed() > Duration::from_millis(300));

    site.runner.set(vec![target(UP, FAST, Some(true))?]);
    assert_eq!(site.told(SOON), Some((UP.into(), true, "connected".into())));
    Ok(())
}

#[test]
fn unchanged_targets_go_on_and_others_stop_at_once() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    let (_listener, counted) = listen(host, UP)?;
    let mut site = Site::new(host, 16)?;
    let slow = FAST.replace("interval = 0.1", "interval = 60");
    site.runner.set(vec![target(UP, &slow, None)?]);
    assert!(site.told(SOON).is_some());
    // Were it new each time, it would be checked each time.
    for _ in 0..5 {
        site.runner.set(vec![
            target(UP, &slow, Some(true))?,
            target(DOWN, &slow, Some(false))?,
        ]);
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(counted.load(Relaxed), 1);

    site.runner.set(vec![target(UP, FAST, None)?]);
    thread::sleep(Duration::from_millis(500));
    assert!(counted.load(Relaxed) >= 4);
    site.runner.set(Vec::new());
    thread::sleep(Duration::from_millis(100));
    let then = counted.load(Relaxed);
    thread::sleep(Duration::from_millis(400));
    assert_eq!(counted.load(Relaxed), then);
    assert!(site.runner.latest(SERVICE.parse()?, UP.into()).is_none());
    assert_eq!(site.runner.load().targets, 0);
    Ok(())
}

#[test]
fn first_checks_are_spread_over_the_warm_up() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    let (_listener, counted) = listen(host, Ipv4Addr::UNSPECIFIED)?;
    let site = Site::new(host, 1024)?;
    let lines = "kind = 'tcp'\ninterval = 60\nwarmup = 2";
    let reals = (1..=100).map(|i| target(Ipv4Addr::new(127, 0, 1, i), lines, None));
    site.runner.set(reals.collect::<Result<_>>()?);
    thread::sleep(Duration::from_secs(1));
    let half = counted.load(Relaxed);
    assert!(
        (25..75).contains(&half),
        "{half} of 100 after half of the time"
    );
    thread::sleep(Duration::from_millis(1300));
    assert_eq!(counted.load(Relaxed), 100);
    Ok(())
}

#[test]
fn findings_that_nobody_takes_are_kept_and_only_the_last() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    let (listener, _) = listen(host, UP)?;
    let mut site = Site::new(host, 1)?;
    let lines = "kind = 'tcp'\ninterval = 0.1\nrise = 1\nfall = 1";
    site.runner.set(vec![target(UP, lines, None)?]);
    thread::sleep(Duration::from_millis(300));
    close(&listener)?;
    drop(listener);
    thread::sleep(Duration::from_millis(400));
    let (_listener, _) = listen(host, UP)?;
    thread::sleep(Duration::from_millis(400));
    let told: Vec<bool> = std::iter::from_fn(|| site.told(SOON / 4))
        .map(|it| it.1)
        .collect();
    assert_eq!(told, [true, true]);
    Ok(())
}

#[test]
fn a_thousand_that_do_not_answer_do_not_keep_one_that_does() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    let (_listener, counted) = listen(host, UP)?;
    host.sh("ip route add 198.18.0.0/16 dev eth0")?;
    let site = Site::new(host, 4096)?;
    let lines = "kind = 'tcp'\ninterval = 0.5\ntimeout = 0.5";
    let address = |i: u32| Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 1)) + i);
    let mut targets: Vec<_> = (0..3000)
        .map(|i| target(address(i), lines, None))
        .collect::<Result<_>>()?;
    targets.push(target(UP, FAST, None)?);
    site.runner.set(targets);
    thread::sleep(Duration::from_secs(4));
    let load = site.runner.load();
    assert_eq!(load.targets, 3001);
    assert!(load.in_flight <= 1024, "{load:?}");
    assert!(load.waited > 0, "{load:?}");
    let made = counted.load(Relaxed);
    assert!(made >= 2, "{made} in 4 s; {load:?}");
    Ok(())
}
