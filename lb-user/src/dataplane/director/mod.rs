//! The director's program, its maps and its links, pinned so that they outlive the daemon.
//!
//! Below the given directory: `maps/NAME` and `links/INTERFACE`; a link holds its program. What is found there is
//! adopted: maps as they are, links by replacing their program in one step.

mod buffer;
mod exchange;
mod links;
mod load;
mod mapped;
mod tables;
mod trial;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use aya::{
    Ebpf, Pod, TestRunOptions,
    maps::{Map, MapData, PerCpuArray, PerCpuValues},
    programs::{Program, TestRun as _, Xdp},
};
use lb_common::{
    reason::Reason,
    tables::{
        Counters, FLOW_SETS_DEFAULT, LAYOUT_VERSION, SLOTS_MAX, Service, Settings, Site, Timeouts,
        WAYS,
    },
};

use crate::install::seed;

pub use self::{
    buffer::Buffer,
    exchange::Copied,
    links::Mode,
    mapped::Mapped,
    tables::{At, ReasonCounts, Tables, total},
    trial::{FRAME_MAX, FRAME_MIN, LookUp, Run, Trial},
};

/// Sizes of the tables. Those of members and flows are fixed while the maps live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub services: usize,
    pub members: usize,
    pub slots: usize,
    /// A power of two.
    pub flow_sets: usize,
    /// Whether it is kept whose flows the records are, in 32 octets each.
    pub lists_flows: bool,
}

impl Limits {
    /// Records of whose flows there are: a map has one at least.
    pub fn endpoints(self) -> usize {
        match self.lists_flows {
            true => self.flow_sets * WAYS,
            false => 1,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            services: 4096,
            members: 1 << 14,
            slots: SLOTS_MAX,
            flow_sets: FLOW_SETS_DEFAULT,
            lists_flows: true,
        }
    }
}

/// The loaded director.
#[derive(Debug)]
pub struct Director {
    ebpf: Ebpf,
    pins: Option<PathBuf>,
    pub limits: Limits,
    pub tables: Tables,
    /// From which member on none has been counted: all of them, if the maps are new.
    uncounted: u32,
}

impl Director {
    /// Loads the program; adopts the maps pinned below `pins`, or makes and pins them.
    ///
    /// Without `pins` all of it is gone when the value is dropped.
    pub fn load(pins: Option<&Path>, limits: Limits) -> anyhow::Result<Self> {
        let Some(pins) = pins else {
            return Self::made(None, None, limits);
        };
        exchange::recover(pins)?;
        let maps = pins.join("maps");
        let Some((old, found)) = load::mapped(&maps)? else {
            return Self::made(Some(pins), Some(&maps), limits);
        };
        let found = Limits {
            services: limits.services,
            ..found
        };
        if old.settings().version == LAYOUT_VERSION {
            return Self::made(Some(pins), Some(&maps), found);
        }
        let (successor, copied) = Self::successor(pins, found, &old)?;
        tracing::info!("the tables are of this version's layout now: {copied}");
        Ok(successor)
    }

    /// Makes maps of these sizes, or takes those that are pinned in the directory `maps`.
    fn made(pins: Option<&Path>, maps: Option<&Path>, limits: Limits) -> anyhow::Result<Self> {
        let ebpf = load::object(maps, limits)?;
        let mut director = Self {
            tables: load::tables(&ebpf, limits)?,
            pins: pins.map(Path::to_owned),
            limits,
            ebpf,
            uncounted: u32::MAX,
        };
        if director.tables.settings().version == 0 {
            let settings = Settings::new(Timeouts::IPVS, seed()?);
            director.tables.settings.write(0, settings);
            director.uncounted = 0;
        }
        Ok(director)
    }

    /// Returns the second that the kernel's clock of flow records is at.
    pub fn now(&self) -> anyhow::Result<u32> {
        let Some(Program::Xdp(clock)) = self.ebpf.program("clock") else {
            bail!("the director's object has no clock");
        };
        let run = clock
            .test_run(TestRunOptions {
                // The shortest frame that the kernel runs a program on.
                data_in: Some(&[0; 14]),
                ..TestRunOptions::default()
            })
            .context("cannot read the kernel's clock")?;
        Ok(run.return_value)
    }

    /// Returns what a member was counted, on all CPUs.
    pub fn counters(&self, member: u32) -> anyhow::Result<Counters> {
        let map: PerCpuArray<&MapData, Counted> = self.map("COUNTERS")?.try_into()?;
        let counted = map.get(&member, 0).context("cannot read COUNTERS")?;
        Ok(total(counted.iter().map(|counted| counted.0)))
    }

    /// Forgets what a member was counted. New ids are taken in their order, which costs nothing
    /// here; at a hundred thousand, two calls of the kernel for each would take a second.
    pub fn reset_counters(&mut self, member: u32) -> anyhow::Result<()> {
        if member >= self.uncounted {
            self.uncounted = member + 1;
            return Ok(());
        }
        let map = self.ebpf.map_mut("COUNTERS").context("no COUNTERS")?;
        let mut map: PerCpuArray<&mut MapData, Counted> = map.try_into()?;
        let cpus = map.get(&member, 0)?.len();
        let zero = PerCpuValues::try_from(vec![Counted::default(); cpus])?;
        map.set(member, zero, 0).context("cannot reset COUNTERS")
    }

    pub fn reasons(&self) -> anyhow::Result<ReasonCounts> {
        let map: PerCpuArray<&MapData, u64> = self.map("REASONS")?.try_into()?;
        let mut counts = ReasonCounts::default();
        for reason in Reason::ALL {
            let counted = map
                .get(&(reason as u32), 0)
                .context("cannot read REASONS")?;
            counts[reason as usize] = counted.iter().sum();
        }
        Ok(counts)
    }

    /// Returns the program, to be run on a frame.
    pub fn program(&self) -> anyhow::Result<&Xdp> {
        match self.ebpf.program("director") {
            Some(Program::Xdp(program)) => Ok(program),
            _ => bail!("the director's object has no director"),
        }
    }

    /// Returns the kernel's digest of the program's instructions.
    pub fn program_tag(&self) -> anyhow::Result<u64> {
        let info = self.program()?.info();
        Ok(info.context("cannot ask for the program")?.tag())
    }

    pub fn program_id(&self) -> anyhow::Result<u32> {
        Ok(self
            .program()?
            .info()
            .context("cannot ask for the program")?
            .id())
    }

    /// Maps the services that are pinned, if they are of this layout.
    pub fn services_below(pins: &Path) -> anyhow::Result<Option<Mapped<Service>>> {
        load::services(pins)
    }

    /// Maps the site that is pinned, if there is one.
    pub fn site_below(pins: &Path) -> anyhow::Result<Option<Mapped<Site>>> {
        load::site(pins)
    }

    /// Detaches the program everywhere and removes all that is pinned.
    pub fn unpin(pins: &Path) -> anyhow::Result<()> {
        for directory in ["links", "maps", "maps-new", "maps-old"] {
            let directory = pins.join(directory);
            match std::fs::remove_dir_all(&directory) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    let what = format!("cannot remove {}", directory.display());
                    return Err(error).context(what);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn map(&self, name: &str) -> anyhow::Result<&Map> {
        self.ebpf
            .map(name)
            .with_context(|| format!("the director's object has no map {name}"))
    }
}

/// Counters as aya reads them.
#[repr(transparent)]
#[derive(Clone, Copy, Default)]
struct Counted(Counters);

// SAFETY: three integers without padding.
unsafe impl Pod for Counted {}

impl Counted {
    fn plus(self, other: Self) -> Self {
        Self(total([self.0, other.0]))
    }
}
