//! `/metrics`, in the format that is asked for.

use axum::{
    extract::State,
    http::{
        HeaderMap,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use tokio::sync::mpsc;

use super::{
    Ask,
    kept::{Kept, aside},
    refuse, told,
};
use crate::metrics::{Format, written};

/// Where metrics come from, and those of this second in each format.
#[derive(Clone, Debug)]
pub(super) struct Scrapes {
    engine: mpsc::Sender<Ask>,
    kept: [Kept; 2],
}

impl Scrapes {
    pub(super) fn new(engine: mpsc::Sender<Ask>) -> Self {
        let kept = Default::default();
        Self { engine, kept }
    }
}

pub(super) async fn metrics(State(scrapes): State<Scrapes>, headers: HeaderMap) -> Response {
    let format = format(&headers);
    let made = async {
        let snapshot = told(&scrapes.engine, |reply| Ask::Metrics { reply }).await?;
        aside("metrics", move || Ok(written(snapshot, format)?)).await
    };
    match scrapes.kept[format as usize].get(made).await {
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
