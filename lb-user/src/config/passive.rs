//! `[service.passive]` as it is written, and its checks.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{Error, Source, numbers::number};
use crate::{
    health::passive::Passive,
    install::Policy,
    scheduler::Scheduler,
    service::{ServiceName, Transport},
};

const PERCENT: (i64, i64) = (1, 99);
/// Of fewer nothing can be told.
const ATTEMPTS: (i64, i64) = (5, 1_000_000);
const WINDOW: (i64, i64) = (5, 600);
/// What was begun before it was taken out has been counted by then.
const HOLD: (i64, i64) = (5, 86_400);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    description = "Real servers that leave clients' connections unanswered, unlike the others, are taken out."
)]
pub(super) struct FilePassive {
    /// Per cent of its attempts: with more that are unanswered one is taken out; 50 without.
    #[schemars(with = "Option<i64>", range(min = PERCENT.0, max = PERCENT.1))]
    percent: Option<Spanned<i64>>,
    /// As many are needed, of it and of the others; 20 without.
    #[schemars(with = "Option<i64>", range(min = ATTEMPTS.0, max = ATTEMPTS.1))]
    attempts: Option<Spanned<i64>>,
    /// Seconds in which they are counted; 10 without.
    #[schemars(with = "Option<i64>", range(min = WINDOW.0, max = WINDOW.1))]
    window: Option<Spanned<i64>>,
    /// Seconds until it is tried again; 30 without.
    #[schemars(with = "Option<i64>", range(min = HOLD.0, max = HOLD.1))]
    hold: Option<Spanned<i64>>,
}

/// `counts`: whether some real server has a threshold.
pub(super) fn checked(
    source: &Source,
    (destinations, counts): (&[ServiceName], bool),
    (scheduler, policy): (Scheduler, &Policy),
    given: Option<&Spanned<FilePassive>>,
) -> Result<Option<Passive>, Error> {
    let Some(given) = given else {
        return Ok(None);
    };
    let refused = if !spreads(scheduler) {
        format!(
            "`passive` compares real servers that have connections of all clients, and with {scheduler} they do not; \
             with rr, wrr, lc, wlc, sed, nq and twos they do"
        )
    } else if policy.persistence.is_some() {
        "`passive` compares real servers that have connections of all clients, and with `persistence` one client's \
         are all of one; choose one"
            .to_owned()
    } else if destinations.iter().all(|it| it.protocol == Transport::Udp) {
        "`passive` goes by connections that are answered, and UDP has none".to_owned()
    } else if !policy.tracks(scheduler, destinations.iter().copied(), counts) {
        format!(
            "`passive` goes by connections' records, and with {scheduler} there are none; with rr, wrr, lc, wlc, sed, \
             nq and twos there are, or with an `upper_threshold`"
        )
    } else {
        let file = given.get_ref();
        let number = |key: &str, value: Option<&_>, limits, default| {
            number(source, key, value, limits, default)
        };
        return Ok(Some(Passive {
            percent: number("percent", file.percent.as_ref(), PERCENT, 50)?,
            attempts: number("attempts", file.attempts.as_ref(), ATTEMPTS, 20)?,
            window: number("window", file.window.as_ref(), WINDOW, 10)?,
            hold: number("hold", file.hold.as_ref(), HOLD, 30)?,
        }));
    };
    Err(source.error(given.span(), refused))
}

/// Whether neither a client nor an order decides which real server has a connection: else one client, or a forged one,
/// could have one of them taken out.
fn spreads(scheduler: Scheduler) -> bool {
    use Scheduler::{Dh, Fo, Lblc, Lblcr, Lc, Mh, Nq, Ovf, Rr, Sed, Sh, Twos, Wlc, Wrr};
    match scheduler {
        Rr | Wrr | Lc | Wlc | Sed | Nq | Mh | Twos => true,
        Sh | Dh | Lblc | Lblcr | Fo | Ovf => false,
    }
}
