//! What a command line says, with ipvsadm's defaults, and the checks of what it says together.

use std::net::{IpAddr, Ipv4Addr};

use super::{
    command::Command,
    failure::{Failure, INVALID},
    options::{Forward, Opt},
};
use crate::{
    address,
    install::Thresholds,
    scheduler::{Flag, Scheduler},
    service::{Transport, not_a_hosts},
};

/// A virtual service, as ipvsadm names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Target {
    /// Port 0 is all ports.
    At {
        protocol: Transport,
        vip: IpAddr,
        port: u16,
    },
    Mark {
        mark: u32,
        is_ipv6: bool,
    },
}

/// Of clients' addresses, for persistence.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mask {
    Dotted(Ipv4Addr),
    Prefix(u8),
}

#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) command: Command,
    pub(super) options: Vec<Opt>,
    pub(super) target: Option<Target>,
    pub(super) scheduler: Option<String>,
    pub(super) flags: Vec<Flag>,
    pub(super) persistence: Option<u32>,
    pub(super) mask: Option<Mask>,
    pub(super) real: Option<IpAddr>,
    pub(super) forward: Forward,
    pub(super) weight: u32,
    pub(super) thresholds: Thresholds,
    /// Of TCP, TCP after FIN, UDP; 0: as it is.
    pub(super) timeouts: [u32; 3],
}

impl Target {
    pub(super) fn is_ipv6(self) -> bool {
        match self {
            Self::At { vip, .. } => vip.is_ipv6(),
            Self::Mark { is_ipv6, .. } => is_ipv6,
        }
    }

    pub(super) fn protocol(self) -> Transport {
        match self {
            Self::At { protocol, .. } => protocol,
            Self::Mark { .. } => Transport::Tcp,
        }
    }
}

impl Said {
    pub(super) fn new(command: Command) -> Self {
        Self {
            command,
            options: Vec::new(),
            target: None,
            scheduler: None,
            flags: Vec::new(),
            persistence: None,
            mask: None,
            real: None,
            forward: Forward::Gate,
            weight: 1,
            thresholds: Thresholds::default(),
            timeouts: [0; 3],
        }
    }

    pub(super) fn has(&self, opt: Opt) -> bool {
        self.options.contains(&opt)
    }

    pub(super) fn scheduler(&self) -> &str {
        self.scheduler.as_deref().unwrap_or("wlc")
    }

    /// Checks what ipvsadm checks before it asks the kernel, in its order.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.command.check(&self.options)?;
        let is = |commands: [Command; 2]| commands.contains(&self.command);
        let what = if is([Command::AddService, Command::EditService]) {
            self.wrong_service()
        } else if is([Command::AddServer, Command::EditServer]) {
            self.wrong_server()
        } else if self.command == Command::List {
            self.wrong_list()
        } else {
            None
        };
        what.map_or(Ok(()), |what| Err(Failure::usage(what)))
    }

    fn wrong_service(&self) -> Option<&'static str> {
        let Some(Target::At { protocol, port, .. }) = self.target else {
            return None;
        };
        if port == 0 && self.persistence.is_none() {
            return Some("Zero port specified for non-persistent service");
        }
        let is_ops = self.has(Opt::Ops) && protocol != Transport::Udp;
        is_ops.then_some("One-Packet Scheduling is only for UDP virtual services")
    }

    fn wrong_server(&self) -> Option<&'static str> {
        let is_tunnel = self.forward == Forward::Tunnel;
        let is_ipv6 = self.target.is_some_and(Target::is_ipv6);
        if self.real.is_some_and(|it| it.is_ipv6() != is_ipv6) && !is_tunnel {
            return Some("Different address family is allowed only for tunneling servers");
        }
        let tunnel = [
            Opt::TunType,
            Opt::TunPort,
            Opt::TunNocsum,
            Opt::TunCsum,
            Opt::TunRemcsum,
        ];
        let has_tunnel = tunnel.iter().any(|&it| self.has(it));
        (has_tunnel && !is_tunnel).then_some("Tunnel options conflict with forward method")
    }

    fn wrong_list(&self) -> Option<&'static str> {
        let has = |opts: &[Opt]| opts.iter().any(|&it| self.has(it));
        let is_other = has(&[Opt::Connection, Opt::Timeout, Opt::Daemon]);
        let is_wrong = is_other && has(&[Opt::Stats, Opt::Rate, Opt::Thresholds])
            || has(&[Opt::Timeout, Opt::Daemon]) && has(&[Opt::PersistentConn]);
        is_wrong.then_some("options conflicts in the list command")
    }

    /// Refuses what direct routing on XDP does not do, and says why.
    pub(super) fn check_possible(&self) -> Result<(), Failure> {
        let is_daemon = [Command::StartDaemon, Command::StopDaemon].contains(&self.command);
        let why = if is_daemon {
            "there is no sync daemon: drover's directors share no connections"
        } else if self.has(Opt::Pe) {
            "there are no persistence engines: drover knows clients by their addresses alone"
        } else if self.forward == Forward::Masquerade {
            "masquerading (-m) is not possible: drover forwards by direct routing (-g) alone, and never sees the replies"
        } else if self.forward == Forward::Tunnel {
            "tunneling (-i) is not possible: drover forwards by direct routing (-g) alone"
        } else if let Some(Target::At { vip, .. }) = self.target
            && not_a_hosts(vip).is_some()
        {
            INVALID
        } else {
            return Ok(());
        };
        Err(Failure::refused(why))
    }

    /// Bits of a client's address that count.
    pub(super) fn prefix(&self) -> Result<Option<u8>, Failure> {
        match self.mask {
            None => Ok(None),
            Some(Mask::Prefix(prefix)) => Ok(Some(prefix)),
            Some(Mask::Dotted(mask)) => {
                let what = format!("the persistent mask {mask} is no prefix of an address");
                let length = address::length_of(mask).ok_or_else(|| Failure::refused(what));
                length.map(Some)
            }
        }
    }
}

/// Reads flags; `flag-1` to `flag-3` are the kernel's names for a scheduler's first to third.
pub(super) fn flags(text: &str, scheduler: &str) -> Result<Vec<Flag>, Failure> {
    let scheduler = scheduler.parse().ok();
    let names = text.split(',').filter(|name| !name.is_empty());
    let flag = |name: &str| {
        let incompatible = || Failure::usage(format!("incompatible scheduler flag `{name}'"));
        let is_its = |flag: &Flag| scheduler.is_some_and(|it: Scheduler| flag.check(it).is_ok());
        if let Some(number) = name.strip_prefix("flag-") {
            let index = ["1", "2", "3"].iter().position(|it| *it == number);
            let index = index.ok_or_else(|| invalid(name))?;
            let own = Flag::ALL.into_iter().filter(is_its).nth(index);
            return own.ok_or_else(incompatible);
        }
        let flag: Flag = name.parse().map_err(|_unknown: String| invalid(name))?;
        is_its(&flag).then_some(flag).ok_or_else(incompatible)
    };
    names.map(flag).collect()
}

fn invalid(name: &str) -> Failure {
    Failure::usage(format!("invalid scheduler flag `{name}'"))
}
