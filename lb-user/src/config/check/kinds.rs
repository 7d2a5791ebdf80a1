//! What each kind of check is, by its keys.

use std::net::IpAddr;

use domain::base::{Rtype, iana::Rcode};
use hyper::{Method, header::HeaderValue, http::uri::PathAndQuery};
use tokio_rustls::rustls::pki_types::ServerName;
use toml::Spanned;

use super::{
    Reader,
    keys::{DAYS_MAX, GRPC_SERVICE_MAX, KindName, WORDS_MAX},
};
use crate::{
    config::Error,
    health::check::{
        Kind,
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
    service::ServiceName,
};

impl Reader<'_> {
    pub(super) fn kind(&self, destinations: &[ServiceName], port: u16) -> Result<Kind, Error> {
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
