//! A LAN with its hosts: what is made, what it is called, and that it goes away.
//!
//! Every name of a lab starts with its id, `drover-PID-N`: namespaces are `ID-HOST`, and files, sockets and a bpffs of
//! its own lie under `/run/ID`. Nothing outside is touched, so labs run side by side.

mod command;
mod drover;
mod host;
mod keep;
mod lan;
mod namespace;
mod neighbour;
mod nginx;
mod process;
mod removal;
mod terminal;
mod trace;
mod transmit;
mod wait;
mod xdp_pass;

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result, ensure};
use rustix::mount::{MountFlags, mount};

pub use self::{
    command::Output,
    drover::{Director, drover_binary},
    host::Host,
    neighbour::Mac,
    nginx::Nginx,
    process::Process,
    removal::{remove_all, remove_kept},
    terminal::Terminal,
    trace::Trace,
    wait::{wait, wait_within},
};
use self::{lan::Lan, removal::Removal};

/// Hosts with an `eth0` each, on one switch. Dropped, it takes its processes, namespaces, mounts and files with it.
#[derive(Debug)]
pub struct Lab {
    id: String,
    dir: PathBuf,
    hosts: Vec<Host>,
    lan: Lan,
    removal: Removal,
}

impl Lab {
    /// Makes the hosts, each with its address (of a /24) on `eth0`. Needs root.
    pub fn new(hosts: &[(&str, Ipv4Addr)]) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        ensure!(
            rustix::process::geteuid().is_root(),
            "network namespaces need root"
        );

        let id = format!(
            "drover-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let dir = Path::new("/run").join(&id);
        let _making = removal::making();
        // First of all, so that what fails half-way goes as well.
        let removal = Removal::promise(&id)?;
        let bpf = dir.join("bpf");
        fs::create_dir_all(&bpf).with_context(|| format!("making {}", bpf.display()))?;
        mount("bpf", &bpf, "bpf", MountFlags::empty(), None).context("mounting a bpffs")?;

        let lan = Lan::new(&id, &bpf)?;
        let hosts = hosts
            .iter()
            .map(|&(name, address)| {
                let host = Host::new(&id, &dir, name, address)?;
                lan.connect(&host)
                    .with_context(|| format!("connecting {name}"))?;
                Ok(host)
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            id,
            dir,
            hosts,
            lan,
            removal,
        })
    }

    /// What all names of this lab start with.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The host of that name.
    ///
    /// # Panics
    /// If there is none: the names are written a few lines above.
    pub fn host(&self, name: &str) -> &Host {
        let host = self.hosts.iter().find(|host| host.name() == name);
        host.unwrap_or_else(|| panic!("{} has no host {name}", self.id))
    }

    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Makes a host's `eth0` again that has been deleted.
    pub fn plug(&self, host: &Host) -> Result<()> {
        self.lan.plug(host)
    }

    /// For files and sockets; goes with the lab.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What must be gone when the lab is: ask it after the drop.
    pub fn trace(&self) -> Result<Trace> {
        Trace::of(self)
    }
}
