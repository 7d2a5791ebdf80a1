//! The programs that lead checks to one real server each: one object for all interfaces, so that a
//! reply is known wherever it comes in.
//!
//! Each interface has a directory with what [`tc`](super::tc) has there. The maps are not pinned: what
//! was attached by a daemon that was killed is detached, not adopted.

mod maps;

use std::{
    collections::HashMap,
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use aya::{
    Ebpf,
    programs::{Program, TcAttachType},
};

use super::{
    pins::{file_name, interface_name, make_dir},
    tc::{self, Names, Way},
    verifier::refusal,
};
use crate::net::{
    Handle,
    links::{self, Link},
};

/// The programs as the kernel loads them.
pub static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/probe"));

/// The companion's filters have the number before.
static NAMES: Names = Names {
    ingress: "probe_ingress",
    egress: "probe_egress",
    filter: 0xd1,
};

/// The programs, loaded, and where they are attached.
#[derive(Debug)]
pub struct Programs {
    ebpf: Ebpf,
    /// What the table of VIPs has, by probe address.
    vips: HashMap<IpAddr, IpAddr>,
    /// The directories of the interfaces, by index.
    attached: HashMap<u32, PathBuf>,
    dir: PathBuf,
}

impl Programs {
    /// Loads the programs; what is attached is pinned below `dir`.
    pub fn load(dir: &Path) -> Result<Self> {
        let mut ebpf = Ebpf::load(OBJECT).context("cannot load the maps of checks")?;
        for (name, program) in ebpf.programs_mut() {
            if let Program::SchedClassifier(program) = program {
                program.load().map_err(|error| refusal(name, error))?;
            }
        }
        Ok(Self {
            ebpf,
            vips: HashMap::new(),
            attached: HashMap::new(),
            dir: dir.to_owned(),
        })
    }

    /// Attaches to these interfaces, and detaches from all others.
    pub async fn attach_to(&mut self, interfaces: &[&Link], netlink: &Handle) -> Result<()> {
        let stays = |index: &u32| interfaces.iter().any(|link| link.index == *index);
        let there: Vec<u32> = self.attached.keys().copied().collect();
        // First: an interface that is new may have the name of one that is gone.
        for index in there.into_iter().filter(|index| !stays(index)) {
            if let Some(dir) = self.attached.remove(&index) {
                let links = links::list(netlink).await?;
                let link = links.iter().find(|link| link.index == index);
                tc::detach(&NAMES, &dir, link, netlink).await?;
            }
        }
        for link in interfaces {
            if self.attached.contains_key(&link.index) {
                continue;
            }
            let dir = self.dir.join(file_name(&link.name));
            make_dir(&dir)?;
            if let Err(error) = self.attach(link, &dir) {
                tc::detach(&NAMES, &dir, Some(link), netlink).await?;
                return Err(error);
            }
            self.attached.insert(link.index, dir);
        }
        Ok(())
    }

    fn attach(&mut self, link: &Link, dir: &Path) -> Result<()> {
        // The way in first: nothing is noted yet.
        for hook in [TcAttachType::Ingress, TcAttachType::Egress] {
            let names = &NAMES;
            let way = Way {
                names,
                link,
                dir,
                hook,
            };
            let name = way.program();
            let Some(Program::SchedClassifier(program)) = self.ebpf.program_mut(name) else {
                bail!("the object has no program {name}");
            };
            way.attach(program, None)
                .with_context(|| format!("cannot attach {name} to {}", link.name))?;
        }
        Ok(())
    }
}

/// Detaches what is pinned below `dir`, whoever has attached it, and removes the directory.
pub async fn detach(dir: &Path, netlink: &Handle) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("cannot list {}", dir.display()))?,
    };
    for entry in entries {
        let dir = entry?.path();
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        let link = links::find(netlink, &interface_name(&name)).await?;
        tc::detach(&NAMES, &dir, link.as_ref(), netlink).await?;
    }
    fs::remove_dir(dir).with_context(|| format!("cannot remove {}", dir.display()))
}
