//! IPVS's schedulers with their flags, as this director has them.

use super::{
    keys::Keys,
    notes::{Notes, Place},
};
use crate::scheduler::{Flag, Scheduler};

/// What is said of scheduling; names are IPVS's, as they are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    pub(super) scheduler: Option<(Place, String)>,
    pub(super) flags: Vec<(Place, String)>,
}

impl Schedule {
    /// Without a scheduler: `wlc`, as ipvsadm and keepalived have it.
    pub(super) fn put(&self, keys: &mut Keys, notes: &mut Notes) {
        let mut scheduler = Scheduler::Wlc;
        let mut remark = None;
        match &self.scheduler {
            None => remark = Some("the default of IPVS's tools".to_owned()),
            Some((place, name)) => match name.parse() {
                Ok(known) => scheduler = known,
                Err(why) => notes.left(place, format!("{why}; wlc is written")),
            },
        }
        let mut flags = self.flags(scheduler, notes);
        // IPVS's goes by the client's address unless it is told otherwise; here that is sh, which is Maglev, too.
        if scheduler == Scheduler::Mh && !flags.contains(&Flag::MhPort) {
            scheduler = Scheduler::Sh;
            remark = Some("mh by the client's address".to_owned());
            let falls = flags.contains(&Flag::MhFallback);
            flags = if falls {
                vec![Flag::ShFallback]
            } else {
                vec![]
            };
        } else if scheduler == Scheduler::Mh && !flags.contains(&Flag::MhFallback) {
            remark = Some("it falls back always".to_owned());
        }
        keys.put_with("scheduler", scheduler.name(), remark);
        if !flags.is_empty() {
            let names: toml_edit::Array = flags.iter().map(|it| it.name()).collect();
            keys.put("flags", names);
        }
    }

    fn flags(&self, scheduler: Scheduler, notes: &mut Notes) -> Vec<Flag> {
        let mut flags = Vec::new();
        for (place, name) in &self.flags {
            let flag = named(name, scheduler).and_then(|flag| {
                flag.check(scheduler)?;
                Ok(flag)
            });
            match flag {
                Ok(flag) if !flags.contains(&flag) => flags.push(flag),
                Ok(_) => {}
                Err(why) => notes.left(place, why),
            }
        }
        flags.sort_unstable();
        flags
    }
}

/// A flag by its name, or by its number, which is the scheduler's (IP_VS_SVC_F_SCHED_… in linux/ip_vs.h).
fn named(name: &str, scheduler: Scheduler) -> Result<Flag, String> {
    match (name, scheduler) {
        ("flag-1", Scheduler::Sh) => Ok(Flag::ShFallback),
        ("flag-2", Scheduler::Sh) => Ok(Flag::ShPort),
        ("flag-1", Scheduler::Mh) => Ok(Flag::MhFallback),
        ("flag-2", Scheduler::Mh) => Ok(Flag::MhPort),
        ("flag-1" | "flag-2" | "flag-3", _) => {
            Err(format!("{name}: it means nothing to {scheduler}"))
        }
        _ => name.parse(),
    }
}
