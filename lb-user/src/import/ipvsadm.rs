//! What `ipvsadm -S` prints: a line for each service, with `-A`, and for each of its real servers, with `-a`.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    path::Path,
};

use anyhow::Result;

use super::{
    Imported,
    director::{self, Head},
    draft::{Draft, PERSISTENCE, Persistence, Real, Target},
    input,
    keys::Keys,
    notes::{Notes, Place},
    schedule::Schedule,
};
use crate::{
    address, port_names,
    service::{PortRange, ServiceName, Transport},
};

pub(super) fn import(path: &Path, text: &str, interfaces: &[String]) -> Result<Imported> {
    let name = input::name(path);
    let mut reader = Reader {
        notes: Notes::default(),
        drafts: Vec::new(),
        by_name: HashMap::new(),
        ports: port_names::text(),
    };
    for (line, number) in text.lines().zip(1..) {
        let place = Place {
            file: name.as_str().into(),
            line: number,
        };
        if let Err(why) = reader.line(line, &place) {
            reader.notes.left(&place, format!("{}: {why}", line.trim()));
        }
    }
    let mut head = Head {
        remarks: vec![format!("Made from {name} by `drover import ipvsadm`.")],
        ..Head::default()
    };
    head.set_interfaces(interfaces);
    // Of another way of forwarding alone: there is nothing to serve it.
    let Reader {
        mut notes, drafts, ..
    } = reader;
    let (drafts, without): (Vec<_>, Vec<_>) = drafts
        .into_iter()
        .partition(|it| !it.had_others || !it.draft.reals.is_empty());
    for it in without {
        let what = format!(
            "{}: none of its real servers is carried over; left out",
            it.draft.title
        );
        notes.left(&it.draft.place, what);
    }
    let drafts: Vec<_> = drafts.into_iter().map(|it| it.draft).collect();
    director::written(&head, &drafts, notes)
}

struct Reader {
    notes: Notes,
    drafts: Vec<Found>,
    /// A service as it is written to where it is.
    by_name: HashMap<String, usize>,
    ports: String,
}

struct Found {
    draft: Draft,
    /// Real servers that are not routed to directly.
    had_others: bool,
}

/// The options of a line, by their short names.
type Options<'l> = HashMap<&'static str, &'l str>;

impl Reader {
    fn line(&mut self, line: &str, place: &Place) -> Result<(), String> {
        let words: Vec<_> = line.split_whitespace().collect();
        let words = match words.as_slice() {
            ["ipvsadm", rest @ ..] => rest,
            all => all,
        };
        match words {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["-A" | "--add-service", rest @ ..] => self.service(&options(rest)?, place),
            ["-a" | "--add-server", rest @ ..] => self.real(&options(rest)?, place),
            _ => Err("not a line of `ipvsadm -S`".to_owned()),
        }
    }

    fn service(&mut self, options: &Options<'_>, place: &Place) -> Result<(), String> {
        let (key, target) = self.target(options)?;
        let at = |name: &str| Some((place.clone(), (*options.get(name)?).to_owned()));
        let flags = at("-b").map(|(place, all)| {
            let names = all.split(',').map(|it| (place.clone(), it.to_owned()));
            names.collect::<Vec<_>>()
        });
        if let Some(engine) = options.get("--pe") {
            let what = format!("--pe {engine}: clients come back by their address alone");
            self.notes.left(place, what);
        }
        let persistence = self.persistence(options, place);
        self.by_name.insert(key.clone(), self.drafts.len());
        self.drafts.push(Found {
            had_others: false,
            draft: Draft {
                place: place.clone(),
                title: key,
                target,
                schedule: Schedule {
                    scheduler: at("-s"),
                    flags: flags.unwrap_or_default(),
                },
                persistence,
                one_packet: options.contains_key("-o").then(|| place.clone()),
                keys: Keys::default(),
                check: Keys::default(),
                reals: Vec::new(),
            },
        });
        Ok(())
    }

    /// What cannot be read of it is told, and taken as if it had not been said.
    fn persistence(&mut self, options: &Options<'_>, place: &Place) -> Option<Persistence> {
        let mask = options.get("-M").copied();
        let Some(&seconds) = options.get("-p") else {
            if let Some(mask) = mask {
                let what = format!("-M {mask}: without -p it means nothing");
                self.notes.left(place, what);
            }
            return None;
        };
        let prefix = mask.and_then(address::prefix);
        if let Some(mask) = mask.filter(|_| prefix.is_none()) {
            let what = format!("-M {mask}: not a prefix");
            self.notes.left(place, what);
        }
        let number = seconds.parse().ok();
        if !seconds.is_empty() && number.is_none() {
            let what = format!("-p {seconds}: not a number; {PERSISTENCE} is used");
            self.notes.left(place, what);
        }
        Some(Persistence {
            place: place.clone(),
            seconds: number.unwrap_or(PERSISTENCE),
            prefix,
        })
    }

    fn real(&mut self, options: &Options<'_>, place: &Place) -> Result<(), String> {
        let (key, target) = self.target(options)?;
        let found = self.by_name.get(&key).copied();
        let index = found.ok_or("its service is not there")?;
        let server = options.get("-r").ok_or("it has no real server")?;
        if options.contains_key("-m") || options.contains_key("-i") {
            self.drafts[index].had_others = true;
            let what = "packets are forwarded by direct routing alone (-g), not by NAT or a tunnel";
            return Err(what.to_owned());
        }
        let (address, port) = self.endpoint(server, Transport::Tcp)?;
        if let Target::Names(names) = &target
            && names
                .iter()
                .any(|it| port != PortRange::ANY && it.ports != port)
        {
            let what = format!("-r {server}: direct routing changes no ports; it is the service's");
            self.notes.left(place, what);
        }
        let number = |name: &str, default: u64| match options.get(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_other| format!("{name} {text}: not a number")),
        };
        let real = Real {
            place: place.clone(),
            address,
            weight: number("-w", 1)?,
            upper: number("-x", 0)?,
            lower: number("-y", 0)?,
        };
        self.drafts[index].draft.reals.push(real);
        Ok(())
    }

    /// How the service is named in the file, and what it is.
    fn target(&self, options: &Options<'_>) -> Result<(String, Target), String> {
        if let Some(mark) = options.get("-f") {
            let is_ipv6 = options.contains_key("-6");
            return Ok((format!("-f {mark}"), Target::Mark { is_ipv6 }));
        }
        let all = [
            ("-t", Transport::Tcp),
            ("-u", Transport::Udp),
            ("--sctp-service", Transport::Sctp),
        ];
        let found = all
            .into_iter()
            .find_map(|(name, it)| Some((name, it, options.get(name)?)));
        let (name, protocol, text) = found.ok_or("it names no service")?;
        let (vip, ports) = self.endpoint(text, protocol)?;
        let name = format!("{name} {text}");
        let service = ServiceName {
            protocol,
            vip,
            ports,
        };
        Ok((name, Target::Names(vec![service])))
    }

    /// Reads `192.0.2.1:80`, `[2001:db8::1]:80`, or without a port, which is 0.
    fn endpoint(&self, text: &str, protocol: Transport) -> Result<(IpAddr, PortRange), String> {
        let is_bare = text.parse::<Ipv6Addr>().is_ok();
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !is_bare && !port.ends_with(']') => (host, port),
            _ => (text, "0"),
        };
        let address = host.trim_matches(['[', ']']).parse();
        let address = address
            .map_err(|_name| format!("`{host}` is a name; `ipvsadm -S -n` prints addresses"))?;
        let ports = match port.parse() {
            Ok(0) => PortRange::ANY,
            Ok(port) => one(port),
            Err(_) => {
                let named = port_names::port_of(&self.ports, port, protocol);
                one(named.ok_or_else(|| format!("/etc/services has no port `{port}`"))?)
            }
        };
        Ok((address, ports))
    }
}

fn one(port: u16) -> PortRange {
    PortRange {
        first: port,
        last: port,
    }
}

fn options<'l>(words: &[&'l str]) -> Result<Options<'l>, String> {
    let mut options = HashMap::new();
    let mut words = words.iter().copied().peekable();
    while let Some(word) = words.next() {
        let (name, has_value) = match word {
            "-t" | "--tcp-service" => ("-t", true),
            "-u" | "--udp-service" => ("-u", true),
            "--sctp-service" => ("--sctp-service", true),
            "-f" | "--fwmark-service" => ("-f", true),
            "-s" | "--scheduler" => ("-s", true),
            // Its value may be left out.
            "-p" | "--persistent" => ("-p", words.peek().is_some_and(|it| !it.starts_with('-'))),
            "-M" | "--netmask" => ("-M", true),
            "-b" | "--sched-flags" => ("-b", true),
            "--pe" => ("--pe", true),
            "-r" | "--real-server" => ("-r", true),
            "-w" | "--weight" => ("-w", true),
            "-x" | "--u-threshold" => ("-x", true),
            "-y" | "--l-threshold" => ("-y", true),
            "-o" | "--ops" => ("-o", false),
            "-6" | "--ipv6" => ("-6", false),
            "-g" | "--gatewaying" => ("-g", false),
            "-i" | "--ipip" => ("-i", false),
            "-m" | "--masquerading" => ("-m", false),
            "--tun-type" | "--tun-port" => ("--tun", true),
            "--tun-nocsum" | "--tun-csum" | "--tun-remcsum" => ("--tun", false),
            other => return Err(format!("unknown option {other}")),
        };
        let value = match has_value {
            true => words.next().ok_or_else(|| format!("{word} has no value"))?,
            false => "",
        };
        options.insert(name, value);
    }
    Ok(options)
}
