//! An answer that takes work: made when it is asked for, once a second at most.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use bytes::Bytes;
use tokio::{sync::Mutex, task::spawn_blocking, time::sleep};

/// How long an answer is given to others, too.
const KEPT: Duration = Duration::from_secs(1);

/// Why there is no answer.
pub(super) type Refused = (StatusCode, String);

#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<Mutex<Option<Bytes>>>);

impl Kept {
    /// Whoever asks while it is made waits, and gets the same.
    pub(super) async fn get(
        &self,
        made: impl Future<Output = Result<Bytes, Refused>>,
    ) -> Result<Bytes, Refused> {
        let mut kept = self.0.lock().await;
        if let Some(answer) = &*kept {
            return Ok(answer.clone());
        }
        let answer = made.await?;
        *kept = Some(answer.clone());
        let place = self.0.clone();
        tokio::spawn(async move {
            sleep(KEPT).await;
            place.lock().await.take();
        });
        Ok(answer)
    }
}

/// Writes what may be megabytes: the engine, which is on this thread, does not wait for them.
pub(super) async fn aside<B: Into<Bytes>>(
    name: &str,
    write: impl FnOnce() -> anyhow::Result<B> + Send + 'static,
) -> Result<Bytes, Refused> {
    let written = spawn_blocking(move || write().map(Into::into)).await;
    let failed = |why| (StatusCode::INTERNAL_SERVER_ERROR, format!("{name}: {why}"));
    let written = written.map_err(|error| failed(error.to_string()))?;
    written.map_err(|error| failed(format!("{error:#}")))
}
