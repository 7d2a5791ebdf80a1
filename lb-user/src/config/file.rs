//! `director.toml` as it is written, and its checks: each error has the place it is about.

use std::collections::HashMap;

use lb_common::tables::Timeouts;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Error, Source, availability, check,
    destinations::{Destinations, Listen},
    director::{
        Config, NoMember, REALS_MAX, Real, SERVICES_MAX, Service, VipMode, check_seconds,
        check_weight,
    },
    places::{Named, Places},
};
use crate::{
    dataplane::director::{Limits, Mode},
    install::{Persistence, Policy, Thresholds},
    scheduler::{Flag, Scheduler},
    service::{ServiceName, Transport, parse_unicast},
};

/// Positions are kept where a value is checked further.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    director: Spanned<Director>,
    #[serde(default)]
    service: Vec<Spanned<FileService>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Director {
    interfaces: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    xdp: Mode,
    #[serde(default)]
    vip: VipMode,
    #[serde(default)]
    services_max: Option<Spanned<usize>>,
    #[serde(default)]
    members_max: Option<Spanned<usize>>,
    #[serde(default)]
    flow_memory: Option<Spanned<String>>,
    #[serde(default)]
    flow_listing: Option<bool>,
    #[serde(default)]
    leak_check: Option<Spanned<i64>>,
    #[serde(default)]
    timeouts: FileTimeouts,
}

/// As `ipvsadm --set` has them.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTimeouts {
    tcp: Option<Spanned<i64>>,
    tcpfin: Option<Spanned<i64>>,
    udp: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileService {
    listen: Listen,
    #[serde(default)]
    scheduler: Option<Spanned<String>>,
    #[serde(default)]
    flags: Vec<Spanned<String>>,
    #[serde(default)]
    no_member: NoMember,
    #[serde(default)]
    persistence: Option<Spanned<i64>>,
    #[serde(default)]
    persistence_prefix: Option<Spanned<i64>>,
    #[serde(default)]
    one_packet: Option<Spanned<bool>>,
    #[serde(default)]
    expire_quiescent: bool,
    #[serde(default)]
    expire_nodest: bool,
    check: Option<check::FileCheck>,
    #[serde(default)]
    quorum: Option<Spanned<i64>>,
    #[serde(default)]
    hysteresis: Option<Spanned<i64>>,
    #[serde(default)]
    sorry_server: Option<Spanned<String>>,
    #[serde(default)]
    inhibit_on_failure: bool,
    #[serde(default)]
    slow_start: Option<Spanned<i64>>,
    #[serde(default)]
    drain: Option<Spanned<i64>>,
    #[serde(default)]
    real: Vec<FileReal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileReal {
    address: Spanned<String>,
    #[serde(default)]
    weight: Option<Spanned<i64>>,
    #[serde(default)]
    upper_threshold: Option<Spanned<i64>>,
    #[serde(default)]
    lower_threshold: Option<Spanned<i64>>,
}

pub(super) fn checked(source: &Source) -> Result<Config, Error> {
    let file: File = source.parse()?;
    let director = file.director.into_inner();
    if director.interfaces.get_ref().is_empty() {
        let what = "`interfaces` is empty; name the interface that clients' packets come in by";
        return Err(source.error(director.interfaces.span(), what));
    }
    let limits = limits(source, &director)?;
    let mut places = Places::of(source);
    let mut interfaces = Vec::new();
    for name in director.interfaces.into_inner() {
        if interfaces.contains(name.get_ref()) {
            let what = format!("interface {} is listed twice", name.get_ref());
            return Err(source.error(name.span(), what));
        }
        let named = Named::Interface(name.get_ref().clone());
        places.insert(named, name.span());
        interfaces.push(name.into_inner());
    }
    let config = Config {
        interfaces,
        xdp: director.xdp,
        vip: director.vip,
        limits,
        timeouts: timeouts(source, director.timeouts)?,
        leak_check: leak_check(source, director.leak_check)?,
        services: services(source, file.service, &mut places)?,
        stamp: source.stamp,
        places,
    };
    Ok(config)
}

fn limits(source: &Source, director: &Director) -> Result<Limits, Error> {
    let mut limits = Limits::default();
    if let Some(services) = &director.services_max {
        limits.services = services.get_ref() + 1;
        if !(1..=SERVICES_MAX).contains(services.get_ref()) {
            let what = format!("`services_max` is from 1 to {SERVICES_MAX}");
            return Err(source.error(services.span(), what));
        }
    }
    if let Some(members) = &director.members_max {
        const MOST: usize = lb_common::tables::MEMBERS_MAX - 1;
        limits.members = members.get_ref() + 1;
        if !(1..=MOST).contains(members.get_ref()) {
            let what = format!("`members_max` is from 1 to {MOST}");
            return Err(source.error(members.span(), what));
        }
    }
    if let Some(memory) = &director.flow_memory {
        let bytes = bytes(memory.get_ref()).ok_or_else(|| {
            source.error(
                memory.span(),
                "`flow_memory` is a size as in \"64MiB\", from 1MiB to 64GiB",
            )
        })?;
        // The largest power of two of 64-byte sets that fits.
        limits.flow_sets = 1 << (bytes / 64).ilog2();
    }
    limits.lists_flows = director.flow_listing.unwrap_or(limits.lists_flows);
    Ok(limits)
}

fn timeouts(source: &Source, file: FileTimeouts) -> Result<[u32; 5], Error> {
    let [embryonic, tcp, tcpfin, closed, udp] = Timeouts::IPVS;
    let read = |name: &str, value: Option<Spanned<i64>>, default| match value {
        None => Ok(default),
        Some(value) => {
            check_seconds(name, *value.get_ref()).map_err(|what| source.error(value.span(), what))
        }
    };
    Ok([
        embryonic,
        read("tcp", file.tcp, tcp)?,
        read("tcpfin", file.tcpfin, tcpfin)?,
        closed,
        read("udp", file.udp, udp)?,
    ])
}

fn leak_check(source: &Source, given: Option<Spanned<i64>>) -> Result<u32, Error> {
    const DEFAULT: u32 = 60;
    const MOST: u32 = 24 * 60 * 60;
    let Some(given) = given else {
        return Ok(DEFAULT);
    };
    let seconds = u32::try_from(*given.get_ref()).ok();
    let seconds = seconds.filter(|&seconds| seconds <= MOST);
    seconds.ok_or_else(|| {
        let what = format!("`leak_check` is from 0 (not asked) to {MOST} seconds (a day)");
        source.error(given.span(), what)
    })
}

fn bytes(text: &str) -> Option<usize> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let shift = match unit {
        "MiB" => 20,
        "GiB" => 30,
        _ => return None,
    };
    let number: usize = number.parse().ok()?;
    number
        .checked_mul(1 << shift)
        .filter(|bytes| (1 << 20..=64 << 30).contains(bytes))
}

fn services(
    source: &Source,
    file: Vec<Spanned<FileService>>,
    places: &mut Places,
) -> Result<Vec<Service>, Error> {
    let mut services = Vec::new();
    let mut seen = Destinations::default();
    for service in file {
        let service = service.into_inner();
        let mut destinations = Vec::new();
        for listen in service.listen.destinations(source)? {
            destinations.push(seen.checked(source, &listen, &destinations)?);
        }
        // A list is not empty.
        let Some((&listen, also)) = destinations.split_first() else {
            continue;
        };
        let policy = policy(source, &destinations, &service)?;
        let check = service.check.as_ref();
        let check = check.map(|it| check::check(source, &destinations, it));
        let scheduler = match service.scheduler {
            None => Scheduler::default(),
            Some(name) => name
                .get_ref()
                .parse()
                .map_err(|error: String| source.error(name.span(), error))?,
        };
        let reals = reals(source, (listen, &destinations), service.real, places)?;
        let sorry_span = service.sorry_server.as_ref().map(Spanned::span);
        let keys = availability::Keys {
            quorum: service.quorum,
            hysteresis: service.hysteresis,
            sorry_server: service.sorry_server,
            inhibit_on_failure: service.inhibit_on_failure,
            slow_start: service.slow_start,
            drain: service.drain,
        };
        let availability = availability::checked(source, (listen, scheduler), &reals, keys)?;
        if let Some((sorry, span)) = availability.sorry.zip(sorry_span) {
            places.insert(Named::Real(listen, sorry), span);
        }
        services.push(Service {
            listen,
            also: also.to_vec(),
            scheduler,
            flags: flags(source, scheduler, service.flags)?,
            policy,
            availability,
            check: check.transpose()?,
            reals,
        });
    }
    if seen.spans.len() > SERVICES_MAX {
        return Err(source.error(0..0, format!("more than {SERVICES_MAX} services")));
    }
    Ok(services)
}

fn policy(
    source: &Source,
    destinations: &[ServiceName],
    file: &FileService,
) -> Result<Policy, Error> {
    let is_ipv4 = destinations.iter().all(|it| it.vip.is_ipv4());
    let longest = match is_ipv4 {
        true => 32,
        false => 128,
    };
    let mut policy = Policy {
        drops: file.no_member == NoMember::Drop,
        persistence: None,
        one_packet: false,
        expire_quiescent: file.expire_quiescent,
        expire_nodest: file.expire_nodest,
    };
    let mut prefix = longest;
    if let Some(given) = &file.persistence_prefix {
        let wrong = || format!("`persistence_prefix` is from 1 to {longest}");
        let usable = u8::try_from(*given.get_ref()).ok();
        let usable = usable.filter(|bits| (1..=longest).contains(bits));
        prefix = usable.ok_or_else(|| source.error(given.span(), wrong()))?;
        if file.persistence.is_none() {
            let what = "`persistence_prefix` without `persistence`; say for how many seconds";
            return Err(source.error(given.span(), what));
        }
    }
    if let Some(seconds) = &file.persistence {
        let checked = check_seconds("persistence", *seconds.get_ref());
        let seconds = checked.map_err(|what| source.error(seconds.span(), what))?;
        policy.persistence = Some(Persistence { seconds, prefix });
    }
    if let Some(one_packet) = file.one_packet.as_ref().filter(|it| *it.get_ref()) {
        policy.one_packet = true;
        let mut destinations = destinations.iter();
        let refusal = if let Some(it) = destinations.find(|it| it.protocol != Transport::Udp) {
            format!("one-packet scheduling is only for UDP services, and {it} is none")
        } else if policy.persistence.is_some() {
            "one-packet scheduling keeps nothing, and persistence all; choose one".to_owned()
        } else {
            return Ok(policy);
        };
        return Err(source.error(one_packet.span(), refusal));
    }
    Ok(policy)
}

fn flags(
    source: &Source,
    scheduler: Scheduler,
    file: Vec<Spanned<String>>,
) -> Result<Vec<Flag>, Error> {
    let mut flags = Vec::new();
    for name in file {
        let flag = name.get_ref().parse().and_then(|flag: Flag| {
            flag.check(scheduler)?;
            Ok(flag)
        });
        flags.push(flag.map_err(|error| source.error(name.span(), error))?);
    }
    flags.sort_unstable();
    flags.dedup();
    Ok(flags)
}

fn reals(
    source: &Source,
    (service, destinations): (ServiceName, &[ServiceName]),
    file: Vec<FileReal>,
    places: &mut Places,
) -> Result<Vec<Real>, Error> {
    let mut reals: Vec<Real> = Vec::new();
    let mut seen = HashMap::new();
    for real in file {
        let span = real.address.span();
        let address = parse_unicast(real.address.get_ref())
            .map_err(|why| source.error(span.clone(), format!("bad real server: {why}")))?;
        if destinations.iter().any(|it| it.vip == address) {
            let what = format!("real server {address} is the VIP itself; give the RIP");
            return Err(source.error(span, what));
        }
        if let Some(first) = seen.insert(address, span.start) {
            let line = source.line(first);
            let what = format!("{service} has real server {address} already, on line {line}");
            return Err(source.error(span, what));
        }
        let weight = match real.weight {
            None => 1,
            Some(weight) => {
                check_weight(*weight.get_ref()).map_err(|what| source.error(weight.span(), what))?
            }
        };
        if address.is_ipv4() != service.vip.is_ipv4() {
            let what = format!(
                "real server {address} and VIP {} differ in version",
                service.vip
            );
            return Err(source.error(span, what));
        }
        let upper = threshold(source, "upper_threshold", real.upper_threshold.as_ref())?;
        let lower = threshold(source, "lower_threshold", real.lower_threshold.as_ref())?;
        if let Some(given) = real.lower_threshold.filter(|_| lower > upper) {
            let what = format!("`lower_threshold` {lower} is above `upper_threshold` {upper}");
            return Err(source.error(given.span(), what));
        }
        places.insert(Named::Real(service, address), span.clone());
        reals.push(Real {
            address,
            weight,
            thresholds: Thresholds { upper, lower },
        });
        if reals.len() > REALS_MAX {
            let what = format!("{service} has more than {REALS_MAX} real servers");
            return Err(source.error(span, what));
        }
    }
    Ok(reals)
}

fn threshold(source: &Source, name: &str, given: Option<&Spanned<i64>>) -> Result<u32, Error> {
    let Some(given) = given else {
        return Ok(0);
    };
    u32::try_from(*given.get_ref()).map_err(|_out_of_range| {
        let what = format!(
            "`{name}` is a number of connections, from 0 (none) to {}",
            u32::MAX
        );
        source.error(given.span(), what)
    })
}
