//! A service as a foreign file says it, and the table that it becomes.

use std::net::IpAddr;

use toml_edit::{Array, ArrayOfTables, Item, Table, Value};

use super::{
    keys::{Keys, comment},
    notes::{Notes, Place},
    schedule::Schedule,
};
use crate::{
    config::director::{SECONDS_MAX, WEIGHT_MAX},
    service::{ServiceName, Transport, not_a_hosts},
};

/// Seconds of persistence where none are said: IPVS_SVC_PERSISTENT_TIMEOUT, in keepalived and in ipvsadm 1.31, whose
/// manual says 300.
pub(super) const PERSISTENCE: u64 = 360;

#[derive(Debug)]
pub(super) struct Draft {
    pub(super) place: Place,
    /// As the file names it.
    pub(super) title: String,
    pub(super) target: Target,
    pub(super) schedule: Schedule,
    pub(super) persistence: Option<Persistence>,
    /// Where it is said.
    pub(super) one_packet: Option<Place>,
    /// Further keys of the service.
    pub(super) keys: Keys,
    pub(super) check: Keys,
    pub(super) reals: Vec<Real>,
}

/// What clients connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// At least one.
    Names(Vec<ServiceName>),
    /// Packets with a firewall mark, which somebody else gives them.
    Mark { is_ipv6: bool },
}

#[derive(Clone, Debug)]
pub(super) struct Persistence {
    pub(super) place: Place,
    pub(super) seconds: u64,
    /// Bits of the client's address.
    pub(super) prefix: Option<u8>,
}

#[derive(Clone, Debug)]
pub(super) struct Real {
    pub(super) place: Place,
    pub(super) address: IpAddr,
    pub(super) weight: u64,
    pub(super) upper: u64,
    pub(super) lower: u64,
}

impl Target {
    /// What a service is checked with whose destinations nobody knows; of the networks for examples.
    const UNKNOWN: [&str; 2] = ["203.0.113.255", "2001:db8:ffff::ffff"];

    pub(super) fn is_ipv6(&self) -> bool {
        match self {
            Self::Names(names) => names.iter().any(|name| name.vip.is_ipv6()),
            Self::Mark { is_ipv6 } => *is_ipv6,
        }
    }

    fn transport(&self) -> Option<Transport> {
        match self {
            Self::Names(names) => names.first().map(|it| it.protocol),
            Self::Mark { .. } => None,
        }
    }

    /// The value of `listen`.
    fn listen(&self, one_packet: bool) -> Value {
        let names: Vec<_> = match self {
            Self::Names(names) => names.iter().map(ServiceName::to_string).collect(),
            Self::Mark { is_ipv6 } => {
                let protocol = if one_packet { "udp" } else { "tcp" };
                let [four, six] = Self::UNKNOWN;
                match is_ipv6 {
                    true => vec![format!("{protocol}/[{six}]:*")],
                    false => vec![format!("{protocol}/{four}:*")],
                }
            }
        };
        match names.as_slice() {
            [one] => one.as_str().into(),
            [..] => Value::Array(a_line_each(&names)),
        }
    }
}

fn a_line_each(names: &[String]) -> Array {
    let mut all = Array::new();
    for name in names {
        let mut value = Value::from(name.as_str());
        value.decor_mut().set_prefix("\n    ");
        all.push_formatted(value);
    }
    all.set_trailing_comma(true);
    all.set_trailing("\n");
    all
}

impl Draft {
    /// `[[service]]`, with or without its check.
    pub(super) fn table(&self, with_check: bool, notes: &mut Notes) -> Table {
        let mut keys = Keys::default();
        let one_packet = self.one_packet(notes);
        keys.put("listen", self.target.listen(one_packet));
        self.schedule.put(&mut keys, notes);
        self.put_persistence(&mut keys, notes);
        if one_packet {
            keys.put("one_packet", true);
        }
        let mut table = keys.table();
        for (key, item) in self.keys.table() {
            table.insert(&key, item);
        }
        let above = format!("{}, {}", self.title, self.place);
        let above = format!("\n{}\n", comment(&above));
        table.decor_mut().set_prefix(above);
        if with_check && !self.check.is_empty() {
            let mut check = self.check.table();
            check.decor_mut().set_prefix("\n");
            table.insert("check", Item::Table(check));
        }
        let mut reals = ArrayOfTables::new();
        for real in self.usable(notes) {
            let mut real = real.keys(notes).table();
            real.decor_mut().set_prefix("\n");
            reals.push(real);
        }
        if !reals.is_empty() {
            table.insert("real", Item::ArrayOfTables(reals));
        }
        table
    }

    fn one_packet(&self, notes: &mut Notes) -> bool {
        let Some(place) = &self.one_packet else {
            return false;
        };
        let why = match self.target.transport() {
            Some(Transport::Tcp | Transport::Sctp) => "it is only for UDP",
            _ if self.persistence.is_some() => "the service is persistent, which needs records",
            _ => return true,
        };
        notes.left(place, format!("one-packet scheduling: {why}"));
        false
    }

    fn put_persistence(&self, keys: &mut Keys, notes: &mut Notes) {
        let Some(Persistence {
            place,
            seconds,
            prefix,
        }) = &self.persistence
        else {
            return;
        };
        let usable = (*seconds).clamp(1, SECONDS_MAX.into());
        if usable != *seconds {
            let what = format!(
                "persistence of {seconds} s: it is from 1 to {SECONDS_MAX} (31 days); {usable} is written"
            );
            notes.left(place, what);
        }
        // Not above some millions.
        keys.put("persistence", usable as i64);
        let longest = if self.target.is_ipv6() { 128 } else { 32 };
        if let Some(prefix) = prefix.filter(|&prefix| prefix < longest) {
            keys.put("persistence_prefix", i64::from(prefix));
        }
    }

    /// The real servers that there can be; of the others it is told why not.
    fn usable(&self, notes: &mut Notes) -> Vec<&Real> {
        let mut usable: Vec<&Real> = Vec::new();
        for real in &self.reals {
            let Real { place, address, .. } = real;
            let is_vip = match &self.target {
                Target::Names(names) => names.iter().any(|it| it.vip == *address),
                Target::Mark { .. } => false,
            };
            let why = if let Some(kind) = not_a_hosts(*address) {
                format!("{address} is {kind}; it has to be a host on the director's LAN")
            } else if address.is_ipv6() != self.target.is_ipv6() {
                format!("{address} and the VIP differ in IP version")
            } else if is_vip {
                format!("{address} is the VIP itself")
            } else if usable.iter().any(|it| it.address == *address) {
                format!("the service has {address} already; a real server has no port of its own")
            } else {
                usable.push(real);
                continue;
            };
            notes.left(place, format!("real server: {why}"));
        }
        usable
    }
}

impl Real {
    fn keys(&self, notes: &mut Notes) -> Keys {
        let mut keys = Keys::default();
        keys.put("address", self.address.to_string());
        let weight = self.weight.min(WEIGHT_MAX.into());
        if weight != self.weight {
            let what = format!(
                "weight {}: it is {WEIGHT_MAX} at the most, and so it is written",
                self.weight
            );
            notes.left(&self.place, what);
        }
        if weight != 1 {
            keys.put("weight", weight as i64);
        }
        let [upper, lower] = [self.upper, self.lower].map(|it| it.min(u32::MAX.into()));
        if upper > 0 {
            keys.put("upper_threshold", upper as i64);
        }
        match lower {
            0 => {}
            _ if lower <= upper => keys.put("lower_threshold", lower as i64),
            _ => {
                let what = format!("lower threshold {lower}: it is above the upper one, {upper}");
                notes.left(&self.place, what);
            }
        }
        keys
    }
}
