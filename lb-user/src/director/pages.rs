//! Pages by TCP, where the file says. A daemon whose pages cannot be served does all the rest, and tries again.

use super::engine::Engine;

impl Engine {
    /// Serves pages where the configuration in force says, if they are not; tells once why they cannot be.
    pub(super) async fn serve_pages(&mut self) {
        let served = self.pages.serve_at(self.config.http).await;
        let why = served.err().map(|error| format!("{error:#}"));
        if let Some(why) = why.as_ref().filter(|_| why != self.no_pages) {
            tracing::error!("{why}");
        }
        self.no_pages = why;
    }
}
