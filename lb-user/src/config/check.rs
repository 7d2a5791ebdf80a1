//! `[service.check]` as it is written, and its checks: what is common to all kinds.

mod keys;
mod kinds;

use std::{ops::Range, sync::Arc, time::Duration};

use toml::Spanned;

pub(super) use self::keys::{FileCheck, INTERVAL, TEXT_MAX, TIMEOUT};
use self::keys::{IN_A_ROW_MAX, KEYS, KindName, RETRIES_MAX, WARMUP};
use super::{Error, Source, numbers};
use crate::{
    health::check::Check,
    service::{ServiceName, Transport},
};

pub(super) fn check(
    source: &Source,
    destinations: &[ServiceName],
    file: &FileCheck,
) -> Result<Arc<Check>, Error> {
    let reader = Reader { source, file };
    reader.refuse_others()?;
    let port = reader.port(destinations)?;
    Ok(Arc::new(Check {
        port,
        interval: reader.seconds("interval", file.interval.as_ref(), INTERVAL, 2.0)?,
        timeout: reader.seconds("timeout", file.timeout.as_ref(), TIMEOUT, 1.0)?,
        rise: reader.number("rise", file.rise.as_ref(), (1, IN_A_ROW_MAX), 2)?,
        fall: reader.number("fall", file.fall.as_ref(), (1, IN_A_ROW_MAX), 3)?,
        retries: reader.number("retries", file.retries.as_ref(), (0, RETRIES_MAX), 0)?,
        warmup: reader.seconds("warmup", file.warmup.as_ref(), WARMUP, 0.0)?,
        kind: reader.kind(destinations, port)?,
    }))
}

struct Reader<'s> {
    source: &'s Source,
    file: &'s FileCheck,
}

impl Reader<'_> {
    fn error(&self, span: Range<usize>, what: impl std::fmt::Display) -> Error {
        self.source.error(span, what)
    }

    /// Keys that the kind does not have: whoever writes one believes in something that would not be checked.
    fn refuse_others(&self) -> Result<(), Error> {
        let kind = *self.file.kind.get_ref();
        let given = self.given();
        let others = KEYS.iter().filter(|(_, kinds)| !kinds.contains(&kind));
        let first = others
            .filter_map(|&(key, kinds)| Some((key, kinds, given(key)?)))
            .min_by_key(|(.., span)| span.start);
        let Some((key, kinds, span)) = first else {
            return Ok(());
        };
        let names: Vec<_> = kinds.iter().map(|it| it.name()).collect();
        let what = format!(
            "a check of kind {} has no `{key}`; {} {}",
            kind.name(),
            names.join(", "),
            if names.len() == 1 { "has" } else { "have" },
        );
        Err(self.error(span, what))
    }

    /// Where a key of some kinds is.
    fn given(&self) -> impl Fn(&str) -> Option<Range<usize>> {
        fn span<T>(value: &Option<Spanned<T>>) -> Option<Range<usize>> {
            value.as_ref().map(Spanned::span)
        }
        let file = self.file;
        move |key| match key {
            "port" => span(&file.port),
            "path" => span(&file.path),
            "host" => span(&file.host),
            "method" => span(&file.method),
            "status" => span(&file.status),
            "body" => span(&file.body),
            "digest" => span(&file.digest),
            "sni" => span(&file.sni),
            "verify" => span(&file.verify),
            "ca" => span(&file.ca),
            "days" => span(&file.days),
            "name" => span(&file.name),
            "type" => span(&file.record),
            "rcode" => span(&file.rcode),
            "send" => span(&file.send),
            "expect" => span(&file.expect),
            "service" => span(&file.service),
            "helo" => span(&file.helo),
            "command" => span(&file.command),
            _ => None,
        }
    }

    /// The one given, or the service's.
    fn port(&self, destinations: &[ServiceName]) -> Result<u16, Error> {
        if let Some(port) = &self.file.port {
            let usable = u16::try_from(*port.get_ref()).ok().filter(|&it| it != 0);
            return usable.ok_or_else(|| self.error(port.span(), "`port` is from 1 to 65535"));
        }
        let kind = *self.file.kind.get_ref();
        let Some(service) = destinations.first() else {
            return Ok(0);
        };
        // A script may know better.
        let is_without = matches!(kind, KindName::Ping | KindName::File)
            || kind == KindName::Script && !service.ports.is_one();
        if is_without {
            return Ok(0);
        }
        let missing = |why: String| {
            let what = format!("the check needs a `port`: {why}");
            Err(self.error(self.file.kind.span(), what))
        };
        let protocol = service.protocol.number();
        match kind.transport() {
            Some(transport) if transport != service.protocol => {
                let (kind, transport) = (kind.name(), transport.number());
                missing(format!("{kind} is over {transport}, and {service} is not"))
            }
            None if kind == KindName::Dns && service.protocol == Transport::Sctp => missing(
                format!("dns is over udp or tcp, and {service} over {protocol}"),
            ),
            _ if !service.ports.is_one() => missing(format!("{service} has several")),
            _ => Ok(service.ports.first),
        }
    }

    fn seconds(
        &self,
        key: &str,
        value: Option<&Spanned<f64>>,
        limits: (f64, f64),
        default: f64,
    ) -> Result<Duration, Error> {
        numbers::seconds(self.source, key, value, limits, default)
    }

    fn number(
        &self,
        key: &str,
        value: Option<&Spanned<i64>>,
        limits: (i64, i64),
        default: u32,
    ) -> Result<u32, Error> {
        numbers::number(self.source, key, value, limits, default)
    }

    /// A text that something makes something else of.
    fn text<T>(
        &self,
        key: &str,
        value: Option<&Spanned<String>>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = value else {
            return Ok(None);
        };
        let text = value.get_ref();
        let read = match text.len() {
            ..=TEXT_MAX => read(text),
            _ => Err(format!("at most {TEXT_MAX} octets")),
        };
        read.map(Some)
            .map_err(|why| self.error(value.span(), format!("bad `{key}`: {why}")))
    }

    fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, Error> {
        let kind = &self.file.kind;
        let what = || {
            format!(
                "a check of kind {} needs `{key}`; add it",
                kind.get_ref().name()
            )
        };
        value.ok_or_else(|| self.error(kind.span(), what()))
    }
}

#[cfg(test)]
mod tests;
