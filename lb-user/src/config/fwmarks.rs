//! `[director.fwmarks]`: which packets have a mark for `ipvsadm -f`, as iptables' MARK gives them.

use std::collections::{BTreeMap, HashMap};

use toml::Spanned;

use super::{Error, Source, destinations::Listen};
use crate::service::ServiceName;

/// Marks at the most; each has as many destinations as a service.
pub const FWMARKS_MAX: usize = 1024;

/// By mark, what is in the packets that have it: of both IP versions.
pub type Fwmarks = BTreeMap<u32, Vec<ServiceName>>;

/// As they are written: keys are strings in TOML.
pub(super) type FileFwmarks = BTreeMap<Spanned<String>, Listen>;

pub(super) fn checked(source: &Source, file: &FileFwmarks) -> Result<Fwmarks, Error> {
    let mut marks = Fwmarks::new();
    let mut seen = HashMap::new();
    for (key, listen) in file {
        let told = |what: String| source.error(key.span(), what);
        let mark = key.get_ref().parse().ok().filter(|&mark: &u32| mark != 0);
        let mark = mark.ok_or_else(|| {
            let most = u32::MAX;
            told(format!(
                "`{}` is not a mark from 1 to {most}",
                key.get_ref()
            ))
        })?;
        if marks.len() == FWMARKS_MAX {
            return Err(told(format!("more than {FWMARKS_MAX} marks")));
        }
        if marks.contains_key(&mark) {
            return Err(told(format!("mark {mark} is there already")));
        }
        let mut destinations = Vec::new();
        for named in listen.destinations(source)? {
            let name = named.parsed(source)?;
            // A packet has one mark.
            if let Some(other) = seen.insert(name, mark) {
                return Err(named.error(source, format!("{name} has mark {other} already")));
            }
            destinations.push(name);
        }
        marks.insert(mark, destinations);
    }
    Ok(marks)
}
