//! `[service.check]` as it is written, and its checks.

use std::{net::IpAddr, ops::Range, sync::Arc, time::Duration};

use domain::base::{Rtype, iana::Rcode};
use hyper::{Method, header::HeaderValue, http::uri::PathAndQuery};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_rustls::rustls::pki_types::ServerName;
use toml::Spanned;

use super::{Error, Source};
use crate::{
    health::check::{
        Check, Kind,
        dns::Dns,
        file::File,
        grpc::Grpc,
        http::Http,
        pattern::{Pattern, octets},
        script::Script,
        smtp::Smtp,
        tls::{Made, Tls, Trust},
        udp::Udp,
    },
    service::{ServiceName, Transport},
};

/// Positions are kept for all: a key may be one that the kind does not have.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "What each real server of the service is asked, and how often.")]
pub(super) struct FileCheck {
    /// What is asked.
    #[schemars(with = "KindName")]
    kind: Spanned<KindName>,
    /// Not of ping and file; the service's without.
    #[schemars(with = "Option<i64>", range(min = 1, max = u16::MAX))]
    port: Option<Spanned<i64>>,
    /// Seconds from one check to the next; 2 without.
    #[schemars(with = "Option<f64>", range(min = INTERVAL.0, max = INTERVAL.1))]
    interval: Option<Spanned<f64>>,
    /// Seconds of one attempt; 1 without.
    #[schemars(with = "Option<f64>", range(min = TIMEOUT.0, max = TIMEOUT.1))]
    timeout: Option<Spanned<f64>>,
    /// Good results in a row that bring it up; 2 without.
    #[schemars(with = "Option<i64>", range(min = 1, max = IN_A_ROW_MAX))]
    rise: Option<Spanned<i64>>,
    /// Bad results in a row that take it down; 3 without.
    #[schemars(with = "Option<i64>", range(min = 1, max = IN_A_ROW_MAX))]
    fall: Option<Spanned<i64>>,
    /// Further attempts at once before a result is bad.
    #[schemars(with = "Option<i64>", range(min = 0, max = RETRIES_MAX))]
    retries: Option<Spanned<i64>>,
    /// Seconds that first checks are spread over.
    #[schemars(with = "Option<f64>", range(min = WARMUP.0, max = WARMUP.1))]
    warmup: Option<Spanned<f64>>,
    /// http, https: what is asked for; file: which.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    path: Option<Spanned<String>>,
    /// http, https: the Host header; the VIP without.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    host: Option<Spanned<String>>,
    /// http, https: GET, HEAD or OPTIONS.
    #[schemars(with = "Option<String>")]
    method: Option<Spanned<String>>,
    /// http, https: a set, as in 200,204,300-399; 200-399 without.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    status: Option<Spanned<String>>,
    /// http, https: a regular expression.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    body: Option<Spanned<String>>,
    /// http, https: sha256:… of the body.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    digest: Option<Spanned<String>>,
    /// https, tls: the name asked for.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    sni: Option<Spanned<String>>,
    /// https, tls: whether the certificate is verified.
    #[schemars(with = "Option<bool>")]
    verify: Option<Spanned<bool>>,
    /// https, tls, with verify: a file in PEM.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    ca: Option<Spanned<String>>,
    /// https, tls: days that the certificate must last.
    #[schemars(with = "Option<i64>", range(min = 0, max = DAYS_MAX))]
    days: Option<Spanned<i64>>,
    /// dns: what is asked for.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    name: Option<Spanned<String>>,
    /// dns: the record's type; A without.
    #[serde(rename = "type")]
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    record: Option<Spanned<String>>,
    /// dns: the answer's; NOERROR without.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    rcode: Option<Spanned<String>>,
    /// udp: text, or hex:…
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    send: Option<Spanned<String>>,
    /// udp: a regular expression or hex:… in the answer.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    expect: Option<Spanned<String>>,
    /// grpc: which service; the server without.
    #[schemars(with = "Option<String>", length(max = GRPC_SERVICE_MAX))]
    service: Option<Spanned<String>>,
    /// smtp: the director's name; this host's without.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    helo: Option<Spanned<String>>,
    /// script: the program with its whole path, and arguments.
    #[schemars(with = "Option<Vec<String>>", length(min = 1, max = WORDS_MAX))]
    command: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum KindName {
    Tcp,
    Http,
    Https,
    Tls,
    Dns,
    Udp,
    Grpc,
    Smtp,
    Ping,
    Script,
    File,
}

impl KindName {
    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::Https => "https",
            Self::Tls => "tls",
            Self::Dns => "dns",
            Self::Udp => "udp",
            Self::Grpc => "grpc",
            Self::Smtp => "smtp",
            Self::Ping => "ping",
            Self::Script => "script",
            Self::File => "file",
        }
    }

    /// What the port of a service must be a port of to be the check's as well; None for kinds that go by no port, or by
    /// any.
    fn transport(self) -> Option<Transport> {
        match self {
            Self::Tcp | Self::Http | Self::Https | Self::Tls | Self::Grpc | Self::Smtp => {
                Some(Transport::Tcp)
            }
            Self::Udp => Some(Transport::Udp),
            Self::Dns | Self::Ping | Self::Script | Self::File => None,
        }
    }
}

/// The kinds that each key is of; those that are not here are of all.
const KEYS: [(&str, &[KindName]); 19] = {
    use KindName::{Dns, File, Grpc, Http, Https, Script, Smtp, Tcp, Tls, Udp};
    [
        (
            "port",
            &[Tcp, Http, Https, Tls, Dns, Udp, Grpc, Smtp, Script],
        ),
        ("path", &[Http, Https, File]),
        ("host", &[Http, Https]),
        ("method", &[Http, Https]),
        ("status", &[Http, Https]),
        ("body", &[Http, Https]),
        ("digest", &[Http, Https]),
        ("sni", &[Https, Tls]),
        ("verify", &[Https, Tls]),
        ("ca", &[Https, Tls]),
        ("days", &[Https, Tls]),
        ("name", &[Dns]),
        ("type", &[Dns]),
        ("rcode", &[Dns]),
        ("send", &[Udp]),
        ("expect", &[Udp]),
        ("service", &[Grpc]),
        ("helo", &[Smtp]),
        ("command", &[Script]),
    ]
};

/// Seconds: of an interval, a timeout, a warm-up.
const INTERVAL: (f64, f64) = (0.1, 3600.0);
const TIMEOUT: (f64, f64) = (0.01, 60.0);
const WARMUP: (f64, f64) = (0.0, 3600.0);
/// Results in a row, and further attempts.
const IN_A_ROW_MAX: i64 = 100;
const RETRIES_MAX: i64 = 10;
/// Days that a certificate lasts: ten years.
const DAYS_MAX: i64 = 3650;
/// Octets of a text (of a path, a host, a name that is given), and words of a command.
const TEXT_MAX: usize = 1024;
/// A service's name in gRPC: its length is one octet of the request.
const GRPC_SERVICE_MAX: usize = 127;
const WORDS_MAX: usize = 64;

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
        (least, most): (f64, f64),
        default: f64,
    ) -> Result<Duration, Error> {
        let seconds = value.map_or(default, |it| *it.get_ref());
        match value.filter(|_| !(least..=most).contains(&seconds)) {
            None => Ok(Duration::from_secs_f64(seconds)),
            Some(it) => {
                let what = format!("`{key}` is from {least} to {most} seconds");
                Err(self.error(it.span(), what))
            }
        }
    }

    fn number(
        &self,
        key: &str,
        value: Option<&Spanned<i64>>,
        (least, most): (i64, i64),
        default: u32,
    ) -> Result<u32, Error> {
        let Some(value) = value else {
            return Ok(default);
        };
        let number = Some(*value.get_ref()).filter(|it| (least..=most).contains(it));
        let number = number.and_then(|it| u32::try_from(it).ok());
        number.ok_or_else(|| self.error(value.span(), format!("`{key}` is from {least} to {most}")))
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

    fn kind(&self, destinations: &[ServiceName], port: u16) -> Result<Kind, Error> {
        Ok(match self.file.kind.get_ref() {
            KindName::Tcp => Kind::Tcp,
            KindName::Ping => Kind::Ping,
            KindName::Http => Kind::Http(self.http(destinations, port, 80)?.into()),
            KindName::Https => {
                let http = self.http(destinations, port, 443)?;
                let tls = Some(self.tls(&http.host, None)?);
                Kind::Http(Http { tls, ..http }.into())
            }
            KindName::Tls => Kind::Tls(self.tls(&own_host(destinations), Some(0))?),
            KindName::Dns => Kind::Dns(self.dns()?),
            KindName::Udp => Kind::Udp(self.udp()?),
            KindName::Grpc => {
                let given =
                    self.text("service", self.file.service.as_ref(), |it| match it.len() {
                        ..=GRPC_SERVICE_MAX => Ok(it.to_owned()),
                        _ => Err(format!("at most {GRPC_SERVICE_MAX} octets")),
                    })?;
                Kind::Grpc(Grpc {
                    service: given.unwrap_or_default(),
                    authority: at_port(own_host(destinations), port, 80),
                })
            }
            KindName::Smtp => {
                let helo = self.text("helo", self.file.helo.as_ref(), one_word)?;
                Kind::Smtp(Smtp { helo })
            }
            KindName::Script => Kind::Script(self.script()?),
            KindName::File => {
                let path = self.text("path", self.file.path.as_ref(), absolute)?;
                let path = self.required("path", path)?.into();
                Kind::File(File { path })
            }
        })
    }

    fn http(&self, destinations: &[ServiceName], port: u16, usual: u16) -> Result<Http, Error> {
        let file = self.file;
        let path = self.text("path", file.path.as_ref(), |text| {
            let is_path = text.starts_with('/') && PathAndQuery::try_from(text).is_ok();
            let wrong = || "a path begins with /, and has no spaces and no fragment".to_owned();
            is_path.then(|| text.to_owned()).ok_or_else(wrong)
        })?;
        let host = self.text("host", file.host.as_ref(), |text| {
            let is_host = !text.is_empty() && HeaderValue::from_str(text).is_ok();
            let is_host = is_host && !text.contains([' ', '/']);
            let wrong = || "a host is a name or an address, and a port if it has one".to_owned();
            is_host.then(|| text.to_owned()).ok_or_else(wrong)
        })?;
        let method = self.text("method", file.method.as_ref(), |text| {
            let all = [Method::GET, Method::HEAD, Method::OPTIONS];
            let known = all.into_iter().find(|it| it.as_str() == text);
            known.ok_or_else(|| "GET, HEAD or OPTIONS".to_owned())
        })?;
        let method = method.unwrap_or(Method::GET);
        let body = file.body.as_ref().or(file.digest.as_ref());
        if let Some(body) = body.filter(|_| method == Method::HEAD) {
            return Err(self.error(body.span(), "an answer to HEAD has no body; use GET"));
        }
        let status = self.text("status", file.status.as_ref(), str::parse)?;
        let status = status.map_or_else(|| "200-399".parse(), Ok);
        Ok(Http {
            method,
            path: path.unwrap_or_else(|| "/".to_owned()),
            host: host.unwrap_or_else(|| at_port(own_host(destinations), port, usual)),
            status: status.map_err(|why| self.error(file.kind.span(), why))?,
            body: self.text("body", file.body.as_ref(), Pattern::of)?,
            digest: self.text("digest", file.digest.as_ref(), str::parse)?,
            tls: None,
        })
    }

    /// `host`: whose name is asked for if `sni` does not say.
    fn tls(&self, host: &str, days: Option<u32>) -> Result<Tls, Error> {
        let file = self.file;
        let name = |text: &str| {
            let name = ServerName::try_from(text.to_owned());
            name.map_err(|_unknown| format!("`{text}` is no name of a server"))
        };
        let name = match self.text("sni", file.sni.as_ref(), name)? {
            Some(name) => name,
            None => {
                let span = file.host.as_ref().map_or(file.kind.span(), Spanned::span);
                name(without_port(host)).map_err(|why| self.error(span, why))?
            }
        };
        let ca = self.text("ca", file.ca.as_ref(), absolute)?;
        let verify = file.verify.as_ref().is_some_and(|it| *it.get_ref());
        let trust = match (verify, ca) {
            (false, None) => None,
            (true, None) => Some(Trust::Host),
            (true, Some(path)) => Some(Trust::File(path.into())),
            (false, Some(_)) => {
                let span = file.ca.as_ref().map_or(0..0, Spanned::span);
                return Err(self.error(span, "`ca` without `verify = true`; nothing goes by it"));
            }
        };
        let days = match &file.days {
            None => days,
            given => Some(self.number("days", given.as_ref(), (0, DAYS_MAX), 0)?),
        };
        Ok(Tls {
            name,
            trust,
            days,
            made: Made::default(),
        })
    }

    fn dns(&self) -> Result<Dns, Error> {
        let file = self.file;
        let name = self.text("name", file.name.as_ref(), |text| {
            text.parse().map_err(|error| format!("{error}"))
        })?;
        let kind = self.text("type", file.record.as_ref(), |text| {
            let kind = Rtype::from_mnemonic(text.to_ascii_uppercase().as_bytes());
            kind.ok_or_else(|| format!("there is no `{text}`; A, AAAA, SOA, NS, MX, TXT, …"))
        })?;
        let rcode = self.text("rcode", file.rcode.as_ref(), |text| {
            let rcode = text.to_ascii_uppercase().parse();
            rcode.map_err(|_unknown| format!("there is no `{text}`; NOERROR, NXDOMAIN, REFUSED, …"))
        })?;
        Ok(Dns {
            name: self.required("name", name)?,
            kind: kind.unwrap_or(Rtype::A),
            rcode: rcode.unwrap_or(Rcode::NOERROR),
        })
    }

    fn udp(&self) -> Result<Udp, Error> {
        let send = self.text("send", self.file.send.as_ref(), |text| {
            match text.strip_prefix("hex:") {
                Some(digits) => octets(digits),
                None => Ok(text.as_bytes().to_vec()),
            }
        })?;
        Ok(Udp {
            send: send.unwrap_or_default(),
            expect: self.text("expect", self.file.expect.as_ref(), Pattern::of_octets)?,
        })
    }

    fn script(&self) -> Result<Script, Error> {
        let command = self.required("command", self.file.command.as_ref())?;
        let words = command.get_ref();
        let Some((program, arguments)) = words.split_first() else {
            let what = "`command` is empty; name a program";
            return Err(self.error(command.span(), what));
        };
        if words.len() > WORDS_MAX {
            let what = format!("`command` has at most {WORDS_MAX} words");
            return Err(self.error(command.span(), what));
        }
        let word = |word: &Spanned<String>| {
            let without_nul = |text: &str| match text.contains('\0') {
                true => Err("no program takes a word with NUL in it".to_owned()),
                false => Ok(text.to_owned()),
            };
            let word = self.text("command", Some(word), without_nul)?;
            Ok(word.unwrap_or_default())
        };
        let path = self.text("command", Some(program), absolute)?;
        Ok(Script {
            program: path.unwrap_or_default(),
            arguments: arguments.iter().map(word).collect::<Result<_, _>>()?,
        })
    }
}

/// What a client of the service would ask for.
fn own_host(destinations: &[ServiceName]) -> String {
    match destinations.first().map(|it| it.vip) {
        Some(IpAddr::V6(vip)) => format!("[{vip}]"),
        Some(IpAddr::V4(vip)) => vip.to_string(),
        None => String::new(),
    }
}

fn at_port(host: String, port: u16, usual: u16) -> String {
    match port == usual {
        true => host,
        false => format!("{host}:{port}"),
    }
}

fn without_port(host: &str) -> &str {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|it| it.split_once(']')) {
        return address;
    }
    host.split(':').next().unwrap_or(host)
}

fn absolute(text: &str) -> Result<String, String> {
    match text.starts_with('/') && !text.contains('\0') {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` does not begin with /")),
    }
}

fn one_word(text: &str) -> Result<String, String> {
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic());
    match is_word(text) {
        true => Ok(text.to_owned()),
        false => Err("a name is of ASCII without spaces".to_owned()),
    }
}

#[cfg(test)]
mod tests;
