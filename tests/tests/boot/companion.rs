//! The companion does its work with the capabilities that its unit gives, and needs each.

use std::{ffi::OsString, fs, net::Ipv4Addr};

use anyhow::{Result, ensure};
use tests::{Host, Lab, Output};

use crate::rights::Rights;

const UNIT: &str = "drover-realserver.service";
const VIP: &str = "10.3.0.100";

#[test]
fn the_companion_does_its_work_with_the_unit_s_capabilities() -> Result<()> {
    let (lab, rights) = (lab()?, Rights::of(UNIT)?);
    let server = lab.host("server");
    for hook in ["xdp", "tc"] {
        // As systemd starts it, reloads it and stops it.
        for command in ["attach", "attach"] {
            drover(server, &rights, command, hook)?.success()?;
            server.drover(&["realserver", "status"])?.success()?;
            ensure!(has_vip(server)?, "{hook}: the VIP is not on lo");
        }
        drover(server, &rights, "detach", hook)?.success()?;
        ensure!(!has_vip(server)?, "{hook}: the VIP is still on lo");
    }
    Ok(())
}

#[test]
fn each_capability_of_the_companion_is_needed() -> Result<()> {
    let (lab, rights) = (lab()?, Rights::of(UNIT)?);
    let server = lab.host("server");
    for capability in &rights.capabilities {
        for hook in ["xdp", "tc"] {
            let output = drover(server, &rights.without(capability), "attach", hook)?;
            println!("without {capability}: {}", output.stderr.trim());
            assert_eq!(output.status.code(), Some(1), "without {capability}");
            ensure!(!has_vip(server)?, "without {capability}: the VIP is on lo");
        }
    }
    Ok(())
}

fn lab() -> Result<Lab> {
    Lab::new(&[("server", Ipv4Addr::new(10, 3, 0, 2))])
}

fn drover(host: &Host, rights: &Rights, command: &str, hook: &str) -> Result<Output> {
    let config = host.dir().join("realserver.toml");
    let text =
        format!("[realserver]\ninterfaces = [\"eth0\"]\nvips = [\"{VIP}\"]\nhook = \"{hook}\"\n");
    fs::write(&config, text)?;
    let arguments = ["realserver", command, "--config"].map(OsString::from);
    let mut words = rights.setpriv();
    words.extend(host.drover_words(&[&arguments[..], &[config.into()]].concat()));
    host.run(&words)
}

fn has_vip(host: &Host) -> Result<bool> {
    Ok(host.sh("ip -br addr show lo")?.contains(VIP))
}
