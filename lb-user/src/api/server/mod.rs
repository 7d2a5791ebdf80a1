//! The daemon's end of its socket. Everything asked goes through one door to the engine.

mod ask;
mod connections;
mod explain;
mod kept;
mod page;
mod pages;
mod scrape;
mod socket;

use std::{convert::Infallible, time::Duration};

use anyhow::Result;
use axum::{
    Extension, Json, Router,
    extract::{
        DefaultBodyLimit, FromRequestParts, Query, Request, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, request::Parts},
    middleware::{self, Next},
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
    routing::{get, post},
};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use tokio::{net::UnixListener, sync::mpsc, time::timeout};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};

pub use self::{
    ask::{Ask, Reply, WAITING_MAX},
    pages::Pages,
    socket::listen,
};
use self::{
    ask::{answer, refuse, told},
    connections::Peer,
    explain::{Turn, explain},
};
use super::{
    Change,
    diff::{Apply, Text},
    events::Events,
    flows, openapi,
};
use crate::service::ServiceName;

/// Octets of the largest request.
const REQUEST_MAX: usize = 1 << 20;
/// Octets of the largest one with a file in it, or what makes one: as JSON, text may be twice as long.
const FILE_REQUEST_MAX: usize = 33 << 20;
/// How long a request may take from its last header to its answer.
const PATIENCE: Duration = Duration::from_secs(20);
pub async fn serve(
    listener: UnixListener,
    engine: mpsc::Sender<Ask>,
    events: Events,
) -> Infallible {
    connections::serve(listener, router(engine, events)).await
}

fn router(engine: mpsc::Sender<Ask>, events: Events) -> Router {
    let last = events.clone();
    Router::new()
        .route("/v1/services", get(services))
        .route("/v1/status", get(status))
        .route("/v1/flows", get(flows))
        .route("/v1/timeouts", get(timeouts))
        .route("/v1/openapi.json", get(async || Json(openapi::document())))
        .route("/v1/config", get(config))
        .route("/v1/explain", post(explain).layer(with_file()))
        .route(
            "/v1/events/last",
            get(async move || Json(last.remembered())),
        )
        .route("/v1/diff", post(diff).layer(with_file()))
        .route("/v1/apply", post(apply).layer(with_file()))
        .route("/v1/undo", post(undo))
        .route("/v1/confirm", post(confirm))
        .route("/v1/changes", post(changes).layer(with_file()))
        .route("/v1/zero", post(zero))
        .route("/v1/reload", post(reload))
        .method_not_allowed_fallback(async || {
            let why = "wrong method for this path: what changes is asked by POST, the rest by GET";
            refuse(StatusCode::METHOD_NOT_ALLOWED, why)
        })
        .fallback(async || refuse(StatusCode::NOT_FOUND, "there is no such path"))
        .layer(DefaultBodyLimit::max(REQUEST_MAX))
        .layer(Extension(Turn::default()))
        .layer(middleware::from_fn(in_time))
        .route(
            "/v1/events",
            get(async move |headers: HeaderMap| self::events(events, &headers)),
        )
        .with_state(engine)
}

/// Answers within a time, whether the client says all that it has announced or not.
async fn in_time(request: Request, next: Next) -> Response {
    match timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => refuse(
            StatusCode::REQUEST_TIMEOUT,
            &format!("not asked and answered within {} s", PATIENCE.as_secs()),
        ),
    }
}

fn with_file() -> DefaultBodyLimit {
    DefaultBodyLimit::max(FILE_REQUEST_MAX)
}

/// Whoever may change things; nobody else gets to a handler that asks for one.
struct Root;

impl<S: Send + Sync> FromRequestParts<S> for Root {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let peer = Extension::<Peer>::from_request_parts(parts, state).await;
        match peer.is_ok_and(|Extension(peer)| peer.is_root()) {
            true => Ok(Self),
            false => Err(refuse(
                StatusCode::FORBIDDEN,
                "only root may change anything",
            )),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    #[serde(default)]
    all: bool,
}

async fn services(
    State(engine): State<mpsc::Sender<Ask>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Response {
    let all = match query {
        Ok(Query(ListQuery { all })) => all,
        Err(rejection) => return refuse(rejection.status(), &rejection.body_text()),
    };
    answer(&engine, |reply| Ask::List { all, reply }).await
}

async fn status(State(engine): State<mpsc::Sender<Ask>>) -> Response {
    answer(&engine, |reply| Ask::Status { reply }).await
}

async fn flows(
    State(engine): State<mpsc::Sender<Ask>>,
    query: Result<Query<flows::Query>, QueryRejection>,
) -> Response {
    match query {
        Ok(Query(query)) => answer(&engine, |reply| Ask::Flows { query, reply }).await,
        Err(rejection) => refuse(rejection.status(), &rejection.body_text()),
    }
}

async fn timeouts(State(engine): State<mpsc::Sender<Ask>>) -> Response {
    answer(&engine, |reply| Ask::Timeouts { reply }).await
}

/// As they happen, until the client has enough, and first what it has missed since the event that it
/// names (WHATWG HTML, section 9.2).
fn events(events: Events, headers: &HeaderMap) -> Response {
    let after = headers.get("last-event-id");
    let (missed, told) = events.listen(after.and_then(|id| id.to_str().ok()));
    let missed = stream::iter(missed.into_iter().map(Ok));
    let told = missed.chain(BroadcastStream::new(told));
    let told = told.map(move |told| match told {
        Ok(told) => sse::Event::default()
            .id(events.id(&told))
            .json_data(&told.event),
        Err(BroadcastStreamRecvError::Lagged(lost)) => {
            Ok(sse::Event::default().comment(format!("{lost} events were lost to this listener")))
        }
    });
    Sse::new(told)
        .keep_alive(KeepAlive::default())
        .into_response()
}

async fn config(State(engine): State<mpsc::Sender<Ask>>) -> Response {
    answer(&engine, |reply| Ask::Text { reply }).await
}

async fn diff(
    State(engine): State<mpsc::Sender<Ask>>,
    text: Result<Json<Option<Text>>, JsonRejection>,
) -> Response {
    match text {
        Ok(Json(text)) => answer(&engine, |reply| Ask::Diff { text, reply }).await,
        Err(rejection) => refuse(rejection.status(), &rejection.body_text()),
    }
}

async fn apply(
    State(engine): State<mpsc::Sender<Ask>>,
    _: Root,
    apply: Result<Json<Apply>, JsonRejection>,
) -> Response {
    match apply {
        Ok(Json(apply)) => answer(&engine, |reply| Ask::Apply { apply, reply }).await,
        Err(rejection) => refuse(rejection.status(), &rejection.body_text()),
    }
}

async fn undo(State(engine): State<mpsc::Sender<Ask>>, _: Root) -> Response {
    answer(&engine, |reply| Ask::Undo { reply }).await
}

async fn confirm(State(engine): State<mpsc::Sender<Ask>>, _: Root) -> Response {
    answer(&engine, |reply| Ask::Confirm { reply }).await
}

async fn changes(
    State(engine): State<mpsc::Sender<Ask>>,
    _: Root,
    changes: Result<Json<Vec<Change>>, JsonRejection>,
) -> Response {
    match changes {
        Ok(Json(changes)) => answer(&engine, |reply| Ask::Change { changes, reply }).await,
        Err(rejection) => refuse(rejection.status(), &rejection.body_text()),
    }
}

async fn zero(
    State(engine): State<mpsc::Sender<Ask>>,
    _: Root,
    service: Result<Json<Option<ServiceName>>, JsonRejection>,
) -> Response {
    match service {
        Ok(Json(service)) => answer(&engine, |reply| Ask::Zero { service, reply }).await,
        Err(rejection) => refuse(rejection.status(), &rejection.body_text()),
    }
}

async fn reload(State(engine): State<mpsc::Sender<Ask>>, _: Root) -> Response {
    answer(&engine, |reply| Ask::Reload { reply }).await
}
