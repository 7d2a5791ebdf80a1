//! What keeps one interface of a real server quiet: its programs, its maps, and their pins.
//!
//! In the interface's directory lie `vips`, `vips6`, `counts`, `rips`, `rips6`, `watched` and `log`,
//! the maps, and what [`tc`] has there; `ingress` may be a link of XDP.

mod hooks;
mod installed;
mod maps;
mod watch;

use std::path::Path;

use anyhow::{Context as _, Result};
use aya::{Ebpf, EbpfLoader, programs::Program};

pub use self::{
    hooks::Attached,
    installed::{Ingress, Installed},
    maps::{Maps, Rips},
    watch::Watch,
};
use super::{
    pins::make_dir,
    tc::{self, Names},
    verifier::refusal,
};
use crate::net::{Handle, links::Link};

/// The programs as the kernel loads them.
pub static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/realserver"));

static NAMES: Names = Names {
    ingress: "vip_ingress_tc",
    egress: "vip_egress",
    filter: 0xd0,
};

/// The programs of one interface, loaded, with its maps.
pub struct Programs {
    ebpf: Ebpf,
    pub maps: Maps,
}

impl Programs {
    /// Loads the programs, with the maps that are pinned in `dir`, or new ones pinned there.
    pub fn load(dir: &Path) -> Result<Self> {
        make_dir(dir)?;
        let mut ebpf = object(dir)?;
        for (name, program) in ebpf.programs_mut() {
            // The XDP program is not needed where a driver would not take it.
            if let Program::SchedClassifier(program) = program {
                program.load().map_err(|error| refusal(name, error))?;
            }
        }
        let maps = Maps::open(dir)?;
        Ok(Self { ebpf, maps })
    }
}

/// Detaches what is attached to an interface, if it still is there, and removes its pins.
pub async fn detach(dir: &Path, link: Option<&Link>, netlink: &Handle) -> Result<()> {
    tc::detach(&NAMES, dir, link, netlink).await
}

/// Opens the maps that are pinned in `dir`, or makes new ones pinned there. Loads no program.
fn object(dir: &Path) -> Result<Ebpf> {
    let mut loader = EbpfLoader::new();
    for (map, pin) in maps::PINS {
        loader.map_pin_path(map, dir.join(pin));
    }
    loader.load(OBJECT).context("cannot load the maps")
}
