//! Names for addresses and ports, where numbers are not asked for: by the resolver, and from /etc/services.

use std::{collections::HashMap, fs, net::IpAddr};

use crate::service::{PortRange, Transport, with_ports};

/// Where services' names are (services(5)).
const SERVICES: &str = "/etc/services";

/// How ends are written.
pub(super) struct Names {
    is_numeric: bool,
    services: String,
    hosts: HashMap<IpAddr, String>,
}

impl Names {
    pub(super) fn new(is_numeric: bool) -> Self {
        Self {
            is_numeric,
            services: services(),
            hosts: HashMap::new(),
        }
    }

    /// Writes an address and a port; 0 is all of them.
    pub(super) fn at(&mut self, address: IpAddr, port: u16, protocol: Transport) -> String {
        if self.is_numeric {
            return with_ports(address, port);
        }
        let resolved = self.hosts.entry(address).or_insert_with(|| host(address));
        let is_its = |&(_, number, of): &(&str, u16, &str)| {
            number == port && of == protocol.number().to_string()
        };
        let service = entries(&self.services).find(is_its);
        let service = service.map_or_else(|| port.to_string(), |(name, ..)| name.to_owned());
        match address {
            IpAddr::V4(_) => format!("{resolved}:{service}"),
            IpAddr::V6(_) => format!("[{resolved}]:{service}"),
        }
    }

    /// The same of a range of ports, which has no name.
    pub(super) fn of_range(&self, address: IpAddr, ports: PortRange) -> String {
        with_ports(address, ports)
    }
}

fn host(address: IpAddr) -> String {
    let found = dns_lookup::lookup_addr(&address);
    found.unwrap_or_else(|_| address.to_string())
}

fn services() -> String {
    // Without the file there are no names.
    fs::read_to_string(SERVICES).unwrap_or_default()
}

/// Returns the port that a name, or another name of the same service, has.
pub(super) fn port_of(name: &str, protocol: Transport) -> Option<u16> {
    let services = services();
    let protocol = protocol.number().to_string();
    let mut lines = services.lines();
    lines.find_map(|line| {
        let (_, port, of) = entry(line)?;
        let mut names = words(line).enumerate().filter(|&(i, _)| i != 1);
        (of == protocol && names.any(|(_, it)| it == name)).then_some(port)
    })
}

/// Name, port and protocol of each line.
fn entries(services: &str) -> impl Iterator<Item = (&str, u16, &str)> {
    services.lines().filter_map(entry)
}

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
