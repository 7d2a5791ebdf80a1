//! `/v1/explain`, which takes longer than most answers do.

use std::{sync::Arc, time::Instant};

use axum::{
    Extension, Json,
    extract::{State, rejection::JsonRejection},
    response::Response,
};
use tokio::{
    sync::{Mutex, mpsc},
    time::sleep,
};

use super::{
    Ask,
    ask::{answer, refuse},
};
use crate::api::explain::Question;

/// One explanation at a time.
#[derive(Clone, Default)]
pub(super) struct Turn(Arc<Mutex<()>>);

/// Until the next one, the daemon has as long for all else as this took: who may read cannot keep it busy.
pub(super) async fn explain(
    State(engine): State<mpsc::Sender<Ask>>,
    Extension(turn): Extension<Turn>,
    question: Result<Json<Question>, JsonRejection>,
) -> Response {
    let question = match question {
        Ok(Json(question)) => question,
        Err(rejection) => return refuse(rejection.status(), &rejection.body_text()),
    };
    let turn = turn.0.lock_owned().await;
    let start = Instant::now();
    let answer = answer(&engine, |reply| Ask::Explain { question, reply }).await;
    tokio::spawn(async move {
        sleep(start.elapsed()).await;
        drop(turn);
    });
    answer
}
