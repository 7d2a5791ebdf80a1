//! The binary called by the name `ipvsadm`: what it says beside what ipvsadm 1.31 says on Linux 6.12.

mod counters;
mod refused;
mod site;

use std::{fs, net::Ipv4Addr, os::unix::fs::symlink};

use anyhow::Result;
use tests::{Host, Output};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);

/// Runs ipvsadm with a line's words and an input.
fn ipvsadm(host: &Host, line: &str, input: &str) -> Result<Output> {
    let program = host.dir().join("ipvsadm");
    if !program.exists() {
        symlink(tests::drover_binary(), &program)?;
    }
    let (socket, rules) = (host.dir().join("director.sock"), host.dir().join("rules"));
    fs::write(&rules, input)?;
    host.run(
        &[
            "bash",
            "-c",
            "exec env DROVER_SOCKET=$0 $1 ${@:3} <$2",
            &socket.display().to_string(),
            &program.display().to_string(),
            &rules.display().to_string(),
        ]
        .into_iter()
        .chain(line.split_whitespace())
        .collect::<Vec<_>>(),
    )
}
