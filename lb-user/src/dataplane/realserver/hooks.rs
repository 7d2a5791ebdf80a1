//! Attaching the programs of one interface, and putting new ones in the place of old ones.
//!
//! A link that lives is updated in place, and a link that is to replace another is attached before
//! the other goes: there is no moment without a program.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use aya::programs::{
    Program, TcAttachType, XdpMode,
    links::{FdLink, PinnedLink},
};
use rustix::io::Errno;

use super::{Ingress, Installed, NAMES, Programs};
use crate::{
    config::realserver::Hook,
    dataplane::{
        tc::{Tc, Way, errno},
        verifier::refusal,
    },
    net::links::Link,
};

const INGRESS_XDP: &str = "vip_ingress";

/// Where the programs are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    pub ingress: Ingress,
    pub egress: Tc,
    /// Why the driver did not take XDP, where it was asked to.
    pub refusal: Option<String>,
}

impl Programs {
    /// Attaches both ways, the way out first: it does nothing before there is a VIP.
    pub fn attach(
        &mut self,
        link: &Link,
        dir: &Path,
        hook: Hook,
        before: Installed,
    ) -> Result<Attached> {
        let way_out = Way {
            names: &NAMES,
            link,
            dir,
            hook: TcAttachType::Egress,
        };
        let egress = self
            .tc(&way_out, before.egress)
            .with_context(|| format!("cannot attach to the way out of {}", link.name))?;
        let way_in = Way {
            names: &NAMES,
            link,
            dir,
            hook: TcAttachType::Ingress,
        };
        let (ingress, refusal) = self
            .ingress(&way_in, hook, before.ingress)
            .with_context(|| format!("cannot attach to the way in of {}", link.name))?;
        Ok(Attached {
            ingress,
            egress,
            refusal,
        })
    }

    fn ingress(
        &mut self,
        at: &Way<'_>,
        hook: Hook,
        before: Option<Ingress>,
    ) -> Result<(Ingress, Option<String>)> {
        let before_tc = match before {
            Some(Ingress::Tc(tc)) => Some(tc),
            Some(Ingress::Xdp) | None => None,
        };
        let mut refusal = None;
        if hook == Hook::Xdp || hook == Hook::Auto && before_tc.is_none() {
            match self.xdp(at, before == Some(Ingress::Xdp)) {
                Ok(()) => {
                    if before_tc == Some(Tc::Clsact) {
                        at.remove_filter()?;
                    }
                    return Ok((Ingress::Xdp, None));
                }
                Err(error) if hook == Hook::Xdp => return Err(error),
                Err(error) => refusal = Some(format!("{error:#}")),
            }
        }
        Ok((Ingress::Tc(self.tc(at, before_tc)?), refusal))
    }

    fn xdp(&mut self, at: &Way<'_>, is_there: bool) -> Result<()> {
        let Some(Program::Xdp(program)) = self.ebpf.program_mut(INGRESS_XDP) else {
            bail!("the object has no program {INGRESS_XDP}");
        };
        program
            .load()
            .map_err(|error| refusal(INGRESS_XDP, error))?;
        if is_there {
            let old = PinnedLink::from_pin(at.pin())?;
            program.attach_to_link(FdLink::from(old).try_into()?)?;
            return Ok(());
        }
        let id = program
            .attach_to_if_index(at.link.index, XdpMode::Driver)
            .map_err(|error| match errno(&error) {
                Some(Errno::BUSY | Errno::EXIST) => anyhow!("another XDP program is attached"),
                Some(Errno::OPNOTSUPP) => anyhow!("the driver has no native XDP"),
                Some(error) => anyhow!("the driver refuses native XDP: {error}"),
                None => anyhow!(error),
            })?;
        at.publish(program.take_link(id)?.try_into()?)
    }

    fn tc(&mut self, at: &Way<'_>, before: Option<Tc>) -> Result<Tc> {
        let name = at.program();
        let Some(Program::SchedClassifier(program)) = self.ebpf.program_mut(name) else {
            bail!("the object has no program {name}");
        };
        at.attach(program, before)
    }
}
