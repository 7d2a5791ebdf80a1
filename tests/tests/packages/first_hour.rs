//! OPERATIONS.md's first hour, as it is written there: from the packages to nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use tests::{Host, Lab, Nginx, Output, wait_within};

use crate::{
    document::{Step, steps},
    machine::Machine,
};

const DOCUMENT: &str = include_str!("../../../OPERATIONS.md");
const KEEPALIVED: &str = include_str!("keepalived.conf");
/// For what is shown in the end: a check fails twice in six seconds.
const PATIENCE: Duration = Duration::from_secs(30);
const HOSTS: [(&str, u8); 4] = [
    ("client", 7),
    ("director", 5),
    ("server2", 2),
    ("server3", 3),
];

#[test]
fn first_hour() -> Result<()> {
    let hosts = HOSTS.map(|(name, octet)| (name, Ipv4Addr::new(172, 25, 138, octet)));
    let lab = Lab::new(&hosts)?;
    let hour = Hour::begin(&lab)?;
    let before = hour.files()?;
    for step in steps(DOCUMENT, "The first hour")? {
        for host in &step.hosts {
            let start = Instant::now();
            let said = hour.take(lab.host(host), &step)?;
            println!(
                "── {host}, {:.1?}\n{}──\n{said}",
                start.elapsed(),
                step.lines
            );
        }
    }
    let after = hour.files()?;
    let others: Vec<_> = before.symmetric_difference(&after).collect();
    assert!(others.is_empty(), "files that came or went: {others:?}");
    for name in hour.machines.keys() {
        let host = lab.host(name);
        let pins = hour.machines[name].sh("find /sys/fs/bpf -mindepth 1 ! -name '*.debug'")?;
        assert_eq!(pins.success()?, "", "{name}");
        let left = host.sh("ip link show eth0 | grep -o 'xdp.*' || true; ip route show table all | grep 172.25.138.100 || true")?;
        assert_eq!(left, "", "{name}");
    }
    Ok(())
}

/// The machines of the hour: but for the client, with Debian; and what real servers serve.
struct Hour {
    machines: BTreeMap<String, Machine>,
    _nginx: Vec<Nginx>,
}

impl Hour {
    fn begin(lab: &Lab) -> Result<Self> {
        let mut files = vec![("etc/keepalived/keepalived.conf".into(), KEEPALIVED.into())];
        for package in crate::packages()? {
            let name = package.file_name().context("no name")?;
            files.push((PathBuf::from("root").join(name), std::fs::read(&package)?));
        }
        let mut hour = Self {
            machines: BTreeMap::new(),
            _nginx: Vec::new(),
        };
        for host in lab.hosts().iter().filter(|it| it.name() != "client") {
            hour.machines
                .insert(host.name().into(), Machine::boot(host, &files)?);
            if host.name() != "director" {
                for port in [80, 443] {
                    hour._nginx.push(host.nginx_on(port, &format!("{host}\n"))?);
                }
            }
        }
        Ok(hour)
    }

    /// Takes a step on a host; returns what it shows.
    fn take(&self, host: &Host, step: &Step) -> Result<String> {
        if step.screen {
            return self.look(host, step);
        }
        let mut last = self.run(host, step)?;
        let is_done =
            |it: &Output| it.status.code() == Some(step.code) && step.is_shown_by(&it.stdout);
        if step.until && !is_done(&last) {
            let again = wait_within(PATIENCE, "it shows what it is to show", || {
                last = self.run(host, step)?;
                Ok(is_done(&last))
            });
            again.with_context(|| {
                format!(
                    "{host}: {}{}instead of\n{}",
                    step.lines, last.stdout, step.shows
                )
            })?;
        }
        ensure!(
            is_done(&last),
            "{host}: {}{}\n{}instead of\n{}",
            step.lines,
            last.status,
            last.stdout,
            step.shows
        );
        Ok(last.stdout)
    }

    fn run(&self, host: &Host, step: &Step) -> Result<Output> {
        match self.machines.get(host.name()) {
            Some(machine) => machine.sh(&step.lines),
            None => host.run(&["sh", "-ec", &format!("exec 2>&1\n{}", step.lines)]),
        }
    }

    /// In a terminal, and out of it by `q`.
    fn look(&self, host: &Host, step: &Step) -> Result<String> {
        let machine = self.machines.get(host.name()).context("no machine")?;
        let line = format!("{}echo ended $?\nsleep 60", step.lines);
        let mut terminal = machine.terminal([24, 100], &line)?;
        terminal.wait("its screen is there", |it| step.is_shown_by(it))?;
        let screen = terminal.text();
        terminal.type_("q")?;
        terminal.wait("it ends", |it| it.ends_with("ended 0"))?;
        Ok(screen)
    }

    /// All files of all machines.
    fn files(&self) -> Result<BTreeSet<String>> {
        let mut all = BTreeSet::new();
        for (name, machine) in &self.machines {
            all.extend(
                machine
                    .files()?
                    .lines()
                    .map(|file| format!("{name} {file}")),
            );
        }
        Ok(all)
    }
}
