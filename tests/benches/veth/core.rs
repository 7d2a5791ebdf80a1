//! The core that forwards: the kernel's threads that do its work, and the time that they take.

use std::{fs, thread, time::Duration};

use anyhow::{Context as _, Result};
use rustix::process::Pid;

use crate::common::cpu;

pub(crate) struct Core {
    /// That of the interface's threaded NAPI, and the one that finishes what softirqs have begun.
    threads: [Pid; 2],
}

impl Core {
    /// Has an interface's frames forwarded by one CPU.
    pub(crate) fn of(interface: &str, cpu: usize) -> Result<Self> {
        let napi = found(|name| name.starts_with(&format!("napi/{interface}-")))
            .with_context(|| format!("{interface} has no thread"))?;
        cpu::pin(Some(napi), cpu)?;
        let softirqd = format!("ksoftirqd/{cpu}");
        let softirqd = found(|name| name == softirqd).context("no ksoftirqd")?;
        Ok(Self {
            threads: [napi, softirqd],
        })
    }

    /// CPU time so far, in ns: what other processes take of the machine is not in it.
    pub(crate) fn busy(&self) -> Result<u64> {
        let mut sum = 0;
        for thread in self.threads {
            let path = format!("/proc/{}/schedstat", thread.as_raw_nonzero());
            let said = fs::read_to_string(path)?;
            let ns = said.split_whitespace().next().context("no schedstat")?;
            sum += ns.parse::<u64>()?;
        }
        Ok(sum)
    }
}

/// Finds a thread of the kernel, which may just be being made.
fn found(is_it: impl Fn(&str) -> bool) -> Option<Pid> {
    for _ in 0..50 {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        for process in processes {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            if is_it(name.trim_end()) {
                let number = process.file_name().to_str()?.parse().ok()?;
                return Pid::from_raw(number);
            }
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}
