//! What becomes of a service and its real servers when some of them cannot serve.

use std::net::IpAddr;

use toml::Spanned;

use super::{
    Error, Source,
    director::{Real, SECONDS_MAX, WEIGHT_MAX},
    numbers::number,
};
use crate::{
    scheduler::Scheduler,
    service::{ServiceName, parse_unicast},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Availability {
    /// The weight of the real servers that can serve which the service needs.
    pub quorum: u32,
    /// So much less and it is lost, so much more and it is there again.
    pub hysteresis: u32,
    /// Who takes new connections while the quorum is lost.
    pub sorry: Option<IpAddr>,
    /// A real server that is down keeps the connections it has.
    pub inhibits: bool,
    /// Seconds in which a real server that comes in gets to its weight.
    pub slow_start: u32,
    /// Seconds that a removed real server keeps its connections; 0: until they end.
    pub drain: u32,
}

impl Default for Availability {
    fn default() -> Self {
        Self {
            quorum: 1,
            hysteresis: 0,
            sorry: None,
            inhibits: false,
            slow_start: 0,
            drain: 0,
        }
    }
}

/// The keys of a service about it, as they are written.
pub(super) struct Keys {
    pub(super) quorum: Option<Spanned<i64>>,
    pub(super) hysteresis: Option<Spanned<i64>>,
    pub(super) sorry_server: Option<Spanned<String>>,
    pub(super) inhibit_on_failure: bool,
    pub(super) slow_start: Option<Spanned<i64>>,
    pub(super) drain: Option<Spanned<i64>>,
}

/// The weights of all real servers that a service can have.
pub(super) const QUORUM_MAX: i64 = WEIGHT_MAX as i64 * super::director::REALS_MAX as i64;

pub(super) fn checked(
    source: &Source,
    (destinations, scheduler): (&[ServiceName], Scheduler),
    reals: &[Real],
    keys: Keys,
) -> Result<Availability, Error> {
    let number =
        |key: &str, value: Option<&_>, limits, default| number(source, key, value, limits, default);
    let seconds = (0, i64::from(SECONDS_MAX));
    let quorum = number("quorum", keys.quorum.as_ref(), (1, QUORUM_MAX), 1)?;
    let hysteresis = number(
        "hysteresis",
        keys.hysteresis.as_ref(),
        (0, i64::from(quorum) - 1),
        0,
    )?;
    let slow_start = number("slow_start", keys.slow_start.as_ref(), seconds, 0)?;
    if let Some(given) = keys.slow_start.filter(|_| slow_start > 0)
        && !scheduler.has_shares()
    {
        let what = format!(
            "`slow_start` goes by weight, and {scheduler} does not; wrr, wlc, sed, nq, sh, mh, lblc, lblcr and twos do"
        );
        return Err(source.error(given.span(), what));
    }
    Ok(Availability {
        quorum,
        hysteresis,
        sorry: sorry(source, destinations, reals, keys.sorry_server)?,
        inhibits: keys.inhibit_on_failure,
        slow_start,
        drain: number("drain", keys.drain.as_ref(), seconds, 0)?,
    })
}

fn sorry(
    source: &Source,
    destinations: &[ServiceName],
    reals: &[Real],
    given: Option<Spanned<String>>,
) -> Result<Option<IpAddr>, Error> {
    let Some(given) = given else {
        return Ok(None);
    };
    let address = parse_unicast(given.get_ref())
        .map_err(|why| source.error(given.span(), format!("bad sorry server: {why}")))?;
    // All VIPs of a service are of one version.
    let other = |it: &&ServiceName| it.vip.is_ipv4() != address.is_ipv4();
    let what = if let Some(ServiceName { vip, .. }) = destinations.iter().find(other) {
        format!("sorry server {address} and VIP {vip} differ in version")
    } else if destinations.iter().any(|it| it.vip == address) {
        format!("sorry server {address} is the VIP itself; give the RIP")
    } else if reals.iter().any(|real| real.address == address) {
        format!("sorry server {address} is one of the service's real servers; name another")
    } else {
        return Ok(Some(address));
    };
    Err(source.error(given.span(), what))
}
