//! A real server's checkers, each as `[service.check]`.

use std::net::IpAddr;

use toml_edit::Value;

use super::{
    super::{keys::Keys, notes::Notes},
    http, misc,
    options::{Options, left},
    reasons, smtp,
    tree::Statement,
    udp,
};
use crate::service::Transport;

/// Whose check it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Of<'o> {
    pub(super) rip: IpAddr,
    /// The one that keepalived asks unless the checker says another.
    pub(super) port: Option<u16>,
    /// What `[service.check]` goes by without a port.
    pub(super) service: Option<(Transport, u16)>,
    /// The real server's, with the virtual server's where it says nothing.
    pub(super) options: &'o Options,
}

/// Whether a real server's block of this name is a checker's.
pub(super) fn is_checker(name: &str) -> bool {
    matches!(
        name,
        "TCP_CHECK"
            | "HTTP_GET"
            | "SSL_GET"
            | "SMTP_CHECK"
            | "DNS_CHECK"
            | "UDP_CHECK"
            | "PING_CHECK"
            | "MISC_CHECK"
    )
}

/// Returns what a checker becomes, if it can become anything; what of it cannot is noted.
pub(super) fn check(checker: &Statement, of: Of<'_>, notes: &mut Notes) -> Option<Keys> {
    let mut options = Options::default();
    let mut own = Vec::new();
    let mut port = of.port;
    for line in &checker.block {
        match line.name() {
            "connect_port" => port = super::group::port(line.argument(1)).ok().map(|it| it.first),
            "fast_recovery" | "tls_compliant" => {}
            "connect_ip" if line.argument(1).parse() == Ok(of.rip) => {}
            _ if options.take(line, notes) => {}
            _ => own.push(line),
        }
    }
    let options = options.or(of.options);
    let mut keys = Keys::default();
    let kind = match checker.name() {
        "TCP_CHECK" => Some(("tcp", Some(Transport::Tcp))),
        "HTTP_GET" => Some(("http", Some(Transport::Tcp))),
        "SSL_GET" => Some(("https", Some(Transport::Tcp))),
        "SMTP_CHECK" => Some(("smtp", Some(Transport::Tcp))),
        "UDP_CHECK" => Some(("udp", Some(Transport::Udp))),
        "DNS_CHECK" => Some(("dns", of.service.map(|it| it.0))),
        "PING_CHECK" => Some(("ping", None)),
        _ => None,
    };
    let (kind, transport) = kind.unwrap_or(("script", None));
    if checker.name() == "DNS_CHECK" && transport == Some(Transport::Tcp) {
        keys.put_with("kind", kind, Some("keepalived asks by UDP".to_owned()));
    } else {
        keys.put("kind", kind);
    }
    if let (Some(transport), Some(port)) = (transport, port)
        && of.service != Some((transport, port))
    {
        keys.put("port", i64::from(port));
    }
    put_times(
        &mut keys,
        checker.name(),
        &options,
        timeout(checker, &options),
    );
    let is_made = match checker.name() {
        "HTTP_GET" | "SSL_GET" => http::put(&mut keys, checker, &own, &options, notes),
        "SMTP_CHECK" => smtp::put(&mut keys, &own, notes),
        "DNS_CHECK" => put_dns(&mut keys, &own, notes),
        "UDP_CHECK" => udp::put(&mut keys, &own, notes),
        "MISC_CHECK" => misc::put(&mut keys, checker, &own, of.rip, notes),
        _ => others(&own, &[], notes),
    };
    is_made.then_some(keys)
}

/// Notes the lines that are none of `known`; always a check.
pub(super) fn others(own: &[&Statement], known: &[&str], notes: &mut Notes) -> bool {
    for line in own {
        if !known.contains(&line.name()) {
            left(line, reasons::of_checker(line.name()), notes);
        }
    }
    true
}

fn put_dns(keys: &mut Keys, own: &[&Statement], notes: &mut Notes) -> bool {
    let said = |name: &str, default: &'static str| {
        let line = own.iter().rev().find(|it| it.name() == name);
        line.map_or(default, |it| it.argument(1)).to_owned()
    };
    keys.put("name", said("name", "."));
    keys.put("type", said("type", "SOA").to_ascii_uppercase());
    others(own, &["name", "type"], notes)
}

/// Seconds of one attempt, as keepalived's documentation and `check_misc.c` have it.
fn timeout(checker: &Statement, options: &Options) -> f64 {
    const CONNECT: f64 = 5.0;
    if checker.name() != "MISC_CHECK" {
        return options.connect_timeout.unwrap_or(CONNECT);
    }
    let own = checker.block.iter().rev();
    let mut own = own.filter(|it| it.name() == "misc_timeout");
    let own = own.find_map(|it| it.argument(1).parse().ok());
    own.filter(|it| *it > 0.0).unwrap_or(delay_loop(options))
}

fn delay_loop(options: &Options) -> f64 {
    options.delay_loop.unwrap_or(60.0)
}

/// The times of a check. keepalived makes `retry` further attempts, `delay_before_retry` apart, before a real server is
/// down: here it takes as many bad results in a row as come in that time. One good result brings it up.
fn put_times(keys: &mut Keys, checker: &str, options: &Options, timeout: f64) {
    let delay_loop = delay_loop(options);
    let (retry, delay) = match checker {
        "DNS_CHECK" => (3, delay_loop),
        "HTTP_GET" | "SSL_GET" => (1, 3.0),
        "MISC_CHECK" => (0, 1.0),
        _ => (1, 1.0),
    };
    let retry = options.retry.unwrap_or(retry);
    let delay = options.delay_before_retry.unwrap_or(delay);
    let interval = put_seconds(keys, "interval", delay_loop, (0.1, 3600.0));
    put_seconds(keys, "timeout", timeout, (0.01, 60.0));
    keys.put("rise", 1);
    let fall = 1.0 + (retry as f64 * delay / interval).ceil();
    let is_same = retry == 0 || delay == interval;
    let attempts = if retry == 1 { "attempt" } else { "attempts" };
    let remark = format!("keepalived: {retry} more {attempts}, {delay} s apart");
    // A float that is too large becomes the largest number.
    let fall = (fall as i64).min(100);
    keys.put_with("fall", fall, (!is_same).then_some(remark));
    if let Some(warmup) = options.warmup.filter(|it| *it > 0.0) {
        put_seconds(keys, "warmup", warmup, (0.0, 3600.0));
    }
}

fn put_seconds(keys: &mut Keys, name: &'static str, said: f64, (least, most): (f64, f64)) -> f64 {
    let seconds = said.clamp(least, most);
    let value = match seconds.fract() == 0.0 {
        true => Value::from(seconds as i64),
        false => Value::from(seconds),
    };
    let remark = (seconds != said).then(|| format!("keepalived: {said}"));
    keys.put_with(name, value, remark);
    seconds
}
