//! What is asked of the engine, and how its answer gets back to whoever asked.

use anyhow::Result;
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    api::{
        Change, Refusal, ServiceReport, Status, Timeouts,
        diff::{Apply, Diff, Text},
        explain, flows,
    },
    metrics::Snapshot,
    printable::printable,
    service::ServiceName,
};

/// Requests that wait for the engine at the most; more are kept waiting for a place.
pub const WAITING_MAX: usize = 64;
/// Octets of a refusal, after which it breaks off.
const REFUSAL_MAX: usize = 4096;

/// What a client asks of the engine.
#[derive(Debug)]
pub enum Ask {
    List {
        all: bool,
        reply: Reply<Vec<ServiceReport>>,
    },
    Status {
        reply: Reply<Status>,
    },
    Metrics {
        reply: Reply<Snapshot>,
    },
    Flows {
        query: flows::Query,
        reply: Reply<flows::Report>,
    },
    Timeouts {
        reply: Reply<Timeouts>,
    },
    /// The configuration's text that is in force.
    Text {
        reply: Reply<String>,
    },
    Explain {
        question: explain::Question,
        reply: Reply<explain::Answer>,
    },
    Diff {
        text: Option<Text>,
        reply: Reply<Diff>,
    },
    Apply {
        apply: Apply,
        reply: Reply<Diff>,
    },
    Undo {
        reply: Reply<Diff>,
    },
    Confirm {
        reply: Reply<()>,
    },
    Change {
        changes: Vec<Change>,
        reply: Reply<()>,
    },
    /// Has counters begin at zero: a service's, or all.
    Zero {
        service: Option<ServiceName>,
        reply: Reply<()>,
    },
    Reload {
        reply: Reply<()>,
    },
}

pub type Reply<T> = oneshot::Sender<Result<T>>;

pub(super) async fn answer<T: serde::Serialize>(
    engine: &mpsc::Sender<Ask>,
    ask: impl FnOnce(Reply<T>) -> Ask,
) -> Response {
    match told(engine, ask).await {
        Ok(answer) => Json(answer).into_response(),
        Err((status, why)) => refuse(status, &why),
    }
}

/// What the engine answers, or how it refuses.
pub(super) async fn told<T>(
    engine: &mpsc::Sender<Ask>,
    ask: impl FnOnce(Reply<T>) -> Ask,
) -> Result<T, (StatusCode, String)> {
    let (reply, answer) = oneshot::channel();
    let asked = engine.send(ask(reply)).await.is_ok();
    let gone = |why: &str| (StatusCode::SERVICE_UNAVAILABLE, why.to_owned());
    match answer.await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err((StatusCode::UNPROCESSABLE_ENTITY, format!("{error:#}"))),
        Err(_) if asked => Err(gone("the daemon is stopping")),
        Err(_) => Err(gone("the daemon has stopped")),
    }
}

pub(super) fn refuse(status: StatusCode, error: &str) -> Response {
    let mut error = printable(error);
    if error.len() > REFUSAL_MAX {
        error.truncate(error.floor_char_boundary(REFUSAL_MAX));
        error.push('…');
    }
    (status, Json(Refusal { error })).into_response()
}
