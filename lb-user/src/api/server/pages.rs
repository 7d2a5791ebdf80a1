//! Pages by TCP, for whoever may connect: to be read, and nothing else. There where the file has an address for them.

use std::{convert::Infallible, io::ErrorKind, net::SocketAddr};

use anyhow::{Context as _, Result};
use axum::{Router, http::StatusCode, middleware, routing::get};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

use super::{
    Ask, connections, in_time,
    page::{self, Boards},
    refuse,
    scrape::{self, Scrapes},
};
use crate::api::events::Events;

/// The pages, and where they are served.
#[derive(Debug)]
pub struct Pages {
    router: Router,
    open: Option<(SocketAddr, JoinHandle<Infallible>)>,
}

impl Pages {
    pub fn new(engine: mpsc::Sender<Ask>, events: Events) -> Self {
        Self {
            router: router(engine, events),
            open: None,
        }
    }

    /// Serves them at an address, and no longer at another; on an error, at none.
    pub async fn serve_at(&mut self, address: Option<SocketAddr>) -> Result<()> {
        if self.open.as_ref().map(|it| it.0) == address {
            return Ok(());
        }
        if let Some((before, server)) = self.open.take() {
            server.abort();
            // Its port is free once it has ended.
            let _ = server.await;
            tracing::info!("no pages are served at http://{before}/ any more");
        }
        let Some(address) = address else {
            return Ok(());
        };
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|error| {
            let what_to_do = what_to_do(error.kind(), address);
            anyhow::Error::new(error).context(what_to_do)
        });
        let listener = listener.with_context(|| format!("cannot serve `http` at {address}"))?;
        tracing::info!("pages are served at http://{address}/");
        let server = connections::serve(listener, self.router.clone());
        self.open = Some((address, tokio::spawn(server)));
        Ok(())
    }
}

fn what_to_do(error: ErrorKind, address: SocketAddr) -> String {
    let port = address.port();
    if error == ErrorKind::AddrInUse {
        format!("something else listens on port {port} (`ss -ltnp` tells what); give another")
    } else if error == ErrorKind::AddrNotAvailable {
        format!("{} is no address of this host; give one", address.ip())
    } else if error == ErrorKind::PermissionDenied && port < 1024 {
        "ports below 1024 need CAP_NET_BIND_SERVICE; give another".to_owned()
    } else {
        "give another address".to_owned()
    }
}

fn router(engine: mpsc::Sender<Ask>, events: Events) -> Router {
    let boards = Boards::new(engine.clone(), events);
    let scrapes = Scrapes::new(engine);
    Router::new()
        .route("/", get(page::page))
        .route("/status.json", get(page::board).with_state(boards))
        .route("/metrics", get(scrape::metrics).with_state(scrapes))
        .method_not_allowed_fallback(async || {
            refuse(StatusCode::METHOD_NOT_ALLOWED, "pages are read by GET")
        })
        .fallback(async || refuse(StatusCode::NOT_FOUND, "there is no such page"))
        .layer(middleware::from_fn(in_time))
}
