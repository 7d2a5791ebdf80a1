//! systemd's opinion of the units.

use std::{
    fs,
    io::ErrorKind,
    path::Path,
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use tests::drover_binary;

use crate::{install::Root, packaged, unit::Unit};

const UNITS: [&str; 2] = ["drover-director.service", "drover-realserver.service"];

/// `systemd-analyze security` gives 0 to what can do nothing, 9.6 to a service with no option set, and calls up to 4 OK.
/// What is left: root, its few capabilities, netlink, packet and (for health checks) IP sockets, the host's network, and a
/// writable bpffs.
const EXPOSURE_MAX: f64 = 2.4;

#[test]
fn systemd_has_nothing_to_say_against_the_units() -> Result<()> {
    let root = Root::new("verify")?;
    for name in UNITS {
        // The program is where it is, or systemd would miss it.
        let text = fs::read_to_string(packaged("systemd").join(name))?;
        let program = drover_binary().display().to_string();
        let unit = root.path().join(name);
        fs::write(&unit, text.replace("/usr/bin/drover", &program))?;

        let Some(output) = analyze(&["verify", "--man=no"], &unit)? else {
            return Ok(());
        };
        let said = String::from_utf8_lossy(&output.stderr);
        // It also reads the units that these name, which are the machine's.
        let about_it: Vec<_> = said.lines().filter(|line| line.contains(name)).collect();
        ensure!(about_it.is_empty(), "{}", about_it.join("\n"));
        ensure!(output.status.success(), "{name}: {}: {said}", output.status);
    }
    Ok(())
}

#[test]
fn the_units_are_locked_down() -> Result<()> {
    for name in UNITS {
        let unit = packaged("systemd").join(name);
        let Some(output) = analyze(&["security", "--offline=true", "--no-pager"], &unit)? else {
            return Ok(());
        };
        let table = String::from_utf8_lossy(&output.stdout);
        let (_, exposure) = table
            .split_once(&format!("exposure level for {name}: "))
            .with_context(|| format!("{name}: {table}"))?;
        let exposure = exposure.split(' ').next().unwrap_or_default();
        println!("{name}: {exposure}");
        ensure!(
            exposure.parse::<f64>()? <= EXPOSURE_MAX,
            "{name}: exposure {exposure}, at most {EXPOSURE_MAX}:\n{table}"
        );
    }
    Ok(())
}

/// systemd 252 makes the bpffs read-only by this option, even where `ReadWritePaths=` names it, and nothing can be pinned;
/// neither `verify` nor capabilities show that.
#[test]
fn the_bpffs_stays_writable() -> Result<()> {
    for name in UNITS {
        let unit = Unit::read(name)?;
        assert!(unit.words("ProtectKernelTunables").is_err(), "{name}");
        assert!(
            unit.words("ReadWritePaths")?.contains(&"/sys/fs/bpf"),
            "{name}"
        );
        assert_eq!(unit.words("ProcSubset")?, ["pid"], "{name}");
        assert_eq!(unit.words("ReadOnlyPaths")?, ["/sys"], "{name}");
    }
    Ok(())
}

/// Runs `systemd-analyze`; without it there is nothing to ask.
fn analyze(arguments: &[&str], unit: &Path) -> Result<Option<Output>> {
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .arg(unit)
        .output();
    match output {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("SKIPPED: there is no systemd-analyze here (Debian: apt install systemd)");
            Ok(None)
        }
        output => Ok(Some(output.context("systemd-analyze")?)),
    }
}
