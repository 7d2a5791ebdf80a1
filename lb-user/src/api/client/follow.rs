//! What the daemon tells as it happens.

use std::{future::ready, path::Path};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use http_body_util::{BodyStream, Full};
use hyper::{Request, header};
use tokio::time::timeout;

use super::{Message, PATIENCE, open, read, silent, sse};

/// Follows the daemon's events from after the one of this id on; `0` is before all that it remembers.
/// The stream ends when the daemon does.
///
/// # Errors
///
/// As `get`, and what the daemon refuses.
pub async fn follow(
    socket: &Path,
    after: &str,
) -> Result<impl Stream<Item = Result<Vec<Message>>> + use<>> {
    let request = Request::builder()
        .uri("/v1/events")
        .header(header::HOST, "drover")
        .header("last-event-id", after)
        .body(Full::new(Bytes::new()))?;
    let opened = timeout(PATIENCE, open(socket, request)).await;
    let (response, _) = opened.with_context(|| silent(socket))??;
    if !response.status().is_success() {
        // What it says is the error.
        read(response).await?;
        bail!("the daemon does not tell its events");
    }
    let mut parsed = sse::Stream::default();
    let frames = BodyStream::new(response.into_body()).map_err(anyhow::Error::from);
    Ok(frames.and_then(move |frame| {
        let messages = match frame.data_ref() {
            Some(octets) => parsed.push(octets),
            None => Ok(Vec::new()),
        };
        ready(messages)
    }))
}
