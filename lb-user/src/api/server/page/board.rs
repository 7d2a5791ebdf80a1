//! `/status.json`: all that the page shows, of one moment.

use std::time::{Instant, SystemTime};

use axum::{extract::State, response::Response};
use serde::Serialize;
use tokio::sync::mpsc;

use super::json;
use crate::api::{
    ServiceReport, Status,
    events::{Event, Events},
    server::{
        Ask,
        kept::{Kept, Refused, aside},
        refuse, told,
    },
};

#[derive(Serialize)]
struct Board {
    /// The director's clock, as in RFC 3339.
    time: String,
    /// Since the daemon began: what rates are reckoned by.
    milliseconds: u128,
    status: Status,
    services: Vec<ServiceReport>,
    /// The last, the oldest first.
    events: Vec<Event>,
}

/// Where they come from, and that of this second.
#[derive(Clone, Debug)]
pub(in crate::api::server) struct Boards {
    engine: mpsc::Sender<Ask>,
    events: Events,
    began: Instant,
    kept: Kept,
}

impl Boards {
    pub(in crate::api::server) fn new(engine: mpsc::Sender<Ask>, events: Events) -> Self {
        Self {
            engine,
            events,
            began: Instant::now(),
            kept: Kept::default(),
        }
    }

    async fn made(&self) -> Result<Board, Refused> {
        let status = told(&self.engine, |reply| Ask::Status { reply }).await?;
        let services = told(&self.engine, |reply| Ask::List { all: true, reply }).await?;
        Ok(Board {
            time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            milliseconds: self.began.elapsed().as_millis(),
            status,
            services,
            events: self.events.remembered(),
        })
    }
}

pub(in crate::api::server) async fn board(State(boards): State<Boards>) -> Response {
    let made = async {
        let board = boards.made().await?;
        aside("status", move || Ok(serde_json::to_vec(&board)?)).await
    };
    match boards.kept.get(made).await {
        Ok(text) => json(text),
        Err((status, why)) => refuse(status, &why),
    }
}
