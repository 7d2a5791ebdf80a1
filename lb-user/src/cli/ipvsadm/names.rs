//! Names for addresses and ports, where numbers are not asked for: by the resolver, and from /etc/services.

use std::{collections::HashMap, net::IpAddr};

use crate::{
    port_names,
    service::{PortRange, Transport, with_ports},
};

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
            services: port_names::text(),
            hosts: HashMap::new(),
        }
    }

    /// Writes an address and a port; 0 is all of them.
    pub(super) fn at(&mut self, address: IpAddr, port: u16, protocol: Transport) -> String {
        if self.is_numeric {
            return with_ports(address, port);
        }
        let resolved = self.hosts.entry(address).or_insert_with(|| host(address));
        let service = port_names::name_of(&self.services, port, protocol);
        let service = service.map_or_else(|| port.to_string(), str::to_owned);
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
