//! `drover top`.

mod batch;
mod colours;
mod draw;
mod keys;
mod model;
mod rows;
mod sample;
mod screen;
mod text;
mod units;

use std::{
    io::{IsTerminal as _, stdin, stdout},
    time::Duration,
};

use anyhow::{Result, ensure};
use clap::Args;

use self::{model::Model, sample::Sample};
use super::{Places, stats::seconds};

#[derive(Args, Debug)]
pub(super) struct Top {
    /// Seconds from one look at the daemon to the next, from 0.5 to 60
    #[arg(long, short, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    delay: Duration,
    /// Print tables instead of a screen, for files and pipes
    #[arg(long, short)]
    batch: bool,
    /// So many tables, and not until somebody ends it
    #[arg(short, value_name = "N", requires = "batch")]
    n: Option<u64>,
}

impl Top {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        ensure!(
            self.batch || (stdin().is_terminal() && stdout().is_terminal()),
            "`drover top` needs a terminal; for a file or a pipe, give -b, as in `drover top -b -n 1`"
        );
        let model = Model::new(Sample::take(&places.socket)?, self.delay);
        match self.batch {
            true => batch::run(model, &places.socket, self.n),
            false => screen::run(model, places.socket.clone()),
        }
    }
}
