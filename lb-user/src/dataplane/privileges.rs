//! Whether this process may do what it is about to do, and this kernel can.

use anyhow::{Context as _, Result, bail};
use rustix::{
    system::uname,
    thread::{CapabilitySet, capabilities},
};

/// XDP of frames in several buffers came with 5.18, after atomic operations that return a value
/// (5.12) and BPF links (5.9).
pub const KERNEL_MIN: (u32, u32) = (5, 18);

/// Refuses before anything is done.
pub fn check() -> Result<()> {
    let kernel = uname();
    let release = kernel.release().to_string_lossy();
    if version(&release).is_some_and(|version| version < KERNEL_MIN) {
        let (major, minor) = KERNEL_MIN;
        bail!("Linux {release} is too old; {major}.{minor} or later is needed");
    }
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

/// Reads the first two numbers of a release.
pub fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read() {
        for (release, want) in [
            ("6.18.44-fc-v595", Some((6, 18))),
            ("5.10.0-28-amd64", Some((5, 10))),
            ("4.19", Some((4, 19))),
            ("next", None),
        ] {
            assert_eq!(version(release), want, "{release}");
        }
    }
}
