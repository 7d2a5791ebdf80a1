//! A daemon with a large file: started, asked, changed.

use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use lb_user::api::{Change, RealChange, ServiceReport, State, Status, client};
use tests::{Host, Process};

use crate::{
    memory,
    report::Report,
    site::{self, LARGE, MEMBERS, REALS, SERVICES, SERVICES_OF_A_MEGABYTE},
    visible::Slots,
};

pub(crate) fn measure(report: &mut Report, rounds: usize) -> Result<()> {
    let lab = site::lab()?;
    let host = lab.host("director");
    fs::write(host.director_config(), site::config(SERVICES))?;
    let mut times = [const { Vec::new() }; 3];
    let [first, listed, again] = &mut times;
    for round in 0..rounds {
        eprint!("\rstart {} of {rounds}", round + 1);
        detach(host)?;
        let (daemon, took) = Daemon::start(host)?;
        first.push(took);
        listed.push(daemon.list()?);
        daemon.stop()?;
        let (daemon, took) = Daemon::start(host)?;
        again.push(took);
        daemon.stop()?;
    }
    eprintln!();
    let [first, listed, again] = times;
    report.times("start", first);
    report.times("start_again", again);
    report.times("list", listed);

    let (daemon, _) = Daemon::start(host)?;
    for (i, scheduler) in (0..).zip(LARGE) {
        eprintln!("weight, {scheduler}");
        daemon.weights(report, rounds, i, scheduler)?;
    }
    report.times("reload", daemon.reloads(rounds, SERVICES)?);
    report.bytes("daemon", memory::resident(daemon.process.id())?);
    report.bytes("maps", memory::maps(daemon.process.id())?);
    daemon.stop()?;

    detach(host)?;
    fs::write(host.director_config(), site::config(SERVICES_OF_A_MEGABYTE))?;
    let (daemon, _) = Daemon::start(host)?;
    let reloads = daemon.reloads(rounds, SERVICES_OF_A_MEGABYTE)?;
    report.times("reload_1_mb", reloads);
    daemon.stop()
}

struct Daemon<'h> {
    host: &'h Host,
    process: Process,
}

impl<'h> Daemon<'h> {
    /// Starts a daemon; returns it and the time until it said that it is ready, in ms.
    fn start(host: &'h Host) -> Result<(Self, f64)> {
        let path = host.dir().join("notify");
        // That of the one before.
        let _ = fs::remove_file(&path);
        let notified = UnixDatagram::bind(&path)?;
        notified.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut words = vec![
            "env".into(),
            format!("NOTIFY_SOCKET={}", path.display()).into(),
        ];
        words.extend(host.drover_words(&["director"]));
        let begun = Instant::now();
        let mut process = host.spawn(&words)?;
        let mut said = [0; 256];
        loop {
            let len = match notified.recv(&mut said) {
                Ok(len) => len,
                Err(error) => bail!("the daemon is not ready: {error}: {}", process.log()),
            };
            if said[..len].starts_with(b"READY=1") {
                break;
            }
        }
        let took = ms(begun);
        ensure!(process.is_running(), "the daemon ended: {}", process.log());
        Ok((Self { host, process }, took))
    }

    fn stop(mut self) -> Result<()> {
        let status = self.process.stop()?;
        ensure!(status.success(), "the daemon: {status}");
        Ok(())
    }

    fn socket(&self) -> PathBuf {
        self.host.dir().join("director.sock")
    }

    /// Lists all; returns how long that took, in ms.
    fn list(&self) -> Result<f64> {
        let begun = Instant::now();
        let services: Vec<ServiceReport> = client::get(&self.socket(), "/v1/services")?;
        let took = ms(begun);
        let reals = services.iter().flat_map(|service| &service.reals);
        let active = reals.filter(|real| real.state == State::Active).count();
        let all = SERVICES * MEMBERS + REALS * LARGE.len() as u32;
        ensure!(active == all as usize, "{active} of {all} are active");
        Ok(took)
    }

    /// Changes a weight in a large service: until packets go by it, and until the daemon has answered, by its API and by
    /// the command line.
    fn weights(&self, report: &mut Report, rounds: usize, i: u32, scheduler: &str) -> Result<()> {
        let status: Status = client::get(&self.socket(), "/v1/status")?;
        let slots = Slots::of(site::large(i), status.pins.as_ref())?;
        let (mut seen, mut answered, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let weight = 2 + round as u32 % 2;
            let (ms_seen, ms_done) = timed(&slots, || {
                let change = Change::EditReal(RealChange {
                    weight: Some(weight),
                    ..RealChange::new(site::large(i), site::real(7).into())
                });
                client::post(&self.socket(), "/v1/changes", &[change])
            })?;
            seen.push(ms_seen);
            answered.push(ms_done);
            let (_, ms_done) = timed(&slots, || {
                let (service, address) = (site::large(i).to_string(), site::real(8).to_string());
                let weight = weight.to_string();
                let words = ["real", "edit", &service, &address, "--weight", &weight];
                self.host.drover(&words)?.success().map(drop)
            })?;
            told.push(ms_done);
        }
        let name = |what| format!("weight_{scheduler}_{what}");
        report.times(&name("visible"), seen);
        report.times(&name("answered"), answered);
        report.times(&name("command"), told);
        Ok(())
    }

    /// Has a file read again in which one weight is another.
    fn reloads(&self, rounds: usize, services: u32) -> Result<Vec<f64>> {
        let text = site::config(services);
        let at = text.rfind("weight = 1").context("no weight")?;
        let other = |round: usize| {
            let (before, after) = text.split_at(at + "weight = ".len());
            format!("{before}{}{}", 2 + round % 2, &after[1..])
        };
        let mut took = Vec::new();
        for round in 0..rounds {
            eprint!("\rreload {} of {rounds}", round + 1);
            fs::write(self.host.director_config(), other(round))?;
            let begun = Instant::now();
            let () = client::post(&self.socket(), "/v1/reload", &())?;
            took.push(ms(begun));
        }
        eprintln!();
        Ok(took)
    }
}

/// Returns after how many ms the slots are seen to change that `act` changes, and after how many it ends.
fn timed(slots: &Slots, act: impl FnOnce() -> Result<()> + Send) -> Result<(f64, f64)> {
    let watch = slots.changed();
    let begun = Instant::now();
    thread::scope(|scope| {
        let acting = scope.spawn(move || act().map(|()| Instant::now()));
        let seen = watch.wait();
        let done = acting
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let ms = |until: Instant| until.duration_since(begun).as_secs_f64() * 1e3;
        Ok((ms(seen?), ms(done)))
    })
}

fn detach(host: &Host) -> Result<()> {
    if host.dir().join("notify").exists() {
        host.drover(&["director", "detach"])?.success()?;
    }
    Ok(())
}

fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}
