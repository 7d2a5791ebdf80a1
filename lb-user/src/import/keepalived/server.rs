//! `virtual_server`: what clients connect to, and how they are spread.

use std::collections::HashMap;

use super::{
    super::{
        draft::{Draft, PERSISTENCE, Persistence, Target},
        keys::Keys,
        notes::{Notes, Place},
        schedule::Schedule,
    },
    agree, group,
    options::{Method, Options, is_on, left, method, number},
    real::{self, Within, by},
    reasons,
    tree::Statement,
};
use crate::{
    address,
    config::director::DESTINATIONS_MAX,
    service::{ServiceName, Transport},
};

/// Groups by their names.
pub(super) type Groups<'s> = HashMap<&'s str, &'s Statement>;

/// What a virtual server says of itself.
struct Server<'s> {
    block: &'s Statement,
    options: Options,
    schedule: Schedule,
    protocol: Option<Transport>,
    persistence: Option<Persistence>,
    one_packet: Option<Place>,
    keys: Keys,
    weight: u64,
    reals: Vec<&'s Statement>,
}

/// Returns the services that a virtual server becomes: one, or of a large group several.
pub(super) fn drafts(block: &Statement, groups: &Groups<'_>, notes: &mut Notes) -> Vec<Draft> {
    let server = Server::of(block, notes);
    let is_other = |it: &&Statement| it.block.iter().any(is_method);
    let method = server.options.method.clone();
    // What it says nothing of is by NAT.
    let method = method.unwrap_or_else(|| Method::Other("NAT, keepalived's default".to_owned()));
    if let Method::Other(method) = &method
        && !server.reals.iter().any(is_other)
    {
        let what = format!("{}: {}", block.text(), by(method));
        notes.left(&block.place, what);
        return Vec::new();
    }
    let targets = match server.targets(groups, notes) {
        Ok(targets) => targets,
        Err(why) => {
            notes.left(&block.place, format!("{}: {why}", block.text()));
            return Vec::new();
        }
    };
    let options = Options {
        method: Some(method),
        ..server.options.clone()
    };
    let drafts = targets
        .iter()
        .map(|target| server.draft(target, &options, notes));
    drafts.collect()
}

fn is_method(line: &Statement) -> bool {
    matches!(line.name(), "lvs_method" | "lb_kind") && method(line) == Method::Direct
}

impl<'s> Server<'s> {
    fn of(block: &'s Statement, notes: &mut Notes) -> Self {
        let mut server = Self {
            block,
            options: Options::default(),
            schedule: Schedule::default(),
            protocol: None,
            persistence: None,
            one_packet: None,
            keys: Keys::default(),
            weight: 1,
            reals: Vec::new(),
        };
        for line in &block.block {
            if !server.options.take(line, notes) {
                server.line(line, notes);
            }
        }
        server
    }

    fn line(&mut self, line: &'s Statement, notes: &mut Notes) {
        let said = || line.argument(1).to_owned();
        match line.name() {
            "real_server" => self.reals.push(line),
            "lb_algo" | "lvs_sched" => self.schedule.scheduler = Some((line.place.clone(), said())),
            "sh-port" | "sh-fallback" | "mh-port" | "mh-fallback" | "flag-1" | "flag-2"
            | "flag-3" => {
                let flag = (line.place.clone(), line.name().to_owned());
                self.schedule.flags.push(flag);
            }
            "ops" => self.one_packet = Some(line.place.clone()),
            "protocol" => self.protocol = protocol(line, notes),
            "persistence_timeout" | "persistence_granularity" => self.persist(line, notes),
            "quorum" => self.count("quorum", line, notes),
            "hysteresis" => self.count("hysteresis", line, notes),
            "weight" => self.weight = number(line, notes).unwrap_or(1),
            "sorry_server" => self.sorry(line, notes),
            // It is told of with the sorry server.
            "sorry_server_lvs_method" => {}
            "smtp_alert" if !is_on(line) => {}
            name => left(line, reasons::of_virtual_server(name), notes),
        }
    }

    fn count(&mut self, key: &'static str, line: &Statement, notes: &mut Notes) {
        let count = number(line, notes).and_then(|it| i64::try_from(it).ok());
        if let Some(count) = count {
            self.keys.put(key, count);
        }
    }

    fn persist(&mut self, line: &Statement, notes: &mut Notes) {
        let persistence = self.persistence.get_or_insert_with(|| Persistence {
            place: line.place.clone(),
            seconds: PERSISTENCE,
            prefix: None,
        });
        match line.argument(1) {
            "" => {}
            mask if line.name() == "persistence_granularity" => {
                persistence.prefix = address::prefix(mask);
                if persistence.prefix.is_none() {
                    let what = format!("{}: not a prefix", line.text());
                    notes.left(&line.place, what);
                }
            }
            _ => persistence.seconds = number(line, notes).unwrap_or(PERSISTENCE),
        }
    }

    fn sorry(&mut self, line: &Statement, notes: &mut Notes) {
        let own = self.block.block.iter().rev();
        let mut own = own.filter(|it| it.name() == "sorry_server_lvs_method");
        let own = own.next().map(method);
        let of_all = self.block.block.iter().rev().find(|it| is_any_method(it));
        let method = own.or(of_all.map(method));
        let port = line.argument(2);
        let why = match method {
            Some(Method::Direct) if line.argument(1).parse::<std::net::IpAddr>().is_err() => {
                "it has no address".to_owned()
            }
            Some(Method::Direct) if !matches!(port, "" | "0") && port != self.block.argument(2) => {
                format!(
                    "port {port}: direct routing changes no ports, and the service's is another"
                )
            }
            Some(Method::Direct) => match sorry_address(line.argument(1)) {
                Ok(()) => return self.keys.put("sorry_server", line.argument(1)),
                Err(why) => why,
            },
            Some(Method::Other(method)) => by(&method),
            None => by("NAT, keepalived's default"),
        };
        notes.left(&line.place, format!("{}: {why}", line.text()));
    }

    /// What clients connect to, of as many services as it takes.
    fn targets(&self, groups: &Groups<'_>, notes: &mut Notes) -> Result<Vec<Target>, String> {
        let name = self.block.argument(2);
        let all = match self.block.argument(1) {
            "fwmark" => {
                let mut reals = self.reals.iter().map(|it| it.argument(1));
                let is_ipv6 = reals.any(|it| it.contains(':'));
                return Ok(vec![Target::Mark { is_ipv6 }]);
            }
            "group" => {
                let group = groups.get(name).ok_or("there is no such group")?;
                group::destinations(group, self.transport(), notes)
            }
            address => {
                let vip = address.parse();
                vec![ServiceName {
                    protocol: self.transport(),
                    vip: vip.map_err(|_no_address| format!("`{address}` is no address"))?,
                    ports: group::port(name)?,
                }]
            }
        };
        if all.is_empty() {
            return Err("nothing is left of its group".to_owned());
        }
        let (six, four): (Vec<_>, Vec<_>) = all.iter().partition(|it| it.vip.is_ipv6());
        let versions = [four, six];
        let services = versions.iter().flat_map(|it| it.chunks(DESTINATIONS_MAX));
        Ok(services.map(|it| Target::Names(it.to_vec())).collect())
    }

    /// keepalived's default is the kernel's.
    fn transport(&self) -> Transport {
        self.protocol.unwrap_or(Transport::Udp)
    }

    fn draft(&self, target: &Target, options: &Options, notes: &mut Notes) -> Draft {
        let first = match target {
            Target::Names(names) => names.first().copied(),
            Target::Mark { .. } => None,
        };
        let single = first.filter(|it| it.ports.is_one());
        let within = Within {
            options,
            weight: self.weight,
            service: single.map(|it| (it.protocol, it.ports.first)),
            port: single.filter(|_| !self.is_group()).map(|it| it.ports.first),
        };
        let reals = self.reals.iter();
        let reals: Vec<_> = reals
            .filter_map(|it| real::real(it, &within, notes))
            .collect();
        let mut keys = self.keys.clone();
        if agree::inhibits(&reals, notes) {
            keys.put("inhibit_on_failure", true);
        }
        let mut persistence = self.persistence.clone();
        let mut title = self.block.text();
        if first.is_some_and(|it| !it.ports.is_one()) && persistence.is_none() {
            title += "; without a port it is persistent";
            persistence = Some(Persistence {
                place: self.block.place.clone(),
                seconds: PERSISTENCE,
                prefix: None,
            });
        }
        if self.protocol.is_none() && first.is_some() {
            title += "; no protocol is UDP in keepalived";
        }
        Draft {
            place: self.block.place.clone(),
            title,
            target: target.clone(),
            schedule: self.schedule.clone(),
            persistence,
            one_packet: self.one_packet.clone(),
            keys,
            check: agree::check(&reals, notes),
            reals: reals.into_iter().map(|it| it.real).collect(),
        }
    }

    fn is_group(&self) -> bool {
        self.block.argument(1) == "group"
    }
}

fn is_any_method(line: &Statement) -> bool {
    matches!(line.name(), "lvs_method" | "lb_kind")
}

fn sorry_address(text: &str) -> Result<(), String> {
    match crate::service::parse_unicast(text) {
        Ok(_) => Ok(()),
        Err(why) => Err(format!("{why}; it has to be a host on the director's LAN")),
    }
}

fn protocol(line: &Statement, notes: &mut Notes) -> Option<Transport> {
    let name = line.argument(1).to_ascii_lowercase();
    let mut all = Transport::ALL.into_iter();
    let found = all.find(|it| it.number().to_string() == name);
    if found.is_none() {
        notes.left(&line.place, format!("{}: not known", line.text()));
    }
    found
}
