//! What this host is to do, by its file, and by what is in force.

use std::{collections::BTreeSet, fmt::Write as _, net::IpAddr, path::PathBuf};

use super::{DIRECTOR, finding::Finding};
use crate::{
    cli::Places,
    config::{
        director::{self, Config, VipMode},
        realserver::{self, Hook, RealServer},
    },
    dataplane::{
        director::{Director, Mode},
        pins::{Pins, Role},
    },
    net::Handle,
    realserver::{Attached, status},
};

#[derive(Debug)]
pub(super) struct Site {
    pub(super) role: Role,
    pub(super) places: Places,
    pub(super) config: PathBuf,
    /// That are listed, or, without a file, have the companion.
    pub(super) interfaces: Vec<String>,
    pub(super) vips: BTreeSet<IpAddr>,
    pub(super) reals: BTreeSet<IpAddr>,
    /// Whether the daemon puts the VIPs in place.
    pub(super) owns_vips: bool,
    /// How the director's program is to be attached.
    pub(super) xdp: Mode,
    pub(super) has_checks: bool,
    pub(super) hook: Hook,
    /// Interfaces with the director's program.
    pub(super) attached: Vec<String>,
    /// What keeps quiet here, whichever role is examined.
    pub(super) companion: Attached,
}

impl Site {
    pub(super) fn new(role: Role, places: &Places) -> Self {
        let usual = match role {
            Role::Director => DIRECTOR,
            Role::RealServer => realserver::PATH,
        };
        let config = places.config.clone();
        Self {
            role,
            places: places.clone(),
            config: config.unwrap_or_else(|| usual.into()),
            interfaces: Vec::new(),
            vips: BTreeSet::new(),
            reals: BTreeSet::new(),
            owns_vips: true,
            xdp: Mode::Auto,
            has_checks: false,
            hook: Hook::Auto,
            attached: Vec::new(),
            companion: Attached::default(),
        }
    }

    /// Reads the file and what is in force; what is wrong with the file is a finding.
    pub(super) async fn read(
        role: Role,
        places: &Places,
        netlink: &Handle,
    ) -> (Self, Vec<Finding>) {
        let mut site = Self::new(role, places);
        let root = places.pins.as_deref();
        if let Ok(Some(pins)) = Pins::find(root, Role::Director) {
            site.attached = Director::attached(pins.dir()).unwrap_or_default();
        }
        // Whoever may not look at the pins is told so by another check.
        site.companion = status(root, netlink).await.unwrap_or_default();
        if !site.config.exists() {
            let finding = site.without_file();
            return (site, vec![finding]);
        }
        let read = match role {
            Role::Director => Config::read(&site.config).map(|config| site.take(config)),
            Role::RealServer => RealServer::read(&site.config).map(|it| site.take_real(it)),
        };
        let config = site.config.display();
        let finding = match read {
            Ok(()) => Finding::ok("config", config, "is well-formed"),
            Err(error) => Finding::error("config", config, error.to_string()).why(match role {
                Role::Director => "The daemon does not start with it, nor reload it.",
                Role::RealServer => "Nothing is attached at boot.",
            }),
        };
        (site, vec![finding])
    }

    fn take(&mut self, config: Config) {
        let services = config.services.iter();
        let destinations = services.clone().flat_map(director::Service::destinations);
        self.vips = destinations.map(|it| it.vip).collect();
        self.reals = services
            .clone()
            .flat_map(director::Service::addresses)
            .collect();
        self.has_checks = services.clone().any(|it| it.check.is_some());
        self.owns_vips = config.vip == VipMode::Own;
        self.xdp = config.xdp;
        self.interfaces = config.interfaces;
    }

    fn take_real(&mut self, config: RealServer) {
        self.vips = config.vips.into_iter().collect();
        self.interfaces = config.interfaces;
        self.hook = config.hook;
    }

    /// A companion may have been attached by options alone.
    fn without_file(&mut self) -> Finding {
        if self.role == Role::RealServer {
            let attached = self.companion.interfaces.iter();
            self.interfaces = attached.map(|it| it.interface.clone()).collect();
            self.vips = self.companion.vips.iter().map(|it| it.vip).collect();
        }
        let found = Finding::note("config", self.config.display(), "there is no such file");
        found
            .why("It says which interfaces and VIPs there are to examine.")
            .fix(format!("drover install --role {}", self.role))
    }

    /// A command of drover's, with the paths that this one was given.
    pub(super) fn command(&self, words: &str) -> String {
        let mut command = format!("drover {words}");
        let Places {
            config,
            socket,
            pins,
        } = &self.places;
        // Writing to a string does not fail.
        if let Some(config) = config {
            let _ = write!(command, " --config {}", config.display());
        }
        if self.role == Role::Director && socket.as_os_str() != "/run/drover/director.sock" {
            let _ = write!(command, " --socket {}", socket.display());
        }
        if let Some(pins) = pins {
            let _ = write!(command, " --pins {}", pins.display());
        }
        command
    }
}
