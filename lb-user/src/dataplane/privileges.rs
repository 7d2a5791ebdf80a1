//! Whether this process may do what it is about to do.

use anyhow::{Context as _, Result, bail};
use rustix::thread::{CapabilitySet, capabilities};

/// Refuses before anything is done.
pub fn check() -> Result<()> {
    let has = capabilities(None)
        .context("cannot read the capabilities")?
        .effective;
    // The older, wider capability stands for both. Without CAP_PERFMON the verifier lets no program
    // compare a packet's address with anything but its end, and an `Option` of it is compared with 0.
    let bpf = CapabilitySet::BPF | CapabilitySet::PERFMON;
    let may_load = has.contains(bpf) || has.contains(CapabilitySet::SYS_ADMIN);
    if !has.contains(CapabilitySet::NET_ADMIN) || !may_load {
        bail!("not permitted: this needs CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON; run it as root");
    }
    Ok(())
}
