//! `[service.agent]` as it is written, and its checks.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{
    Error, Source,
    check::{INTERVAL, TEXT_MAX, TIMEOUT},
    numbers::seconds,
};
use crate::health::agent::Agent;

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
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    send: Option<Spanned<String>>,
}

pub(super) fn checked(source: &Source, file: &FileAgent) -> Result<Agent, Error> {
    let port = u16::try_from(*file.port.get_ref()).ok();
    let port = port.filter(|&port| port != 0);
    if let Some(send) = file
        .send
        .as_ref()
        .filter(|it| it.get_ref().len() > TEXT_MAX)
    {
        let what = format!("`send` is of {TEXT_MAX} octets at most");
        return Err(source.error(send.span(), what));
    }
    Ok(Agent {
        port: port.ok_or_else(|| source.error(file.port.span(), "`port` is from 1 to 65535"))?,
        interval: seconds(source, "interval", file.interval.as_ref(), INTERVAL, 2.0)?,
        timeout: seconds(source, "timeout", file.timeout.as_ref(), TIMEOUT, 1.0)?,
        send: file
            .send
            .as_ref()
            .map(|it| it.get_ref().clone())
            .unwrap_or_default(),
    })
}
