//! `director.toml` as it is written, and the checks of what is not its services': each error has the place it is about.

use std::net::SocketAddr;

use lb_common::tables::Timeouts;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Error, Source,
    destinations::Listen,
    director::{Config, SECONDS_MAX, SERVICES_MAX, VipMode, check_seconds},
    fwmarks::{self, FileFwmarks},
    places::{Named, Places},
    services::{FileService, services},
};
use crate::dataplane::director::{Limits, Mode};

const MEMBERS_MAX: usize = lb_common::tables::MEMBERS_MAX - 1;
/// Seconds: a day.
const LEAK_CHECK_MAX: u32 = 24 * 60 * 60;

/// Positions are kept where a value is checked further.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "What a director does.")]
pub(super) struct File {
    /// This host.
    #[schemars(with = "Director")]
    director: Spanned<Director>,
    /// What clients connect to.
    #[serde(default)]
    #[schemars(with = "Vec<FileService>")]
    service: Vec<Spanned<FileService>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Director {
    /// That clients' packets come in by; real servers are on their subnets.
    #[schemars(with = "Vec<String>", length(min = 1))]
    interfaces: Spanned<Vec<Spanned<String>>>,
    /// Where the program runs.
    #[serde(default)]
    xdp: Mode,
    /// Who puts the VIPs on the director.
    #[serde(default)]
    vip: VipMode,
    /// Services at the most; 4095 without.
    #[serde(default)]
    #[schemars(with = "Option<usize>", range(min = 1, max = SERVICES_MAX))]
    services_max: Option<Spanned<usize>>,
    /// Real servers of all services at the most; 16383 without.
    #[serde(default)]
    #[schemars(with = "Option<usize>", range(min = 1, max = MEMBERS_MAX))]
    members_max: Option<Spanned<usize>>,
    /// Memory for connections' records, from 1MiB to 64GiB; 16MiB without.
    #[serde(default)]
    #[schemars(with = "Option<String>", regex(pattern = r"^[0-9]+(MiB|GiB)$"))]
    flow_memory: Option<Spanned<String>>,
    /// Whether `drover flows` can list; true without.
    #[serde(default)]
    flow_listing: Option<bool>,
    /// Seconds between two questions who has the VIPs; 60 without, 0: none.
    #[serde(default)]
    #[schemars(with = "Option<i64>", range(min = 0, max = LEAK_CHECK_MAX))]
    leak_check: Option<Spanned<i64>>,
    /// Where pages are served, to be read alone: the metrics, by HTTP at `/metrics`. Without, nowhere.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    http: Option<Spanned<String>>,
    /// Seconds that a connection may be idle.
    #[serde(default)]
    timeouts: FileTimeouts,
    /// By firewall mark, what `ipvsadm -A -f` makes one service of: packets have no other.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Listen>")]
    fwmarks: FileFwmarks,
}

/// As `ipvsadm --set` has them.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "Seconds that a connection may be idle.")]
struct FileTimeouts {
    /// Established TCP or SCTP; 900 without.
    #[schemars(with = "Option<i64>", range(min = 1, max = SECONDS_MAX))]
    tcp: Option<Spanned<i64>>,
    /// After the client's FIN; 120 without.
    #[schemars(with = "Option<i64>", range(min = 1, max = SECONDS_MAX))]
    tcpfin: Option<Spanned<i64>>,
    /// UDP; 300 without.
    #[schemars(with = "Option<i64>", range(min = 1, max = SECONDS_MAX))]
    udp: Option<Spanned<i64>>,
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
        fwmarks: fwmarks::checked(source, &director.fwmarks)?,
        leak_check: leak_check(source, director.leak_check)?,
        http: http(source, director.http)?,
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
        limits.members = members.get_ref() + 1;
        if !(1..=MEMBERS_MAX).contains(members.get_ref()) {
            let what = format!("`members_max` is from 1 to {MEMBERS_MAX}");
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
    let Some(given) = given else {
        return Ok(DEFAULT);
    };
    let seconds = u32::try_from(*given.get_ref()).ok();
    let seconds = seconds.filter(|&seconds| seconds <= LEAK_CHECK_MAX);
    seconds.ok_or_else(|| {
        let what =
            format!("`leak_check` is from 0 (not asked) to {LEAK_CHECK_MAX} seconds (a day)");
        source.error(given.span(), what)
    })
}

fn http(source: &Source, given: Option<Spanned<String>>) -> Result<Option<SocketAddr>, Error> {
    let Some(given) = given else {
        return Ok(None);
    };
    let address = given.get_ref().parse::<SocketAddr>().ok();
    let address = address.filter(|address| address.port() != 0);
    let address = address.ok_or_else(|| {
        let what = "`http` is an address of this host and a port, as in \"127.0.0.1:9208\" or \"[::1]:9208\"";
        source.error(given.span(), what)
    })?;
    Ok(Some(address))
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
