//! Connections, of whatever kind: so many at once, and none that only waits.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixListener, UnixStream, unix::UCred},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};
use tower_service::Service as _;

/// Connections of root at once, and as many of others: these cannot keep root out.
const CONNECTIONS_MAX: usize = 64;
/// How long a client may take for its headers, the first or those of another request.
const HEADERS: Duration = Duration::from_secs(5);
/// Until another try after the kernel has had none to give.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a host may leave an answer by TCP unread, or be gone.
const UNREAD: Duration = Duration::from_secs(20);

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(Option<UCred>);

impl Peer {
    pub(super) fn is_root(self) -> bool {
        self.0.is_some_and(|peer| peer.uid() == 0)
    }
}

/// Where connections come from.
pub(super) trait Listener: Sync {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Peer)>> + Send;
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, Peer)> {
        let (stream, _) = self.accept().await?;
        let peer = Peer(stream.peer_cred().ok());
        Ok((stream, peer))
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Peer)> {
        let (stream, _) = self.accept().await?;
        socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD))?;
        Ok((stream, Peer(None)))
    }
}

/// Serves whoever connects; dropped, all connections end with it.
pub(super) async fn serve(listener: impl Listener, router: Router) -> Infallible {
    let mut connections = JoinSet::new();
    let places = [CONNECTIONS_MAX; 2].map(|most| Arc::new(Semaphore::new(most)));
    let away = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let (mut stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("no connection could be taken: {error}");
                sleep(AGAIN).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let places = &places[usize::from(peer.is_root())];
        let Ok(place) = places.clone().try_acquire_owned() else {
            if let Ok(place) = away.clone().try_acquire_owned() {
                connections.spawn(async move {
                    // An answer before it is asked is none.
                    let _ = timeout(HEADERS, turn_away(&mut stream)).await;
                    drop(place);
                });
            }
            continue;
        };
        let router = router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.clone().call(request.map(Body::new))
        });
        connections.spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS)
                .serve_connection(TokioIo::new(stream), service);
            // What goes wrong is the client's affair, who has it told.
            let _ = connection.await;
            drop(place);
        });
    }
}

/// Says why to one that there is no place for, once it has asked.
async fn turn_away(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    if stream.read(&mut [0; 4096]).await.is_err() {
        return;
    }
    let body = format!(
        r#"{{"error":"there are {CONNECTIONS_MAX} connections already; try again when some have ended"}}"#
    );
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}
