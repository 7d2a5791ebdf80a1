//! The keys of `[service.check]`: their types, which kinds have them, and their limits.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::service::Transport;

/// Positions are kept for all: a key may be one that the kind does not have.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "What each real server of the service is asked, and how often.")]
pub(in crate::config) struct FileCheck {
    /// What is asked.
    #[schemars(with = "KindName")]
    pub(super) kind: Spanned<KindName>,
    /// Not of ping and file; the service's without.
    #[schemars(with = "Option<i64>", range(min = 1, max = u16::MAX))]
    pub(super) port: Option<Spanned<i64>>,
    /// Seconds from one check to the next; 2 without.
    #[schemars(with = "Option<f64>", range(min = INTERVAL.0, max = INTERVAL.1))]
    pub(super) interval: Option<Spanned<f64>>,
    /// Seconds of one attempt; 1 without.
    #[schemars(with = "Option<f64>", range(min = TIMEOUT.0, max = TIMEOUT.1))]
    pub(super) timeout: Option<Spanned<f64>>,
    /// Good results in a row that bring it up; 2 without.
    #[schemars(with = "Option<i64>", range(min = 1, max = IN_A_ROW_MAX))]
    pub(super) rise: Option<Spanned<i64>>,
    /// Bad results in a row that take it down; 3 without.
    #[schemars(with = "Option<i64>", range(min = 1, max = IN_A_ROW_MAX))]
    pub(super) fall: Option<Spanned<i64>>,
    /// Further attempts at once before a result is bad.
    #[schemars(with = "Option<i64>", range(min = 0, max = RETRIES_MAX))]
    pub(super) retries: Option<Spanned<i64>>,
    /// Seconds that first checks are spread over.
    #[schemars(with = "Option<f64>", range(min = WARMUP.0, max = WARMUP.1))]
    pub(super) warmup: Option<Spanned<f64>>,
    /// http, https: what is asked for; file: which.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) path: Option<Spanned<String>>,
    /// http, https: the Host header; the VIP without.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) host: Option<Spanned<String>>,
    /// http, https: GET, HEAD or OPTIONS.
    #[schemars(with = "Option<String>")]
    pub(super) method: Option<Spanned<String>>,
    /// http, https: a set, as in 200,204,300-399; 200-399 without.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) status: Option<Spanned<String>>,
    /// http, https: a regular expression.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) body: Option<Spanned<String>>,
    /// http, https: sha256:… of the body.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) digest: Option<Spanned<String>>,
    /// https, tls: the name asked for.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) sni: Option<Spanned<String>>,
    /// https, tls: whether the certificate is verified.
    #[schemars(with = "Option<bool>")]
    pub(super) verify: Option<Spanned<bool>>,
    /// https, tls, with verify: a file in PEM.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) ca: Option<Spanned<String>>,
    /// https, tls: days that the certificate must last.
    #[schemars(with = "Option<i64>", range(min = 0, max = DAYS_MAX))]
    pub(super) days: Option<Spanned<i64>>,
    /// dns: what is asked for.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) name: Option<Spanned<String>>,
    /// dns: the record's type; A without.
    #[serde(rename = "type")]
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) record: Option<Spanned<String>>,
    /// dns: the answer's; NOERROR without.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) rcode: Option<Spanned<String>>,
    /// udp: text, or hex:…
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) send: Option<Spanned<String>>,
    /// udp: a regular expression or hex:… in the answer.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) expect: Option<Spanned<String>>,
    /// grpc: which service; the server without.
    #[schemars(with = "Option<String>", length(max = GRPC_SERVICE_MAX))]
    pub(super) service: Option<Spanned<String>>,
    /// smtp: the director's name; this host's without.
    #[schemars(with = "Option<String>", length(max = TEXT_MAX))]
    pub(super) helo: Option<Spanned<String>>,
    /// script: the program with its whole path, and arguments.
    #[schemars(with = "Option<Vec<String>>", length(min = 1, max = WORDS_MAX))]
    pub(super) command: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum KindName {
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
    pub(super) fn name(self) -> &'static str {
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
    pub(super) fn transport(self) -> Option<Transport> {
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
pub(super) const KEYS: [(&str, &[KindName]); 19] = {
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
pub(in crate::config) const INTERVAL: (f64, f64) = (0.1, 3600.0);
pub(in crate::config) const TIMEOUT: (f64, f64) = (0.01, 60.0);
pub(super) const WARMUP: (f64, f64) = (0.0, 3600.0);
/// Results in a row, and further attempts.
pub(super) const IN_A_ROW_MAX: i64 = 100;
pub(super) const RETRIES_MAX: i64 = 10;
/// Days that a certificate lasts: ten years.
pub(super) const DAYS_MAX: i64 = 3650;
/// Octets of a text (of a path, a host, a name that is given), and words of a command.
pub(in crate::config) const TEXT_MAX: usize = 1024;
/// A service's name in gRPC: its length is one octet of the request.
pub(super) const GRPC_SERVICE_MAX: usize = 127;
pub(super) const WORDS_MAX: usize = 64;
