//! The daemon's end of its socket. Everything asked goes through one door to the engine.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown},
    path::Path,
};

use anyhow::{Context as _, Result, ensure};
use axum::{
    Json, Router,
    extract::{
        ConnectInfo, DefaultBodyLimit, FromRequestParts, Query, State,
        connect_info::Connected,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{StatusCode, request::Parts},
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
    routing::{get, post},
    serve::IncomingStream,
};
use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::{
    net::{UnixListener, unix::UCred},
    sync::{mpsc, oneshot},
};

use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};

use super::{
    Change, Refusal, ServiceReport, Status, Timeouts,
    diff::{Apply, Diff, Text},
    events::Events,
    flows,
};

/// Octets of the largest request.
const REQUEST_MAX: usize = 1 << 20;
/// Octets of the largest one with a file in it: as JSON, text may be twice as long.
const FILE_REQUEST_MAX: usize = 33 << 20;
/// Requests that wait for the engine at the most; more are kept waiting for a place.
pub const WAITING_MAX: usize = 64;

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
    Reload {
        reply: Reply<()>,
    },
}

pub type Reply<T> = oneshot::Sender<Result<T>>;

/// Opens the socket: in place of one that nobody listens on, for root and the group `drover`.
pub fn listen(path: &Path) -> Result<UnixListener> {
    let what = || format!("cannot listen on {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(what)?;
    }
    if let Ok(there) = fs::symlink_metadata(path) {
        ensure!(
            there.file_type().is_socket(),
            "{} is not a socket; name another path with --socket",
            path.display()
        );
        ensure!(
            std::os::unix::net::UnixStream::connect(path).is_err(),
            "another daemon answers on {}; name another path with --socket",
            path.display()
        );
        fs::remove_file(path).with_context(what)?;
    }
    let listener = UnixListener::bind(path).with_context(what)?;
    let group = group_id("drover");
    if group.is_some() {
        chown(path, None, group).with_context(what)?;
    }
    let mode = if group.is_some() { 0o660 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).with_context(what)?;
    Ok(listener)
}

/// Finds a group's number in /etc/group.
fn group_id(name: &str) -> Option<u32> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    let mut lines = groups.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        (fields.next() == Some(name))
            .then(|| fields.nth(1)?.parse().ok())
            .flatten()
    })
}

pub async fn serve(
    listener: UnixListener,
    engine: mpsc::Sender<Ask>,
    events: Events,
) -> io::Result<()> {
    let router = Router::new()
        .route("/v1/services", get(services))
        .route("/v1/status", get(status))
        .route("/v1/flows", get(flows))
        .route("/v1/timeouts", get(timeouts))
        .route("/v1/events", get(async move || self::events(&events)))
        .route("/v1/config", get(config))
        .route("/v1/diff", post(diff).layer(with_file()))
        .route("/v1/apply", post(apply).layer(with_file()))
        .route("/v1/undo", post(undo))
        .route("/v1/confirm", post(confirm))
        .route("/v1/changes", post(changes))
        .route("/v1/reload", post(reload))
        .method_not_allowed_fallback(async || {
            let why = "wrong method for this path: what changes is asked by POST, the rest by GET";
            refuse(StatusCode::METHOD_NOT_ALLOWED, why)
        })
        .fallback(async || refuse(StatusCode::NOT_FOUND, "there is no such path"))
        .layer(DefaultBodyLimit::max(REQUEST_MAX))
        .with_state(engine);
    axum::serve(
        listener,
        router.into_make_service_with_connect_info::<Peer>(),
    )
    .await
}

fn with_file() -> DefaultBodyLimit {
    DefaultBodyLimit::max(FILE_REQUEST_MAX)
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
struct Peer(Option<UCred>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok())
    }
}

/// Whoever may change things; nobody else gets to a handler that asks for one.
struct Root;

impl<S: Send + Sync> FromRequestParts<S> for Root {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let peer = ConnectInfo::<Peer>::from_request_parts(parts, state).await;
        let peer = peer.ok().and_then(|ConnectInfo(Peer(peer))| peer);
        match peer.is_some_and(|peer| peer.uid() == 0) {
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

/// As they happen, until the client has enough (WHATWG HTML, section 9.2).
fn events(events: &Events) -> Response {
    let told = BroadcastStream::new(events.listen()).map(|event| match event {
        Ok(event) => sse::Event::default().json_data(event),
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

async fn reload(State(engine): State<mpsc::Sender<Ask>>, _: Root) -> Response {
    answer(&engine, |reply| Ask::Reload { reply }).await
}

async fn answer<T: serde::Serialize>(
    engine: &mpsc::Sender<Ask>,
    ask: impl FnOnce(Reply<T>) -> Ask,
) -> Response {
    let (reply, answer) = oneshot::channel();
    let asked = engine.send(ask(reply)).await.is_ok();
    match answer.await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(error)) => refuse(StatusCode::UNPROCESSABLE_ENTITY, &format!("{error:#}")),
        Err(_) if asked => refuse(StatusCode::SERVICE_UNAVAILABLE, "the daemon is stopping"),
        Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "the daemon has stopped"),
    }
}

fn refuse(status: StatusCode, error: &str) -> Response {
    let error = error.to_owned();
    (status, Json(Refusal { error })).into_response()
}
