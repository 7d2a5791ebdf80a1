//! The kernel: its release, and what it was built with.

use std::{fs, io::Read as _};

use flate2::read::GzDecoder;
use rustix::system::uname;

use super::finding::Finding;
use crate::dataplane::pins::Role;

/// The oldest that the tests are run on; whether an older one has what is needed is seen by loading the programs.
const TRIED: (u32, u32) = (6, 1);

/// Octets of the longest configuration that is read: a distribution's has 300 000.
const CONFIG_MAX: u64 = 4 << 20;

pub(super) fn check(role: Role) -> Vec<Finding> {
    let kernel = uname();
    let release = kernel.release().to_string_lossy();
    let mut findings = vec![judge_release(&release)];
    if let Some((path, config)) = config(&release) {
        findings.extend(judge_config(role, &path, &config));
    }
    findings
}

fn config(release: &str) -> Option<(String, String)> {
    let built_in = "/proc/config.gz";
    if let Ok(file) = fs::File::open(built_in) {
        let mut text = String::new();
        let unpacked = GzDecoder::new(file)
            .take(CONFIG_MAX)
            .read_to_string(&mut text);
        return unpacked.is_ok().then(|| (built_in.to_owned(), text));
    }
    let path = format!("/boot/config-{release}");
    let text = fs::read_to_string(&path).ok()?;
    Some((path, text))
}

fn judge_release(release: &str) -> Finding {
    let (major, minor) = TRIED;
    if version(release).is_some_and(|version| version < TRIED) {
        return Finding::warning(
            "kernel-release",
            release,
            format!("is older than {major}.{minor}, the oldest that drover is tried on"),
        )
        .why(
            "A director needs what came with Linux 6.0, a real server what came with 5.18; \
             distributions' kernels may have it.",
        );
    }
    Finding::ok(
        "kernel-release",
        release,
        format!("is {major}.{minor} or later"),
    )
}

/// The first two numbers of a release.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

fn judge_config(role: Role, path: &str, config: &str) -> Vec<Finding> {
    let has = |option: &str| {
        let set = |value| {
            config
                .lines()
                .any(|line| line == format!("{option}={value}"))
        };
        set("y") || set("m")
    };
    let mut findings = Vec::new();
    for (option, why) in [
        ("CONFIG_BPF_SYSCALL", "Without it no program can be loaded."),
        ("CONFIG_INET", "Without it there is no IP."),
    ] {
        if !has(option) {
            findings.push(
                Finding::error("kernel-config", path, format!("{option} is not set")).why(why),
            );
        }
    }
    // Links at tc's hooks, or before Linux 6.6 filters.
    let filters = ["CONFIG_NET_SCH_INGRESS", "CONFIG_NET_CLS_BPF"];
    for option in filters.into_iter().filter(|_| !has("CONFIG_NET_XGRESS")) {
        if has(option) {
            continue;
        }
        let what = format!("{option} is not set");
        findings.push(match role {
            Role::RealServer => Finding::error("kernel-config", path, what)
                .why("The companion's program on the way out is attached by it."),
            Role::Director => Finding::warning("kernel-config", path, what)
                .why("The programs of health checks are attached by it."),
        });
    }
    if findings.is_empty() {
        findings.push(Finding::ok("kernel-config", path, "has what is needed"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Severity;

    #[test]
    fn releases_from_6_1_on_are_tried() {
        for (release, severity) in [
            ("4.19", Severity::Warning),
            ("5.10.0-28-amd64", Severity::Warning),
            ("6.0.12", Severity::Warning),
            ("6.1.0-18-amd64", Severity::Ok),
            ("6.18.44-fc-v595", Severity::Ok),
            ("next", Severity::Ok),
        ] {
            assert_eq!(judge_release(release).severity, severity, "{release}");
        }
    }

    #[test]
    fn options_are_missing_or_not_needed() {
        use Severity::{Error, Ok, Warning};
        const BASE: &str = "CONFIG_BPF_SYSCALL=y\nCONFIG_INET=y\n";
        for (role, more, severities) in [
            (Role::RealServer, "CONFIG_NET_XGRESS=y\n", &[Ok][..]),
            (
                Role::RealServer,
                "# CONFIG_NET_XGRESS is not set\n",
                &[Error, Error],
            ),
            (Role::Director, "CONFIG_NET_SCH_INGRESS=m\n", &[Warning]),
            (
                Role::RealServer,
                "CONFIG_NET_SCH_INGRESS=m\nCONFIG_NET_CLS_BPF=m\n",
                &[Ok],
            ),
        ] {
            let found = judge_config(role, "config", &format!("{BASE}{more}"));
            let found: Vec<Severity> = found.iter().map(|it| it.severity).collect();
            assert_eq!(found, severities, "{role} {more}");
        }
        let none = judge_config(Role::Director, "config", "CONFIG_NET_XGRESS=y\n");
        assert_eq!(none.len(), 2, "{none:?}");
    }
}
