//! Names of ports, as services(5) has them.

use std::fs;

use crate::service::Transport;

const FILE: &str = "/etc/services";

/// Reads the file, which `services` is below.
pub fn text() -> String {
    // Without it there are no names.
    fs::read_to_string(FILE).unwrap_or_default()
}

/// Returns the name that a port has.
pub fn name_of(services: &str, port: u16, protocol: Transport) -> Option<&str> {
    let protocol = protocol.number().to_string();
    let mut entries = services.lines().filter_map(entry);
    let found = entries.find(|&(_, number, of)| number == port && of == protocol);
    found.map(|(name, ..)| name)
}

/// Returns the port that a name, or another name of the same service, has.
pub fn port_of(services: &str, name: &str, protocol: Transport) -> Option<u16> {
    let protocol = protocol.number().to_string();
    let mut lines = services.lines();
    lines.find_map(|line| {
        let (_, port, of) = entry(line)?;
        let mut names = words(line).enumerate().filter(|&(i, _)| i != 1);
        (of == protocol && names.any(|(_, it)| it == name)).then_some(port)
    })
}

/// Name, port and protocol of a line.
fn entry(line: &str) -> Option<(&str, u16, &str)> {
    let mut words = words(line);
    let name = words.next()?;
    let (port, protocol) = words.next()?.split_once('/')?;
    Some((name, port.parse().ok()?, protocol))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split('#')
        .next()
        .unwrap_or_default()
        .split_whitespace()
}
