//! Two namespaces, the veth pair between them, and the programs at its ends.

use std::{net::Ipv4Addr, os::fd::OwnedFd, thread, time::Duration};

use anyhow::{Context as _, Result};
use aya::{
    Ebpf, EbpfLoader,
    maps::PerCpuArray,
    programs::{ProgramFd, Xdp},
};
use lb_user::dataplane::bench::OBJECT;
use tests::{Host, Lab};

use crate::{
    bpf,
    core::Core,
    programs::{SENT, baselines, directors},
};

/// The ends; the kernel names a thread after its own.
const NEAR: &str = "bnear";
const FAR: &str = "bfar";

pub(crate) struct Lan {
    lab: Lab,
    sink: Ebpf,
    /// What is attached at the far end, in place of which others come.
    link: OwnedFd,
    _near: OwnedFd,
    near: u32,
    pub(crate) far: u32,
    pub(crate) core: Core,
}

/// What has come to pass at the ends so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Frames that the program at the far end was run on.
    pub(crate) taken: u64,
    /// Of those that it sent back, those that the near end had no room for.
    pub(crate) refused: u64,
    /// Those that came back: to whom they should not, to their sender, to a member.
    pub(crate) seen: [u64; 3],
}

impl Lan {
    /// Makes the pair; what the far end takes is worked on by one CPU.
    pub(crate) fn new(cpu: usize) -> Result<Self> {
        let lab = Lab::new(&[
            ("sender", Ipv4Addr::new(10, 0, 0, 1)),
            ("forwarder", Ipv4Addr::new(10, 0, 0, 5)),
        ])?;
        let (sender, forwarder) = (lab.host("sender"), lab.host("forwarder"));
        let there = forwarder.namespace();
        sender.sh(&format!(
            "ip link add {NEAR} type veth peer name {FAR} netns {there}"
        ))?;
        for (host, end) in [(sender, NEAR), (forwarder, FAR)] {
            // It is to send nothing of its own.
            host.sh(&format!(
                "echo 1 > /proc/sys/net/ipv6/conf/{end}/disable_ipv6"
            ))?;
            host.sh(&format!("ip link set {end} up"))?;
        }
        let mut sink = sink()?;
        let (near, far) = (index(sender, NEAR)?, index(forwarder, FAR)?);
        let program: &mut Xdp = sink.program_mut("sink").context("no sink")?.try_into()?;
        program.load()?;
        // Only an end with a program takes what the other sends by XDP.
        let near_link = sender.enter(|| bpf::attach(program.fd()?, near))??;
        let tx = baselines::load("tx", 1)?;
        let program: &Xdp = tx.program("tx").context("no tx")?.try_into()?;
        let link = forwarder.enter(|| bpf::attach(program.fd()?, far))??;
        // One end alone: with both, the kernel loses frames.
        forwarder.sh(&format!("echo 1 > /sys/class/net/{FAR}/threaded"))?;
        let core = Core::of(FAR, cpu)?;
        Ok(Self {
            lab,
            sink,
            link,
            _near: near_link,
            near,
            far,
            core,
        })
    }

    /// Has a program forward from now on.
    pub(crate) fn attach(&self, program: &ProgramFd) -> Result<()> {
        bpf::replace(&self.link, program)
    }

    /// Sends frames that a feeder makes, from this thread's CPU.
    pub(crate) fn send(&self, feeder: &ProgramFd, frame: &[u8], frames: u32) -> Result<()> {
        let sent = self
            .lab
            .host("sender")
            .enter(|| bpf::send(feeder, frame, frames, self.near));
        sent?
    }

    /// Waits until nothing is on its way any more.
    pub(crate) fn settled(&self) -> Result<Counts> {
        let mut before = self.counts()?;
        loop {
            thread::sleep(Duration::from_millis(5));
            let now = self.counts()?;
            if now.taken == before.taken && now.seen == before.seen {
                return Ok(now);
            }
            before = now;
        }
    }

    fn counts(&self) -> Result<Counts> {
        let mut counts = Counts::default();
        let said = self
            .lab
            .host("forwarder")
            .run(&["ethtool", "-S", FAR])?
            .success()?;
        for line in said.lines() {
            let Some((name, value)) = line.trim().split_once(": ") else {
                continue;
            };
            let sum = match name {
                _ if !name.starts_with("rx_queue_") => continue,
                _ if name.ends_with("_xdp_packets") => &mut counts.taken,
                _ if name.ends_with("_xdp_tx_errors") => &mut counts.refused,
                _ => continue,
            };
            *sum += value.trim().parse::<u64>()?;
        }
        let map = self.sink.map("SEEN").context("no SEEN")?;
        let seen: PerCpuArray<_, u64> = map.try_into()?;
        for (kind, count) in (0..).zip(&mut counts.seen) {
            *count = seen.get(&kind, 0)?.iter().sum();
        }
        Ok(counts)
    }
}

fn sink() -> Result<Ebpf> {
    let word = |[a, b, c, d, e, f]: [u8; 6]| u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
    let expected = [SENT.to, SENT.from, directors::macs()[0]].map(word);
    EbpfLoader::new()
        .override_global("EXPECTED", &expected, true)
        .load(OBJECT)
        .context("cannot load the sink")
}

fn index(host: &Host, interface: &str) -> Result<u32> {
    let said = host.sh(&format!("cat /sys/class/net/{interface}/ifindex"))?;
    Ok(said.trim().parse()?)
}
