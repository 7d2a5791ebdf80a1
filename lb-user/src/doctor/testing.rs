//! Hosts that are not there, for tables of what is made of them.

use std::net::IpAddr;

use ipnet::IpNet;
use lb_common::wire::MacAddr;

use super::{seen::Seen, site::Site};
use crate::{
    cli::Places,
    dataplane::pins::Role,
    net::{addresses::Address, links::Link},
};

/// With `eth0` and a VIP of each version.
pub(super) fn site(role: Role) -> Site {
    let places = Places {
        config: None,
        socket: "/run/drover/director.sock".into(),
        pins: None,
    };
    Site {
        interfaces: vec!["eth0".into()],
        vips: [ip("10.0.0.100"), ip("2001:db8::100")].into(),
        ..Site::new(role, &places)
    }
}

/// Up, of index 2.
pub(super) fn link(name: &str) -> Link {
    Link {
        index: 2,
        name: name.into(),
        mac: Some(mac(5)),
        is_up: true,
        has_carrier: true,
        mtu: 1500,
        ..Link::default()
    }
}

/// A host with `lo` and `eth0`, and addresses on them.
pub(super) fn seen(on_lo: &[&str], on_eth0: &[&str]) -> Seen {
    let lo = Link {
        index: 1,
        is_loopback: true,
        ..link("lo")
    };
    let on = |index, nets: &[&str]| {
        let addresses = nets.iter().map(|net| Address {
            net: net.parse::<IpNet>().unwrap(),
            is_secondary: false,
            is_host_scope: false,
        });
        addresses.map(|it| (index, it)).collect::<Vec<_>>()
    };
    Seen {
        links: vec![lo, link("eth0")],
        addresses: [on(1, on_lo), on(2, on_eth0)].concat(),
        ..Seen::default()
    }
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(super) fn mac(last: u8) -> MacAddr {
    MacAddr {
        octets: [2, 0, 0, 0, 0, last],
    }
}
