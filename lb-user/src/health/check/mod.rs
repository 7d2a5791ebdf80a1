//! What a check is, and one attempt at it: what was seen, or what is wrong, in one line for whoever is woken up by it.
//!
//! A kind's own keys are its file's type, with the kind's `check`. All that is waited for is waited for with
//! [`Probe::by`], so an attempt ends by its timeout; all that is read has a limit.

pub mod dns;
pub mod file;
pub mod grpc;
pub mod http;
pub mod pattern;
pub mod ping;
pub mod script;
pub mod smtp;
pub mod tcp;
pub mod tls;
pub mod udp;

use std::{
    borrow::Cow,
    fmt,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::time::{Instant, timeout_at};

use self::{
    dns::Dns, file::File, grpc::Grpc, http::Http, script::Script, smtp::Smtp, tls::Tls, udp::Udp,
};
use super::ports::Ports;
use crate::service::ServiceName;

/// What is asked of each real server of a service, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// 0 for kinds that need none and services that have several.
    pub port: u16,
    /// From the beginning of one check to that of the next, give or take a tenth.
    pub interval: Duration,
    /// Of one attempt.
    pub timeout: Duration,
    /// Good results in a row that bring a real server up, and bad ones that take it down.
    pub rise: u32,
    pub fall: u32,
    /// Further attempts, at once, before a result is bad.
    pub retries: u32,
    /// What the first checks of new real servers are spread over.
    pub warmup: Duration,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Tcp,
    /// Also https, which has [`Http::tls`].
    Http(Box<Http>),
    Tls(Tls),
    Dns(Dns),
    Udp(Udp),
    Grpc(Grpc),
    Smtp(Smtp),
    Ping,
    Script(Script),
    File(File),
}

/// Whom an attempt is at.
#[derive(Clone, Debug)]
pub struct Probe {
    pub service: ServiceName,
    pub real: IpAddr,
    pub vip: IpAddr,
    /// The address that reaches the VIP on this very real server, and the port.
    pub to: SocketAddr,
    pub ports: Ports,
    timeout: Duration,
    deadline: Instant,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Tcp => "tcp",
            Kind::Http(http) if http.tls.is_some() => "https",
            Kind::Http(_) => "http",
            Kind::Tls(_) => "tls",
            Kind::Dns(_) => "dns",
            Kind::Udp(_) => "udp",
            Kind::Grpc(_) => "grpc",
            Kind::Smtp(_) => "smtp",
            Kind::Ping => "ping",
            Kind::Script(_) => "script",
            Kind::File(_) => "file",
        };
        write!(f, "{kind} every {} s", self.interval.as_secs_f64())
    }
}

pub type Words = Cow<'static, str>;

/// What was seen of a real server that is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Good(pub Words);

/// What is wrong with one that is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad(pub Words);

/// After an attempt's end, for the other side to close: its log then has no broken connection, and what is left of the
/// connection, TIME_WAIT, is left with whoever closes first. Past that it is reset.
const CLOSING: Duration = Duration::from_millis(100);
/// Characters of what another side has said that are repeated.
const QUOTED_MAX: usize = 120;

impl Check {
    /// Makes as many attempts as may be made, until one is good. The last one's words are the check's.
    pub async fn run(&self, probe: &mut Probe) -> Result<Good, Bad> {
        let mut result = self.attempt(probe).await;
        for _ in 0..self.retries {
            if result.is_ok() {
                break;
            }
            result = self.attempt(probe).await;
        }
        result
    }

    async fn attempt(&self, probe: &mut Probe) -> Result<Good, Bad> {
        probe.timeout = self.timeout;
        probe.deadline = Instant::now() + self.timeout;
        // Boxed: a connection in plain TCP does not take the room of one with all of TLS.
        match &self.kind {
            Kind::Tcp => tcp::check(probe).await,
            Kind::Http(http) => Box::pin(http.check(probe)).await,
            Kind::Tls(tls) => Box::pin(tls.check(probe)).await,
            Kind::Dns(dns) => Box::pin(dns.check(probe)).await,
            Kind::Udp(udp) => Box::pin(udp.check(probe)).await,
            Kind::Grpc(grpc) => Box::pin(grpc.check(probe)).await,
            Kind::Smtp(smtp) => Box::pin(smtp.check(probe)).await,
            Kind::Ping => Box::pin(ping::check(probe)).await,
            Kind::Script(script) => Box::pin(script.check(probe)).await,
            Kind::File(file) => Box::pin(file.check(probe)).await,
        }
    }
}

impl Probe {
    pub fn new(
        (service, real, vip): (ServiceName, IpAddr, IpAddr),
        to: SocketAddr,
        ports: Ports,
    ) -> Self {
        Self {
            service,
            real,
            vip,
            to,
            ports,
            timeout: Duration::ZERO,
            deadline: Instant::now(),
        }
    }

    /// Waits for what has to come before the attempt's end.
    async fn by<T>(&self, what: &str, coming: impl Future<Output = T>) -> Result<T, Bad> {
        let came = timeout_at(self.deadline, coming).await;
        came.map_err(|_elapsed| format!("no {what} within {}", seconds(self.timeout)).into())
    }
}

/// Duration as `timeout` has it: `1 s`, `0.25 s`.
fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// What an error of a socket means.
pub(super) fn told(error: &io::Error) -> Bad {
    let words = told_shortly(error.kind());
    words.map_or_else(
        || {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            text.to_lowercase().into()
        },
        Bad::from,
    )
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "all others have the words of the C library"
)]
fn told_shortly(kind: io::ErrorKind) -> Option<&'static str> {
    use io::ErrorKind;
    Some(match kind {
        ErrorKind::ConnectionRefused => "connection refused",
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "connection reset",
        ErrorKind::UnexpectedEof => "connection closed",
        ErrorKind::HostUnreachable => "host unreachable",
        ErrorKind::NetworkUnreachable => "network unreachable",
        ErrorKind::PermissionDenied => "permission denied",
        _ => return None,
    })
}

/// The beginning of what another side has said, on one line.
fn quoted(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut quoted: String = text.trim().chars().take(QUOTED_MAX).collect();
    if quoted.len() < text.trim().len() {
        quoted.push('…');
    }
    quoted.replace(char::is_control, " ")
}

/// Patterns and paths may hold anything, too.
fn on_one_line(words: String) -> String {
    match words.contains(char::is_control) {
        true => words.replace(char::is_control, " "),
        false => words,
    }
}

/// What no late answer has.
fn random<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    // So few are never refused; zeros would do as well.
    let _ = rustix::rand::getrandom(&mut octets, rustix::rand::GetRandomFlags::empty());
    octets
}

impl From<&'static str> for Bad {
    fn from(words: &'static str) -> Self {
        Self(words.into())
    }
}

impl From<String> for Bad {
    fn from(words: String) -> Self {
        Self(on_one_line(words).into())
    }
}

impl From<&'static str> for Good {
    fn from(words: &'static str) -> Self {
        Self(words.into())
    }
}

impl From<String> for Good {
    fn from(words: String) -> Self {
        Self(on_one_line(words).into())
    }
}
