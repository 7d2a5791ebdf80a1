//! `[service.agent]` as it is written, and its checks.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{Error, Source};
use crate::health::agent::Agent;

/// Seconds.
const INTERVAL: (f64, f64) = (0.1, 3600.0);
const TIMEOUT: (f64, f64) = (0.01, 60.0);
/// Octets.
const SEND_MAX: usize = 1024;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    description = "Each real server is asked for its own word on its weight and state, as HAProxy's agent-check asks."
)]
pub(super) struct FileAgent {
    /// Where it listens, on its own address.
    #[schemars(with = "i64", range(min = 1, max = u16::MAX))]
    port: Spanned<i64>,
    /// Seconds from one question to the next; 2 without.
    #[schemars(with = "Option<f64>", range(min = INTERVAL.0, max = INTERVAL.1))]
    interval: Option<Spanned<f64>>,
    /// Seconds for an answer; 1 without.
    #[schemars(with = "Option<f64>", range(min = TIMEOUT.0, max = TIMEOUT.1))]
    timeout: Option<Spanned<f64>>,
    /// What is sent first.
    #[schemars(with = "Option<String>", length(max = SEND_MAX))]
    send: Option<Spanned<String>>,
}

pub(super) fn checked(source: &Source, file: &FileAgent) -> Result<Agent, Error> {
    let seconds = |key, value: Option<&Spanned<f64>>, (least, most), default| {
        let seconds = value.map_or(default, |it| *it.get_ref());
        match value.filter(|_| !(least..=most).contains(&seconds)) {
            None => Ok(Duration::from_secs_f64(seconds)),
            Some(it) => {
                let what = format!("`{key}` is from {least} to {most} seconds");
                Err(source.error(it.span(), what))
            }
        }
    };
    let port = u16::try_from(*file.port.get_ref()).ok();
    let port = port.filter(|&port| port != 0);
    if let Some(send) = file
        .send
        .as_ref()
        .filter(|it| it.get_ref().len() > SEND_MAX)
    {
        let what = format!("`send` is of {SEND_MAX} octets at most");
        return Err(source.error(send.span(), what));
    }
    Ok(Agent {
        port: port.ok_or_else(|| source.error(file.port.span(), "`port` is from 1 to 65535"))?,
        interval: seconds("interval", file.interval.as_ref(), INTERVAL, 2.0)?,
        timeout: seconds("timeout", file.timeout.as_ref(), TIMEOUT, 1.0)?,
        send: file
            .send
            .as_ref()
            .map(|it| it.get_ref().clone())
            .unwrap_or_default(),
    })
}
