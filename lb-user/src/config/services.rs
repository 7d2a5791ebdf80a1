//! `[[service]]` of `director.toml` as it is written, and its checks.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Error, Source, agent, availability, check,
    destinations::{Destinations, Listen},
    director::{
        NoMember, REALS_MAX, Real, SECONDS_MAX, SERVICES_MAX, Service, WEIGHT_MAX, check_seconds,
        check_weight,
    },
    passive,
    places::{Named, Places},
};
use crate::{
    install::{Persistence, Policy, Thresholds},
    scheduler::{Flag, Scheduler},
    service::{ServiceName, Transport, parse_unicast},
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileService {
    /// What clients connect to: one, or a list of those that share real servers; the first is the name.
    listen: Listen,
    /// How new connections are spread; wrr without.
    #[serde(default)]
    #[schemars(with = "Option<Scheduler>")]
    scheduler: Option<Spanned<String>>,
    /// The scheduler's.
    #[serde(default)]
    #[schemars(with = "Vec<Flag>")]
    flags: Vec<Spanned<String>>,
    /// What becomes of packets when no real server is eligible.
    #[serde(default)]
    no_member: NoMember,
    /// Seconds for which a client comes back to its real server.
    #[serde(default)]
    #[schemars(with = "Option<i64>", range(min = 1, max = SECONDS_MAX))]
    persistence: Option<Spanned<i64>>,
    /// Bits of the client's address that count.
    #[serde(default)]
    #[schemars(with = "Option<i64>", range(min = 1, max = 128))]
    persistence_prefix: Option<Spanned<i64>>,
    /// UDP: each datagram is spread anew.
    #[serde(default)]
    #[schemars(with = "Option<bool>")]
    one_packet: Option<Spanned<bool>>,
    /// Clients do not come back to a real server of weight 0.
    #[serde(default)]
    expire_quiescent: bool,
    /// A removed real server's connections do not go on.
    #[serde(default)]
    expire_nodest: bool,
    /// What each real server is asked.
    check: Option<check::FileCheck>,
    /// What each real server says of itself.
    agent: Option<agent::FileAgent>,
    /// Clients' connections tell of real servers, too.
    #[schemars(with = "Option<passive::FilePassive>")]
    passive: Option<Spanned<passive::FilePassive>>,
    /// Weight of the real servers that can serve which the service needs; 1 without.
    #[serde(default)]
    #[schemars(with = "Option<i64>", range(min = 1, max = availability::QUORUM_MAX))]
    quorum: Option<Spanned<i64>>,
    /// So much below the quorum and it is lost, so much above and it is back.
    #[serde(default)]
    #[schemars(with = "Option<i64>", range(min = 0, max = availability::QUORUM_MAX))]
    hysteresis: Option<Spanned<i64>>,
    /// RIP of who takes new connections while the quorum is lost.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    sorry_server: Option<Spanned<String>>,
    /// A real server that is down keeps the connections it has.
    #[serde(default)]
    inhibit_on_failure: bool,
    /// Seconds in which a real server that comes in gets to its weight.
    #[serde(default)]
    #[schemars(with = "Option<i64>", range(min = 0, max = SECONDS_MAX))]
    slow_start: Option<Spanned<i64>>,
    /// Seconds that a removed real server keeps its connections; 0: until they end.
    #[serde(default)]
    #[schemars(with = "Option<i64>", range(min = 0, max = SECONDS_MAX))]
    drain: Option<Spanned<i64>>,
    /// Real servers.
    #[serde(default)]
    #[schemars(length(max = REALS_MAX))]
    real: Vec<FileReal>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileReal {
    /// The RIP.
    #[schemars(with = "String")]
    address: Spanned<String>,
    /// Its share; 1 without, 0: no new connections.
    #[serde(default)]
    #[schemars(with = "Option<i64>", range(min = 0, max = WEIGHT_MAX))]
    weight: Option<Spanned<i64>>,
    /// With so many connections it takes no new ones; 0: with any number.
    #[serde(default)]
    #[schemars(with = "Option<i64>", range(min = 0, max = u32::MAX))]
    upper_threshold: Option<Spanned<i64>>,
    /// Until it has fewer than so many again; 0: than three quarters of the upper one.
    #[serde(default)]
    #[schemars(with = "Option<i64>", range(min = 0, max = u32::MAX))]
    lower_threshold: Option<Spanned<i64>>,
}

pub(super) fn services(
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
        let agent = service.agent.as_ref();
        let agent = agent.map(|it| agent::checked(source, it));
        let scheduler = match service.scheduler {
            None => Scheduler::default(),
            Some(name) => name
                .get_ref()
                .parse()
                .map_err(|error: String| source.error(name.span(), error))?,
        };
        let reals = reals(source, (listen, &destinations), service.real, places)?;
        let counts = reals.iter().any(|it| it.thresholds.upper > 0);
        let passive = passive::checked(
            source,
            (&destinations, counts),
            (scheduler, &policy),
            service.passive.as_ref(),
        )?;
        let sorry_span = service.sorry_server.as_ref().map(Spanned::span);
        let keys = availability::Keys {
            quorum: service.quorum,
            hysteresis: service.hysteresis,
            sorry_server: service.sorry_server,
            inhibit_on_failure: service.inhibit_on_failure,
            slow_start: service.slow_start,
            drain: service.drain,
        };
        let availability = availability::checked(source, (&destinations, scheduler), &reals, keys)?;
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
            agent: agent.transpose()?,
            passive,
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
