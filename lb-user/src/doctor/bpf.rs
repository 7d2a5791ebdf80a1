//! What of BPF this process may use, and this kernel takes.

use std::path::Path;

use rustix::thread::{CapabilitySet, capabilities};

use super::{finding::Finding, site::Site};
use crate::dataplane::{accepted, bpffs, pins::Role};

const BTF: &str = "/sys/kernel/btf/vmlinux";

pub(super) fn check(site: &Site) -> Vec<Finding> {
    let has = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    let missing = missing(site.role, has);
    let mut findings = vec![judge_rights(site, &missing), mounted(site)];
    if missing.is_empty() {
        let taken = accepted::load(site.role).map_err(|error| format!("{error:#}"));
        findings.extend(judge_programs(taken, Path::new(BTF).exists()));
    } else {
        let what = "not tried: the rights are missing";
        findings.push(Finding::note("programs", "kernel", what));
    }
    findings
}

/// What there is to be done needs, by name, and is not there.
fn missing(role: Role, has: CapabilitySet) -> Vec<&'static str> {
    // The older, wider capability stands for both.
    let loads = has.contains(CapabilitySet::SYS_ADMIN);
    let asks = role == Role::RealServer;
    let needed = [
        ("CAP_NET_ADMIN", has.contains(CapabilitySet::NET_ADMIN)),
        ("CAP_BPF", loads || has.contains(CapabilitySet::BPF)),
        ("CAP_PERFMON", loads || has.contains(CapabilitySet::PERFMON)),
        ("CAP_NET_RAW", asks || has.contains(CapabilitySet::NET_RAW)),
    ];
    let missing = needed.into_iter().filter(|(_, has)| !has);
    missing.map(|(name, _)| name).collect()
}

fn judge_rights(site: &Site, missing: &[&str]) -> Finding {
    if missing.is_empty() {
        return Finding::ok("rights", "this process", "has what it needs");
    }
    let what = format!("has no {}", missing.join(", "));
    Finding::error("rights", "this process", what)
        .why("Programs cannot be loaded or attached, nor the LAN be asked: checks are missing.")
        .fix(format!(
            "sudo {}",
            site.command(&format!("doctor --role {}", site.role))
        ))
}

fn mounted(site: &Site) -> Finding {
    const AT: &str = "/sys/fs/bpf";
    let given = site.places.pins.as_deref();
    match bpffs::root(given) {
        Ok(Some(root)) => Finding::ok("bpffs", root.display(), "is on a bpffs"),
        Ok(None) if bpffs::stays().unwrap_or(false) => {
            Finding::note("bpffs", AT, "no bpffs is mounted there")
                .why("drover mounts one when it starts.")
                .fix(format!("mount -t bpf bpf {AT}"))
        }
        Ok(None) => Finding::error("bpffs", AT, "no bpffs is mounted there")
            .why("What is pinned would go with this mount namespace, so drover refuses to start.")
            .fix(format!("nsenter --target 1 --mount mount -t bpf bpf {AT}")),
        Err(error) => {
            let finding = Finding::error("bpffs", "pins", format!("{error:#}"))
                .why("Programs are pinned there, and outlive the process that loaded them.");
            let there = given.into_iter().flat_map(Path::ancestors);
            match there.into_iter().find(|path| path.exists()) {
                Some(at) => finding.fix(format!("mount -t bpf bpf {}", at.display())),
                None => finding,
            }
        }
    }
}

fn judge_programs(taken: Result<bool, String>, has_btf: bool) -> Vec<Finding> {
    let compiled = match taken {
        Ok(compiled) => compiled,
        Err(error) => {
            let hint = match has_btf {
                true => "",
                false => " The kernel has no BTF (CONFIG_DEBUG_INFO_BTF), which may be why.",
            };
            let why = format!("Nothing can be attached.{hint}");
            return vec![Finding::error("programs", "kernel", error).why(why)];
        }
    };
    let jit = match compiled {
        true => Finding::ok("jit", "kernel", "compiles programs"),
        false => Finding::warning("jit", "kernel", "interprets programs: the JIT is off")
            .why("A packet costs several times as much.")
            .fix("sysctl -w net.core.bpf_jit_enable=1"),
    };
    vec![
        Finding::ok("programs", "kernel", "takes drover's programs"),
        jit,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Severity;

    #[test]
    fn rights_that_are_missing_are_named() {
        let bpf = CapabilitySet::BPF | CapabilitySet::PERFMON;
        let net = CapabilitySet::NET_ADMIN | CapabilitySet::NET_RAW;
        let (director, real) = (Role::Director, Role::RealServer);
        for (role, has, names) in [
            (director, bpf | net, &[][..]),
            (director, net | CapabilitySet::SYS_ADMIN, &[]),
            (real, bpf | CapabilitySet::NET_ADMIN, &[]),
            (director, bpf | CapabilitySet::NET_ADMIN, &["CAP_NET_RAW"]),
            (real, net, &["CAP_BPF", "CAP_PERFMON"]),
            (real, bpf, &["CAP_NET_ADMIN"]),
        ] {
            assert_eq!(missing(role, has), names, "{role} {has:?}");
        }
    }

    #[test]
    fn a_kernel_that_refuses_or_interprets_is_told() {
        let ids = |taken, has_btf| {
            let found = judge_programs(taken, has_btf).into_iter();
            found.map(|it| (it.id, it.severity)).collect::<Vec<_>>()
        };
        let (programs, jit) = ("programs", "jit");
        assert_eq!(
            ids(Ok(true), true),
            [(programs, Severity::Ok), (jit, Severity::Ok)]
        );
        assert_eq!(
            ids(Ok(false), true),
            [(programs, Severity::Ok), (jit, Severity::Warning)]
        );
        assert_eq!(ids(Err("no".into()), false), [(programs, Severity::Error)]);
        let refused = judge_programs(Err("no".into()), false);
        assert!(
            refused[0]
                .why
                .as_ref()
                .unwrap()
                .contains("CONFIG_DEBUG_INFO_BTF")
        );
    }
}
