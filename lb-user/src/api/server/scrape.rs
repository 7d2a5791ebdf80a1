//! `/metrics`: made when it is asked for, once a second at most.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use tokio::{
    sync::{Mutex, mpsc},
    task::spawn_blocking,
    time::sleep,
};

use super::{Ask, refuse, told};
use crate::metrics::{Format, written};

/// How long an answer is given to others, too.
const KEPT: Duration = Duration::from_secs(1);

/// Where metrics come from, and those of this second in each format.
#[derive(Clone, Debug)]
pub(super) struct Scrapes {
    engine: mpsc::Sender<Ask>,
    kept: [Arc<Mutex<Option<Bytes>>>; 2],
}

impl Scrapes {
    pub(super) fn new(engine: mpsc::Sender<Ask>) -> Self {
        let kept = Default::default();
        Self { engine, kept }
    }

    /// Whoever asks while they are made waits, and gets the same.
    async fn get(&self, format: Format) -> Result<Bytes, (StatusCode, String)> {
        let place = &self.kept[format as usize];
        let mut kept = place.lock().await;
        if let Some(text) = &*kept {
            return Ok(text.clone());
        }
        let snapshot = told(&self.engine, |reply| Ask::Metrics { reply }).await?;
        // Megabytes: the engine, which is on this thread, does not wait for them.
        let text = spawn_blocking(move || written(snapshot, format)).await;
        let failed = |why| (StatusCode::INTERNAL_SERVER_ERROR, why);
        let text = text.map_err(|error| failed(format!("metrics: {error}")))?;
        let text = text.map_err(|error| failed(format!("metrics: {error}")))?;
        let text = Bytes::from(text);
        *kept = Some(text.clone());
        let place = place.clone();
        tokio::spawn(async move {
            sleep(KEPT).await;
            place.lock().await.take();
        });
        Ok(text)
    }
}

pub(super) async fn metrics(State(scrapes): State<Scrapes>, headers: HeaderMap) -> Response {
    let format = format(&headers);
    match scrapes.get(format).await {
        Ok(text) => ([(CONTENT_TYPE, format.content_type())], text).into_response(),
        Err((status, why)) => refuse(status, &why),
    }
}

/// OpenMetrics for whoever knows it, whatever else they take.
fn format(headers: &HeaderMap) -> Format {
    let accepted = headers.get_all(ACCEPT).iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    match accepted.any(|it| it.contains("application/openmetrics-text")) {
        true => Format::OpenMetrics,
        false => Format::Text,
    }
}
