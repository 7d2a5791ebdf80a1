//! A TLS handshake, and how long the server's certificate lasts.

use std::{
    fs::File,
    io::{self, BufReader, Read as _},
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::io::AsyncWriteExt as _;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
        SignatureScheme,
        client::{
            Resumption,
            danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        },
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    },
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{
    Bad, Good, Probe, quoted,
    tcp::{self, Stream},
    told,
};

const DAY: i64 = 24 * 60 * 60;
/// Octets of a file of CAs: those of the whole web are a fifth of a megabyte.
const CAS_MAX: u64 = 4 << 20;

#[derive(Clone, Debug)]
pub struct Tls {
    /// What is asked for, and what the certificate has to be for. An address is not asked for (RFC 6066 section 3).
    pub name: ServerName<'static>,
    /// Who has to have issued the certificate; anybody, without.
    pub trust: Option<Trust>,
    /// For as long the certificate must last. None: it is not looked at.
    pub days: Option<u32>,
    /// Made once: CAs are as they were then. What cannot be made is tried again by the next check.
    pub made: Made,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The CAs that this host trusts, or those that SSL_CERT_FILE and SSL_CERT_DIR name.
    Host,
    /// Those of a file in PEM.
    File(PathBuf),
}

#[derive(Clone, Debug, Default)]
pub struct Made(Arc<OnceLock<Arc<ClientConfig>>>);

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.trust, self.days) == (&other.name, &other.trust, other.days)
    }
}

impl Eq for Tls {}

impl Tls {
    pub(super) async fn check(&self, probe: &Probe) -> Result<Good, Bad> {
        let stream = tcp::connect(probe).await?;
        let mut stream = self.connect(probe, stream).await?;
        let certificate = stream.get_ref().1.peer_certificates();
        let words = Certificate::of(certificate)?.words(now());
        // What tells the server that nothing was cut off.
        let _ = probe.by("end", stream.shutdown()).await;
        tcp::closed(stream).await;
        Ok(words.into())
    }

    pub(super) async fn connect(
        &self,
        probe: &Probe,
        stream: Stream,
    ) -> Result<TlsStream<Stream>, Bad> {
        let connector = TlsConnector::from(self.config()?);
        let handshake = connector.connect(self.name.clone(), stream);
        let stream = probe.by("TLS handshake", handshake).await?;
        let stream = stream.map_err(|error| self.told(&error))?;
        if let Some(days) = self.days {
            let certificate = Certificate::of(stream.get_ref().1.peer_certificates())?;
            certificate.lasts(days, now())?;
        }
        Ok(stream)
    }

    fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let Self { trust, made, .. } = self;
        let config = match made.0.get() {
            Some(made) => made,
            None => {
                let config = config(trust.as_ref())?;
                made.0.get_or_init(|| config)
            }
        };
        Ok(config.clone())
    }

    fn told(&self, error: &io::Error) -> Bad {
        let source = error.get_ref().and_then(|it| it.downcast_ref::<Error>());
        let Some(source) = source else {
            let Bad(why) = told(error);
            return format!("{why} within the TLS handshake").into();
        };
        #[allow(
            clippy::wildcard_enum_match_arm,
            reason = "all others are told in rustls's words"
        )]
        match source {
            Error::InvalidMessage(_) => "the answer is no TLS".into(),
            Error::AlertReceived(alert) => format!("the server refuses TLS: {alert:?}").into(),
            Error::InvalidCertificate(error) => match error {
                CertificateError::UnknownIssuer => {
                    "the certificate is of a CA that is not trusted".into()
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "the certificate has ended".into()
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    format!("the certificate is not for {}", self.name.to_str()).into()
                }
                other => format!("the certificate is not valid: {other}").into(),
            },
            other => format!("TLS: {other}").into(),
        }
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| it.as_secs() as i64)
}

/// What is looked at of a certificate.
#[derive(Debug, PartialEq, Eq)]
struct Certificate {
    name: String,
    /// In seconds since 1970.
    ends: i64,
}

impl Certificate {
    /// That of the server, which is the first.
    fn of(chain: Option<&[CertificateDer<'_>]>) -> Result<Self, Bad> {
        let first = chain
            .and_then(<[_]>::first)
            .ok_or("the server has no certificate")?;
        let parsed = X509Certificate::from_der(first);
        let (_, certificate) = parsed.map_err(|_error| "the certificate cannot be read")?;
        let subject = certificate.subject();
        let name = match subject.iter_common_name().next().map(|it| it.as_str()) {
            Some(Ok(name)) => format!("CN {}", quoted(name.as_bytes())),
            _ => match quoted(subject.to_string().as_bytes()) {
                name if name.is_empty() => "no name".to_owned(),
                name => name,
            },
        };
        let ends = certificate.validity().not_after.timestamp();
        Ok(Self { name, ends })
    }

    fn lasts(&self, days: u32, now: i64) -> Result<(), Bad> {
        match self.ends - now >= i64::from(days) * DAY {
            true => Ok(()),
            false if self.ends < now => Err(self.words(now).into()),
            false => Err(format!("{}, {days} wanted", self.words(now)).into()),
        }
    }

    fn words(&self, now: i64) -> String {
        let Self { name, ends } = self;
        let days = |seconds: i64| match seconds / DAY {
            0 => "less than a day".to_owned(),
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        match ends - now {
            left @ 0.. => format!("certificate of {name} ends in {}", days(left)),
            past => format!("certificate of {name} ended {} ago", days(-past)),
        }
    }
}

fn config(trust: Option<&Trust>) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone());
    let config = config.with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    let mut config = match trust {
        None => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(provider))),
        Some(trust) => config.with_root_certificates(roots(trust)?),
    }
    .with_no_client_auth();
    // A session taken up again shows no certificate.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn roots(trust: &Trust) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let place = match trust {
        Trust::Host => {
            // Some that cannot be read are no reason not to use the others.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            "this host".to_owned()
        }
        Trust::File(path) => {
            let cannot = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            // Others may not end, or wait for somebody to write, and all checks with them.
            let metadata = path.metadata().map_err(|error| cannot(&error))?;
            if !metadata.is_file() {
                return Err(cannot(&"not a file"));
            }
            if metadata.len() > CAS_MAX {
                return Err(cannot(&format!("more than {CAS_MAX} octets")));
            }
            let file = File::open(path).map_err(|error| cannot(&error))?;
            let file = BufReader::new(file.take(CAS_MAX));
            for certificate in CertificateDer::pem_reader_iter(file) {
                let certificate = certificate.map_err(|error| cannot(&error))?;
                roots.add(certificate).map_err(|error| cannot(&error))?;
            }
            path.display().to_string()
        }
    };
    match roots.is_empty() {
        true => Err(format!("`verify` has no CA to go by: {place} has none")),
        false => Ok(roots),
    }
}

/// Takes any certificate: of a check within one's own network, expiry is what is asked for.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
