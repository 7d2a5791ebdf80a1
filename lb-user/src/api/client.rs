//! The operator's end of the daemon's socket.

mod follow;
mod sse;

use std::{io, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, Response, body::Incoming, header};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::UnixStream, task::JoinHandle, time::timeout};

pub use self::{follow::follow, sse::Message};
use super::Refusal;

/// Octets of the longest answer: a list of all members that there can be.
const ANSWER_MAX: usize = 256 << 20;
/// The daemon answers within milliseconds; one that is stopped does not at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gets what a path names.
pub fn get<T: DeserializeOwned>(socket: &Path, path: &str) -> Result<T> {
    ask(socket, Method::GET, path, None::<&()>)
}

/// Has the daemon do something.
pub fn post<B: Serialize, T: DeserializeOwned>(socket: &Path, path: &str, body: &B) -> Result<T> {
    ask(socket, Method::POST, path, Some(body))
}

fn ask<B: Serialize, T: DeserializeOwned>(
    socket: &Path,
    method: Method,
    path: &str,
    body: Option<&B>,
) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let body = body
        .map(serde_json::to_vec)
        .transpose()?
        .unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "drover")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let answer = runtime.block_on(async { timeout(PATIENCE, send(socket, request)).await });
    let body = answer.with_context(|| silent(socket))??;
    serde_json::from_slice(&body).context("cannot understand the daemon's answer")
}

async fn send(socket: &Path, request: Request<Full<Bytes>>) -> Result<Bytes> {
    let (response, connection) = open(socket, request).await?;
    let body = read(response).await;
    connection.abort();
    body
}

/// Asks, and returns the answer's head, its body still to come.
async fn open(
    socket: &Path,
    request: Request<Full<Bytes>>,
) -> Result<(Response<Incoming>, JoinHandle<hyper::Result<()>>)> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|error| unreachable(socket, &error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let response = sender
        .send_request(request)
        .await
        .context("the daemon hung up")?;
    Ok((response, connection))
}

/// Reads a whole answer; an error is what the daemon says to a request that it refuses.
async fn read(response: Response<Incoming>) -> Result<Bytes> {
    let is_success = response.status().is_success();
    let body = Limited::new(response.into_body(), ANSWER_MAX);
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => bail!("the daemon's answer broke off: {error}"),
    };
    if is_success {
        return Ok(body);
    }
    let refusal: Refusal =
        serde_json::from_slice(&body).context("the daemon gave no reason for its refusal")?;
    bail!("{}", refusal.error)
}

fn silent(socket: &Path) -> String {
    format!(
        "the daemon behind {} did not answer within {} s",
        socket.display(),
        PATIENCE.as_secs()
    )
}

fn unreachable(socket: &Path, error: &io::Error) -> anyhow::Error {
    let socket = socket.display();
    let kind = error.kind();
    if matches!(
        kind,
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    ) {
        anyhow::anyhow!(
            "no daemon answers on {socket}; start it with `systemctl start drover-director`, or name its socket with --socket"
        )
    } else if kind == io::ErrorKind::PermissionDenied {
        anyhow::anyhow!("not permitted to use {socket}; be root, or in the group drover to read")
    } else {
        anyhow::anyhow!("cannot use {socket}: {error}")
    }
}
