//! One row: a program, what it is sent, and what came back.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use aya::{Ebpf, programs::Xdp};

use crate::{
    cases::Subject,
    lan::{Counts, Lan},
    programs::{
        baselines,
        feeder::{Feed, Feeder, Order},
    },
};

/// Of a sample: long against the call, which waits for other CPUs before and after.
const SECONDS: f64 = 0.5;
const FIRST: u32 = 200_000;

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) flows: u32,
    subject: Subject,
    feeder: Feeder,
    /// What the feeder goes on to: it sends.
    _sends: Ebpf,
    frames: u32,
    /// Millions of packets a second of the core's time, by round.
    pub(crate) samples: Vec<f64>,
}

impl Case {
    pub(crate) fn new(
        name: &'static str,
        subject: Subject,
        frame: Vec<u8>,
        flows: u32,
    ) -> Result<Self> {
        let sends = baselines::load("floor", 1)?;
        let floor: &Xdp = sends.program("floor").context("no floor")?.try_into()?;
        let feed = Feed {
            frame,
            flows,
            whole: false,
        };
        let feeder = Feeder::aim(floor.fd()?, feed)?;
        Ok(Self {
            name,
            flows,
            subject,
            feeder,
            _sends: sends,
            frames: FIRST,
            samples: Vec::new(),
        })
    }

    /// Has the program see all flows, and sees how many frames a sample takes.
    pub(crate) fn warm(&mut self, lan: &Lan) -> Result<()> {
        lan.attach(self.subject.program()?)?;
        self.feeder.visit(Order::Ascending)?;
        // What does not come through the first time does a later one.
        for _ in 0..4 {
            self.send(lan, self.flows.max(FIRST))?;
        }
        self.feeder.visit(Order::Scrambled)?;
        let begun = Instant::now();
        self.send(lan, FIRST)?;
        let rate = f64::from(FIRST) / begun.elapsed().as_secs_f64();
        self.frames = (rate * SECONDS) as u32;
        Ok(())
    }

    pub(crate) fn sample(&mut self, lan: &Lan) -> Result<()> {
        lan.attach(self.subject.program()?)?;
        let before = lan.core.busy()?;
        let forwarded = self.send(lan, self.frames)?;
        let busy = lan.core.busy()? - before;
        self.samples.push(forwarded as f64 * 1e3 / busy as f64);
        Ok(())
    }

    /// Sends frames, and returns how many came back; checks where to.
    fn send(&mut self, lan: &Lan, frames: u32) -> Result<u64> {
        let before = lan.settled()?;
        let frame = self.feeder.frame().to_vec();
        lan.send(self.feeder.fd()?, &frame, frames)?;
        let after = lan.settled()?;
        self.check(frames, before, after)
    }

    fn check(&self, frames: u32, before: Counts, after: Counts) -> Result<u64> {
        let taken = after.taken - before.taken;
        let refused = after.refused - before.refused;
        let [wrong, sender, member] = [0, 1, 2].map(|i| after.seen[i] - before.seen[i]);
        let (right, other) = match self.name {
            "tx" => (sender, member),
            _ => (member, sender),
        };
        let is_right = wrong == 0 && other == 0 && taken <= frames.into() && right > 0;
        ensure!(
            is_right && right + refused == taken,
            "{}: of {frames} frames {taken} were taken, {right} came back as they should, {} did not, {refused} found no room",
            self.name,
            wrong + other,
        );
        Ok(right)
    }
}
