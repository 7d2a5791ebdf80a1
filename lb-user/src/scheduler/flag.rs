//! The flags of the schedulers that hash, by ipvsadm's names (`parse_sched_flags` in ipvsadm.c).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Scheduler;

/// In the order in which ipvsadm lists them.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// sh: the clients of an ineligible real server go to the others, in place of being refused
    ShFallback,
    /// sh: by the client's port too
    ShPort,
    /// mh: the same; it is always so
    MhFallback,
    /// mh: by the client's port too; it is always so
    MhPort,
}

impl Flag {
    pub const ALL: [Self; 4] = [
        Self::ShFallback,
        Self::ShPort,
        Self::MhFallback,
        Self::MhPort,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::ShFallback => "sh-fallback",
            Self::ShPort => "sh-port",
            Self::MhFallback => "mh-fallback",
            Self::MhPort => "mh-port",
        }
    }

    fn scheduler(self) -> Scheduler {
        match self {
            Self::ShFallback | Self::ShPort => Scheduler::Sh,
            Self::MhFallback | Self::MhPort => Scheduler::Mh,
        }
    }

    /// Refuses a flag that is another scheduler's.
    pub fn check(self, scheduler: Scheduler) -> Result<(), String> {
        let owner = self.scheduler();
        if owner == scheduler {
            return Ok(());
        }
        Err(format!(
            "incompatible scheduler flag `{self}`; it is for {owner}, and the scheduler is {scheduler}"
        ))
    }
}

/// Writes flags as ipvsadm does: names with commas between.
pub fn listed(flags: &[Flag]) -> String {
    let names: Vec<_> = flags.iter().map(|flag| flag.name()).collect();
    names.join(",")
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Flag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|this| this.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("unknown scheduler flag `{text}`; there are {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_and_written_alike() {
        for flag in Flag::ALL {
            assert_eq!(flag.name().parse(), Ok(flag));
        }
        assert_eq!(
            listed(&[Flag::ShFallback, Flag::ShPort]),
            "sh-fallback,sh-port"
        );
        let error = "mh".parse::<Flag>().unwrap_err();
        assert!(
            error.starts_with("unknown scheduler flag `mh`; "),
            "{error}"
        );
    }

    #[test]
    fn a_flag_is_for_its_scheduler_alone() {
        for scheduler in Scheduler::ALL {
            for flag in Flag::ALL {
                let own = flag.name().starts_with(&format!("{scheduler}-"));
                assert_eq!(flag.check(scheduler).is_ok(), own, "{flag} of {scheduler}");
            }
        }
        let error = Flag::MhPort.check(Scheduler::Rr).unwrap_err();
        assert!(
            error.starts_with("incompatible scheduler flag `mh-port`; "),
            "{error}"
        );
    }
}
