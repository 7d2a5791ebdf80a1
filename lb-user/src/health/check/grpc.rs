//! grpc.health.v1.Health/Check over HTTP/2 without TLS: one call, whose two messages have a field each.

use bytes::{Bytes, BytesMut};
use h2::{RecvStream, client};
use hyper::{HeaderMap, Request, Response, StatusCode, header::CONTENT_TYPE};
use tokio::time::timeout;

use super::{Bad, CLOSING, Good, Probe, quoted, tcp, told};

/// Octets of a response: a header of five and a message of two, if it has no fields that are not known here.
const RESPONSE_MAX: usize = 4096;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grpc {
    /// Empty: the server as a whole.
    pub service: String,
    pub authority: String,
}

impl Grpc {
    pub(super) async fn check(&self, probe: &Probe) -> Result<Good, Bad> {
        let stream = tcp::connect(probe).await?;
        let begun = probe.by("answer", client::handshake(stream)).await?;
        let (sender, mut connection) = begun.map_err(|error| of_http2(&error))?;
        let result = {
            let call = probe.by("answer", self.call(sender));
            tokio::select! {
                result = call => result?,
                ended = &mut connection => match ended {
                    Ok(()) => return Err("connection closed".into()),
                    Err(error) => return Err(of_http2(&error)),
                },
            }
        };
        // Nobody sends any more, so it says GOAWAY.
        let _ = timeout(CLOSING, connection).await;
        result
    }

    async fn call(&self, sender: client::SendRequest<Bytes>) -> Result<Good, Bad> {
        let told = |error: h2::Error| of_http2(&error);
        let mut sender = sender.ready().await.map_err(told)?;
        let request = Request::post(format!(
            "http://{}/grpc.health.v1.Health/Check",
            self.authority
        ))
        .header(CONTENT_TYPE, "application/grpc")
        .header("te", "trailers")
        .body(());
        let request = request.map_err(|error| format!("the call cannot be made: {error}"))?;
        let (response, mut body) = sender.send_request(request, false).map_err(told)?;
        body.send_data(self.message(), true).map_err(told)?;
        let response = response.await.map_err(told)?;
        if response.status() != StatusCode::OK {
            return Err(format!("status {}, not 200", response.status().as_u16()).into());
        }
        answer(response).await
    }

    /// Not compressed, its length, and field 1.
    fn message(&self) -> Bytes {
        let name = self.service.as_bytes();
        let mut field = Vec::new();
        // A name has at most 127 octets, so the length of it takes one.
        if let Some(len) = u8::try_from(name.len()).ok().filter(|&len| len > 0) {
            field = [&[0x0a, len], name].concat();
        }
        let mut message = BytesMut::from(&[0][..]);
        message.extend_from_slice(&(field.len() as u32).to_be_bytes());
        message.extend_from_slice(&field);
        message.freeze()
    }
}

async fn answer(response: Response<RecvStream>) -> Result<Good, Bad> {
    // An answer without a message has but these headers.
    failed(response.headers())?;
    let mut body = response.into_body();
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.map_err(|error| of_http2(&error))?;
        message.extend_from_slice(&data);
        if message.len() > RESPONSE_MAX {
            return Err(format!("the response has more than {RESPONSE_MAX} octets").into());
        }
    }
    let trailers = body.trailers().await.map_err(|error| of_http2(&error))?;
    failed(&trailers.unwrap_or_default())?;
    let message = message.get(5..).ok_or("the answer is no gRPC")?;
    // ServingStatus of health.proto.
    match field(message).ok_or("the response cannot be read")? {
        1 => Ok("SERVING".into()),
        0 => Err("UNKNOWN, not SERVING".into()),
        2 => Err("NOT_SERVING".into()),
        3 => Err("SERVICE_UNKNOWN".into()),
        other => Err(format!("serving status {other}, not 1").into()),
    }
}

/// Looks for a `grpc-status` that is not 0.
fn failed(headers: &HeaderMap) -> Result<(), Bad> {
    let Some(status) = headers.get("grpc-status").filter(|it| *it != "0") else {
        return Ok(());
    };
    // Of the codes in doc/statuscodes.md, those that a health check meets.
    let name = match status.as_bytes() {
        b"5" => " (NOT_FOUND)",
        b"12" => " (UNIMPLEMENTED)",
        b"14" => " (UNAVAILABLE)",
        b"16" => " (UNAUTHENTICATED)",
        _ => "",
    };
    let status = quoted(status.as_bytes());
    let message = headers.get("grpc-message").map(|it| quoted(it.as_bytes()));
    let message = message.filter(|it| !it.is_empty());
    let message = message.map_or(String::new(), |it| format!(": {it}"));
    Err(format!("gRPC status {status}{name}{message}").into())
}

/// Field 1, a varint; 0 if it is not there. Others are passed over.
fn field(mut message: &[u8]) -> Option<u64> {
    let mut value = 0;
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        let number = match tag & 7 {
            0 => Some(varint(&mut message)?),
            1 => message.split_off(..8).map(|_| None)?,
            2 => {
                let len = usize::try_from(varint(&mut message)?).ok()?;
                message.split_off(..len).map(|_| None)?
            }
            5 => message.split_off(..4).map(|_| None)?,
            _ => return None,
        };
        if let Some(number) = number.filter(|_| tag >> 3 == 1) {
            value = number;
        }
    }
    Some(value)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let octet = *message.split_off_first()?;
        value |= u64::from(octet & 0x7f) << shift;
        if octet < 0x80 {
            return Some(value);
        }
    }
    None
}

fn of_http2(error: &h2::Error) -> Bad {
    match error.get_io() {
        Some(error) => told(error),
        None => format!("the answer is no HTTP/2: {error}").into(),
    }
}
