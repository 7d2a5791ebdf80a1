//! The rights that a unit gives, for a process that systemd does not start.

use std::ffi::OsString;

use anyhow::Result;

use crate::unit::Unit;

/// The number of the group `drover` where a test needs one.
pub(crate) const GROUP: u32 = 61_234;

/// Uid 0 with some capabilities, perhaps in the group `drover`.
#[derive(Clone)]
pub(crate) struct Rights {
    pub(crate) capabilities: Vec<String>,
    has_group: bool,
}

impl Rights {
    pub(crate) fn of(unit: &str) -> Result<Self> {
        let unit = Unit::read(unit)?;
        assert_eq!(unit.words("NoNewPrivileges")?, ["yes"]);
        let capabilities = unit.words("CapabilityBoundingSet")?;
        let groups = unit.words("SupplementaryGroups");
        Ok(Self {
            capabilities: capabilities.into_iter().map(str::to_owned).collect(),
            has_group: groups.is_ok_and(|groups| groups == ["drover"]),
        })
    }

    /// Without a capability, or the `group`.
    pub(crate) fn without(&self, right: &str) -> Self {
        let mut rights = self.clone();
        rights.capabilities.retain(|capability| capability != right);
        rights.has_group &= right != "group";
        rights
    }

    /// The words before a command that is to have no other rights.
    pub(crate) fn setpriv(&self) -> Vec<OsString> {
        let mut set = String::from("--bounding-set=-all");
        for capability in &self.capabilities {
            let name = capability.strip_prefix("CAP_").unwrap_or(capability);
            set += &format!(",+{}", name.to_lowercase());
        }
        let group = match self.has_group {
            true => format!("--groups={GROUP}"),
            false => "--clear-groups".into(),
        };
        let words = ["setpriv", &set, "--inh-caps=-all", "--no-new-privs", &group];
        words.into_iter().map(OsString::from).collect()
    }
}
