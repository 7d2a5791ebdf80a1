//! `real_server`: its address, its share, and what it is asked.

use std::net::IpAddr;

use super::{
    super::{
        draft,
        keys::Keys,
        notes::{Notes, Place},
    },
    check::{self, Of},
    options::{Method, Options, left, number},
    reasons,
    tree::Statement,
};
use crate::service::Transport;

#[derive(Debug)]
pub(super) struct Real {
    pub(super) real: draft::Real,
    /// As the file names it.
    pub(super) title: String,
    pub(super) inhibits: bool,
    /// The check that is taken, and where it is.
    pub(super) check: Option<(Place, Keys)>,
}

/// Of the virtual server that it is in.
pub(super) struct Within<'w> {
    pub(super) options: &'w Options,
    pub(super) weight: u64,
    /// Without them a check says its port.
    pub(super) service: Option<(Transport, u16)>,
    /// Whether direct routing leaves a real server no port of its own: there is one VIP, and its port.
    pub(super) port: Option<u16>,
}

/// Returns a real server that packets are routed to directly; of another it is noted why it is left out.
pub(super) fn real(block: &Statement, within: &Within<'_>, notes: &mut Notes) -> Option<Real> {
    let title = block.text();
    let Ok(address) = block.argument(1).parse::<IpAddr>() else {
        notes.left(&block.place, format!("{title}: it has no address"));
        return None;
    };
    let mut options = Options::default();
    let mut real = draft::Real {
        place: block.place.clone(),
        address,
        weight: within.weight,
        upper: 0,
        lower: 0,
    };
    let mut checkers = Vec::new();
    for line in &block.block {
        match line.name() {
            "weight" => real.weight = number(line, notes).unwrap_or(real.weight),
            "uthreshold" => real.upper = number(line, notes).unwrap_or_default(),
            "lthreshold" => real.lower = number(line, notes).unwrap_or_default(),
            "smtp_alert" if !super::options::is_on(line) => {}
            name if check::is_checker(name) => checkers.push(line),
            _ if options.take(line, notes) => {}
            name => left(line, reasons::of_real_server(name), notes),
        }
    }
    let options = options.or(within.options);
    if let Some(Method::Other(method)) = &options.method {
        let what = format!("{title}: {}", by(method));
        notes.left(&block.place, what);
        return None;
    }
    let port = port(block, within, notes);
    let of = Of {
        rip: address,
        port,
        service: within.service,
        options: &options,
    };
    Some(Real {
        real,
        title,
        inhibits: options.inhibits.unwrap_or_default(),
        check: taken(&checkers, of, notes),
    })
}

/// Why a method of forwarding is not carried over.
pub(super) fn by(method: &str) -> String {
    format!(
        "it is by {method}, and packets are forwarded by direct routing alone; give real servers the VIP (`drover realserver attach`), say `lvs_method DR`, and import again"
    )
}

/// The port that is asked: with direct routing, as in keepalived, it is the VIP's if that has one.
fn port(block: &Statement, within: &Within<'_>, notes: &mut Notes) -> Option<u16> {
    let own = block.argument(2);
    let own = own.parse().ok().filter(|&port: &u16| port != 0);
    match (own, within.port) {
        (Some(own), Some(port)) if own != port => {
            let what = format!(
                "real_server port {own}: direct routing changes no ports; it is the service's, {port}"
            );
            notes.left(&block.place, what);
            Some(port)
        }
        (own, port) => own.or(port),
    }
}

/// The first checker that can be carried over.
fn taken(checkers: &[&Statement], of: Of<'_>, notes: &mut Notes) -> Option<(Place, Keys)> {
    let mut taken: Option<(Place, Keys)> = None;
    for checker in checkers {
        if taken.is_some() {
            let what = "a service has one check, and an earlier one is taken";
            left(checker, what, notes);
            continue;
        }
        let keys = check::check(checker, of, notes);
        taken = keys.map(|keys| (checker.place.clone(), keys));
    }
    taken
}
