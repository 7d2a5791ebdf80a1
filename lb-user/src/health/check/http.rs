//! HTTP/1.1, plain or in TLS: one request, whose answer's status and body are looked at. Redirects are not followed.

use std::{fmt, ops::RangeInclusive, pin::pin, str::FromStr};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    client::conn::http1,
    header::{CONNECTION, HOST, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

use super::{
    Bad, CLOSING, Good, Probe,
    pattern::{Pattern, octets},
    tcp,
    tls::Tls,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    pub method: Method,
    /// With a query, if one is wanted.
    pub path: String,
    pub host: String,
    pub status: StatusSet,
    pub body: Option<Pattern>,
    pub digest: Option<Digest>,
    /// For https.
    pub tls: Option<Tls>,
}

/// Of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; 32]);

/// Statuses that are good: `200,204,300-399`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet {
    text: String,
    ranges: Vec<RangeInclusive<u16>>,
}

/// Octets that are read of a body.
const BODY_MAX: usize = 1 << 20;
/// A request's error when its connection ends.
const GONE: &str = "connection closed";

impl Http {
    pub(super) async fn check(&self, probe: &Probe) -> Result<Good, Bad> {
        let stream = tcp::connect(probe).await?;
        match &self.tls {
            None => self.talk(probe, stream).await,
            Some(tls) => self.talk(probe, tls.connect(probe, stream).await?).await,
        }
    }

    async fn talk<S>(&self, probe: &Probe, stream: S) -> Result<Good, Bad>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let begun = http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await;
        let (sender, connection) = begun.map_err(|error| told(&error))?;
        // Whatever is still to be read goes, and the server closes first.
        let mut closing = pin!(async {
            let parts = connection.without_shutdown().await;
            let parts = parts.map_err(|error| told(&error))?;
            tcp::closed(parts.io.into_inner()).await;
            Ok(())
        });
        let answer = async move {
            // Gone with the answer: the connection is not kept.
            let mut sender = sender;
            let answer = sender.send_request(self.request()?).await;
            let answer = answer.map_err(|error| told(&error))?;
            self.judge(probe, answer).await
        };
        let mut answer = pin!(probe.by("answer", answer));
        let (result, ended) = tokio::select! {
            result = &mut answer => (result, timeout(CLOSING, closing).await.ok()),
            ended = &mut closing => (answer.await, Some(ended)),
        };
        // The connection knows why there is no answer.
        match (result?, ended) {
            (Err(Bad(words)), Some(Err(why))) if words == GONE => Err(why),
            (result, _) => result,
        }
    }

    fn request(&self) -> Result<Request<Empty<Bytes>>, Bad> {
        let request = Request::builder()
            .method(&self.method)
            .uri(&self.path)
            .header(HOST, &self.host)
            .header(USER_AGENT, concat!("drover/", env!("CARGO_PKG_VERSION")))
            .header(CONNECTION, "close")
            .body(Empty::new());
        request.map_err(|error| format!("the request cannot be made: {error}").into())
    }

    async fn judge(&self, probe: &Probe, answer: Response<Incoming>) -> Result<Good, Bad> {
        let status = answer.status().as_u16();
        if !self.status.has(status) {
            return Err(format!("status {status}, not {}", self.status).into());
        }
        if self.body.is_some() || self.digest.is_some() {
            let body = probe.by("end of the body", read(answer.into_body()));
            let body = body.await??;
            if let Some(pattern) = self.body.as_ref().filter(|it| !it.matches(&body)) {
                let (len, text) = (body.len(), pattern.text());
                return Err(format!("body of {len} octets does not match `{text}`").into());
            }
            let is = Digest(Sha256::digest(&body).into());
            if let Some(want) = self.digest.filter(|&want| want != is) {
                return Err(format!("body has digest {is}, not {want}").into());
            }
        }
        Ok(format!("status {status}").into())
    }
}

async fn read(mut body: Incoming) -> Result<Vec<u8>, Bad> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| told(&error))?;
        let data = frame.data_ref().map(|it| &**it).unwrap_or_default();
        if all.len() + data.len() > BODY_MAX {
            return Err(format!("the body has more than {BODY_MAX} octets").into());
        }
        all.extend_from_slice(data);
    }
    Ok(all)
}

fn told(error: &hyper::Error) -> Bad {
    use std::error::Error as _;
    let source = error.source();
    if let Some(error) = source.and_then(|it| it.downcast_ref::<std::io::Error>()) {
        return super::told(error);
    }
    match error {
        _ if error.is_canceled() => GONE.into(),
        _ if error.is_parse() => format!("the answer is no HTTP: {error}").into(),
        _ if error.is_incomplete_message() => "connection closed before the answer's end".into(),
        other => other.to_string().into(),
    }
}

impl StatusSet {
    fn has(&self, status: u16) -> bool {
        self.ranges.iter().any(|range| range.contains(&status))
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for StatusSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let status = |word: &str| {
            let status = word.trim().parse().ok();
            status.filter(|status: &u16| (100..=599).contains(status))
        };
        let range = |word: &str| {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            let range = status(first)?..=status(last)?;
            (!range.is_empty()).then_some(range)
        };
        let ranges: Option<_> = text.split(',').map(range).collect();
        let wrong = || format!("`{text}` is no set of statuses such as 200,204,300-399");
        let text = text.to_owned();
        Ok(Self {
            ranges: ranges.ok_or_else(wrong)?,
            text,
        })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("sha256:");
        let digest = digits.and_then(|it| octets(it).ok()?.try_into().ok());
        let wrong = || "a digest is sha256: and 64 hexadecimal digits, as of `sha256sum`".into();
        digest.map(Self).ok_or_else(wrong)
    }
}
