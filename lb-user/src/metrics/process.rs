//! The process, by the names that all have in common.

use std::{fmt, fs, time::SystemTime};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder, registry::Unit};
use rustix::{
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};

use super::{
    families::{Families, NONE},
    timestamp,
};

/// What cannot be read is left out.
#[derive(Debug)]
pub(super) struct Process {
    started: SystemTime,
    cpu: f64,
    resident: Option<u64>,
    files: Option<u64>,
    files_max: Option<u64>,
}

impl Process {
    pub(super) fn read(started: SystemTime) -> Self {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        // The directory that is read is open itself.
        let files = fs::read_dir("/proc/self/fd").map(|files| files.count() as u64 - 1);
        Self {
            started,
            cpu: cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9,
            resident: resident(),
            files: files.ok(),
            files_max: getrlimit(Resource::Nofile).current,
        }
    }
}

/// Octets in memory (proc_pid_status(5)).
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

impl Collector for Process {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let families = &mut Families(encoder);
        families.counter(
            (
                "process_cpu",
                Some(Unit::Seconds),
                "CPU time of the process, in the kernel and outside.",
            ),
            [(NONE, self.cpu)],
        )?;
        families.gauge(
            (
                "process_start_time",
                Some(Unit::Seconds),
                "When the daemon started, since the epoch.",
            ),
            [(NONE, timestamp(self.started))],
        )?;
        let one = |value: Option<u64>| value.map(|value| (NONE, value));
        families.gauge(
            (
                "process_resident_memory",
                Some(Unit::Bytes),
                "Memory of the process that is resident.",
            ),
            one(self.resident),
        )?;
        families.gauge(("process_open_fds", None, "Open files."), one(self.files))?;
        families.gauge(
            (
                "process_max_fds",
                None,
                "Files that may be open at the most.",
            ),
            one(self.files_max),
        )
    }
}
