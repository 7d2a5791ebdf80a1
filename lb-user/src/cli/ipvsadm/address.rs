//! What ipvsadm takes for a service, a real server or a mask: addresses, names, ports.

use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs as _};

use crate::{port_names, service::Transport};

/// Reads `host[:port]`; IPv6 addresses with a port are in brackets.
pub(super) fn parse(text: &str, protocol: Option<Transport>) -> Option<(IpAddr, Option<u16>)> {
    if text.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (host, port) = bracketed.split_once("]:")?;
            (host.parse().ok().map(IpAddr::V6)?, Some(port))
        }
        None => match text.parse() {
            Ok(host) => (IpAddr::V6(host), None),
            Err(_) => {
                let (host, port) = match text.rsplit_once(':') {
                    Some((host, port)) => (host, Some(port)),
                    None => (text, None),
                };
                (IpAddr::V4(host_v4(host)?), port)
            }
        },
    };
    let Some(port) = port else {
        return Some((host, None));
    };
    let number = port.parse().ok();
    let port = number.or_else(|| port_names::port_of(&port_names::text(), port, protocol?))?;
    Some((host, Some(port)))
}

/// Reads an IPv4 address, also as inet_aton(3) does, or resolves a name.
pub(super) fn host_v4(text: &str) -> Option<Ipv4Addr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let found = (text, 0).to_socket_addrs().ok()?;
    found.map(|it| it.ip()).find_map(|ip| match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    })
}

/// Reads a number as ipvsadm does: within bounds, or not at all.
pub(super) fn number(text: &str, least: u32, most: u32) -> Option<u32> {
    let number = text.parse().ok()?;
    (least..=most).contains(&number).then_some(number)
}
