//! What health checks cost: ten thousand real servers, each asked for a TCP connection once a second.
//!
//! The servers are one listener on the loopback interface, so that the kernel's work for their ends of the connections is
//! done in the checks' thread, too, and counted: it is nearly all. What is the program's own is `checks_user`.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use lb_user::{
    config::director::Config,
    health::runner::{Runner, Target},
};
use tests::Lab;
use tokio::sync::mpsc;

use crate::report::Report;

const TARGETS: usize = 10_000;
const ROUND: Duration = Duration::from_secs(1);
/// Until the first checks are all made, and the next ones in no order.
const SETTLING: Duration = Duration::from_secs(4);
const CONFIG: &str = "\
[director]
interfaces = [\"eth0\"]
[[service]]
listen = \"tcp/198.18.0.1:80\"
[service.check]
kind = \"tcp\"
interval = 1
timeout = 5
warmup = 1
";

pub(crate) fn measure(report: &mut Report, rounds: usize) -> Result<()> {
    let lab = Lab::new(&[("director", Ipv4Addr::new(10, 64, 255, 1))])?;
    let host = lab.host("director");
    let listener = host.enter(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80)))??;
    // Ends with the bench.
    thread::spawn(move || while listener.accept().is_ok() {});
    let (findings, mut found) = mpsc::channel(TARGETS);
    let runner = host.enter(|| Runner::start(findings))??;
    runner.set(targets()?);
    thread::sleep(SETTLING);
    let (thread, before) = (thread_named("checks")?, runner.load());
    let (mut shares, mut own) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    for round in 0..rounds {
        eprint!("\rchecks {} of {rounds}", round + 1);
        let (at, used, user) = (Instant::now(), cpu(&thread)?, user(&thread)?);
        thread::sleep(ROUND);
        let share = |used: Duration| used.as_secs_f64() / at.elapsed().as_secs_f64() * 100.0;
        shares.push(share(cpu(&thread)? - used));
        own.push(share(self::user(&thread)? - user));
    }
    eprintln!();
    let made = runner.load().made - before.made;
    let wanted = begun.elapsed().as_secs_f64() * TARGETS as f64;
    ensure!(
        made as f64 > wanted * 0.8,
        "{made} checks in place of {wanted:.0}"
    );
    let mut up = 0;
    while let Ok(finding) = found.try_recv() {
        ensure!(finding.is_up, "{}: {}", finding.real, finding.why);
        up += 1;
    }
    ensure!(up == TARGETS, "{up} of {TARGETS} are found to be up");
    report.shares("checks", shares);
    report.shares("checks_user", own);
    Ok(())
}

fn targets() -> Result<Vec<Target>> {
    let mut config = Config::parse(Path::new("bench"), CONFIG)?;
    let service = config.services.remove(0);
    let check = service.check.context("no check")?;
    let target = |i| {
        let probe = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 0)) + i as u32);
        Target {
            service: service.listen,
            real: probe.into(),
            vip: service.listen.vip,
            probe: probe.into(),
            port: check.port,
            check: Arc::clone(&check),
            before: None,
        }
    };
    Ok((0..TARGETS).map(target).collect())
}

/// The directory of a thread of this process.
fn thread_named(name: &str) -> Result<PathBuf> {
    for thread in fs::read_dir("/proc/self/task")? {
        let path = thread?.path();
        if fs::read_to_string(path.join("comm"))?.trim() == name {
            return Ok(path);
        }
    }
    anyhow::bail!("there is no thread `{name}`")
}

/// How long a thread has been on a CPU.
fn cpu(thread: &Path) -> Result<Duration> {
    let said = fs::read_to_string(thread.join("schedstat"))?;
    let used = said.split_whitespace().next().context("no schedstat")?;
    Ok(Duration::from_nanos(used.parse()?))
}

/// How much of that not in the kernel, to a hundredth of a second (proc_pid_stat(5)).
fn user(thread: &Path) -> Result<Duration> {
    let said = fs::read_to_string(thread.join("stat"))?;
    // Behind the name, which may hold anything.
    let (_, fields) = said.rsplit_once(')').context("no stat")?;
    let ticks = fields.split_whitespace().nth(11).context("no utime")?;
    Ok(Duration::from_millis(ticks.parse::<u64>()? * 10))
}
