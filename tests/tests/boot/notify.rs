//! What the daemon tells systemd, and how its log reaches the journal.

use std::{
    fs::{self, File},
    net::Ipv4Addr,
    os::unix::{fs::MetadataExt as _, net::UnixDatagram},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use tests::{Host, Lab, Process};

use crate::unit::Unit;

const CONFIG: &str = r#"[director]
interfaces = ["eth0"]

[[service]]
listen = "tcp/10.2.0.100:80"

[[service.real]]
address = "10.2.0.2"

[[service.real]]
address = "10.2.0.3"
"#;

#[test]
fn systemd_is_told_of_each_step() -> Result<()> {
    let lab = Lab::new(&[
        ("director", Ipv4Addr::new(10, 2, 0, 5)),
        ("server2", Ipv4Addr::new(10, 2, 0, 2)),
    ])?;
    let host = lab.host("director");
    let (systemd, mut daemon) = start(host)?;
    let ready = systemd.until("READY=1")?;
    assert!(!ready.iter().any(|it| it == "WATCHDOG=1"), "{ready:?}");
    let status = "STATUS=1 service, 1 of 2 real servers active";
    if !ready.iter().any(|it| it == status) {
        systemd.until(status)?;
    }

    // Twice in 400 ms.
    let since = Instant::now();
    for _ in 0..10 {
        systemd.until("WATCHDOG=1")?;
    }
    let took = since.elapsed();
    println!("ten in {took:?}");
    assert!(
        (Duration::from_millis(1700)..Duration::from_millis(3000)).contains(&took),
        "{took:?}"
    );

    daemon.signal(Signal::HUP);
    let reload = systemd.until("READY=1")?;
    let begun = reload
        .iter()
        .find_map(|it| it.strip_prefix("RELOADING=1\nMONOTONIC_USEC="));
    let begun: u64 = begun
        .with_context(|| format!("{reload:?}"))?
        .trim()
        .parse()?;
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let now = now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1000;
    assert!((now - 5_000_000..now).contains(&begun), "{begun} at {now}");

    host.drover(&["real", "remove", "tcp/10.2.0.100:80", "10.2.0.3"])?
        .success()?;
    let told = systemd.until("STATUS=1 service, 1 of 1 real server active")?;
    let steps = told.iter().filter(|it| it.starts_with("STATUS=")).count();
    assert_eq!(steps, 1, "when it changes: {told:?}");
    host.sh("ip link set eth0 down")?;
    systemd.until("STATUS=1 service, 0 of 1 real server active")?;
    daemon.signal(Signal::TERM);
    systemd.until("STOPPING=1")?;
    ensure!(daemon.wait(Duration::from_secs(5))?.success());

    // The journal's priorities are in front, and nothing that it has itself.
    let log = daemon.log();
    println!("{log}");
    assert!(log.lines().all(|line| line.starts_with('<')), "{log}");
    assert!(log.contains("<6>ready\n"), "{log}");
    let warned = "<4>interface eth0: native -> down\n";
    assert!(log.contains(warned), "{log}");
    Ok(())
}

#[test]
fn the_unit_has_a_watchdog() -> Result<()> {
    let unit = Unit::read("drover-director.service")?;
    assert_eq!(unit.words("WatchdogSec")?, ["30"]);
    assert_eq!(unit.words("Type")?, ["notify"]);
    Ok(())
}

struct Systemd(UnixDatagram);

/// Starts the daemon as systemd does, with its log where the journal would be.
fn start(host: &Host) -> Result<(Systemd, Process)> {
    fs::write(host.director_config(), CONFIG)?;
    let notify = host.dir().join("notify");
    let socket = UnixDatagram::bind(&notify)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    let journal = File::create(host.dir().join("env.log"))?.metadata()?;
    let journal = format!("JOURNAL_STREAM={}:{}", journal.dev(), journal.ino());
    let notify = format!("NOTIFY_SOCKET={}", notify.display());
    let mut words: Vec<_> = ["env", &notify, &journal, "WATCHDOG_USEC=400000"]
        .map(Into::into)
        .into();
    words.extend(host.drover_words(&["director"]));
    Ok((Systemd(socket), host.spawn(&words)?))
}

impl Systemd {
    /// Returns what it is told, up to this.
    fn until(&self, last: &str) -> Result<Vec<String>> {
        let mut told = Vec::new();
        loop {
            let mut message = [0; 512];
            let len = self.0.recv(&mut message);
            let len = len.with_context(|| format!("no {last}, but {told:?}"))?;
            let message = String::from_utf8_lossy(&message[..len])
                .trim_end()
                .to_owned();
            told.push(message);
            if told.last().is_some_and(|it| it == last) {
                return Ok(told);
            }
        }
    }
}
