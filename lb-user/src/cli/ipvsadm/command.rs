//! The commands of ipvsadm, and which options each of them takes (its `commands_v_options`).

use super::{
    failure::Failure,
    options::Opt::{self, *},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    AddService,
    EditService,
    DeleteService,
    Flush,
    List,
    AddServer,
    DeleteServer,
    EditServer,
    Set,
    StartDaemon,
    StopDaemon,
    Restore,
    Save,
    Zero,
}

/// What a command takes; all else is illegal.
struct Takes {
    needed: &'static [Opt],
    /// One of these at the most.
    exclusive: &'static [Opt],
    optional: &'static [Opt],
}

const NOTHING: Takes = Takes {
    needed: &[],
    exclusive: &[],
    optional: &[],
};
const SERVICE: Takes = Takes {
    needed: &[Service],
    optional: &[Scheduler, Persistent, Netmask, Ops, Pe, SchedFlags],
    ..NOTHING
};
const SERVER: Takes = Takes {
    needed: &[Service, Server],
    optional: &[
        Forward, Weight, Uthreshold, Lthreshold, TunType, TunPort, TunNocsum, TunCsum, TunRemcsum,
    ],
    ..NOTHING
};
const LIST: Takes = Takes {
    exclusive: &[Connection, Service, Timeout, Daemon],
    optional: &[
        Numeric,
        Stats,
        Rate,
        Thresholds,
        PersistentConn,
        Nosort,
        Syncid,
        Exact,
        TunInfo,
    ],
    ..NOTHING
};

impl Command {
    /// In messages.
    fn name(self) -> &'static str {
        match self {
            Self::AddService => "add-service",
            Self::EditService => "edit-service",
            Self::DeleteService => "delete-service",
            Self::Flush => "flush",
            Self::List => "list",
            Self::AddServer => "add-server",
            Self::DeleteServer => "delete-server",
            Self::EditServer => "edit-server",
            Self::Set => "set",
            Self::StartDaemon => "start-daemon",
            Self::StopDaemon => "stop-daemon",
            Self::Restore => "restore",
            Self::Save => "save",
            Self::Zero => "zero",
        }
    }

    fn takes(self) -> Takes {
        match self {
            Self::AddService | Self::EditService => SERVICE,
            Self::DeleteService => Takes {
                needed: &[Service],
                ..NOTHING
            },
            Self::List => LIST,
            Self::AddServer | Self::EditServer => SERVER,
            Self::DeleteServer => Takes {
                needed: &[Service, Server],
                ..NOTHING
            },
            Self::StartDaemon => Takes {
                optional: &[Mcast, Syncid, McastGroup, McastPort, McastTtl, SyncMaxlen],
                ..NOTHING
            },
            Self::StopDaemon => Takes {
                optional: &[Syncid],
                ..NOTHING
            },
            Self::Save => Takes {
                optional: &[Numeric],
                ..NOTHING
            },
            Self::Zero => Takes {
                optional: &[Service],
                ..NOTHING
            },
            Self::Flush | Self::Set | Self::Restore => NOTHING,
        }
    }

    /// Checks options in the order in which ipvsadm does.
    pub(super) fn check(self, given: &[Opt]) -> Result<(), Failure> {
        let takes = self.takes();
        let mut last = None;
        for opt in Opt::ALL {
            let (name, command) = (opt.name(), self.name());
            let is_given = given.contains(&opt);
            let what = if !is_given && takes.needed.contains(&opt) {
                format!("You need to supply the '{name}' option for the '{command}' command")
            } else if !is_given || takes.needed.contains(&opt) || takes.optional.contains(&opt) {
                continue;
            } else if !takes.exclusive.contains(&opt) {
                format!("Illegal '{name}' option with the '{command}' command")
            } else if let Some(last) = last.replace(name) {
                format!(
                    "The option '{name}' conflicts with the '{last}' option in the '{command}' command"
                )
            } else {
                continue;
            };
            return Err(Failure::usage(what));
        }
        Ok(())
    }
}
