//! Health checks against real servers: what is good, what is bad, and in which words.

mod around;
mod certificates;
mod kinds;
mod runner;
mod servers;
mod traces;

use std::{net::Ipv4Addr, path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use lb_user::{config::director::Config, health::check::Check};
use tests::{Host, Lab};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 3, 0, 2);

fn lab() -> Result<Lab> {
    Lab::new(&[("server", ADDRESS)])
}

/// What a file says of the check of a service.
fn check(service: &str, lines: &str) -> Result<Arc<Check>> {
    let text = format!(
        "[director]\ninterfaces = [\"eth0\"]\n[[service]]\nlisten = \"{service}\"\n[service.check]\n{lines}\n"
    );
    let mut config = Config::parse(Path::new("f"), &text)?;
    config.services.remove(0).check.context("no check")
}

/// Runs what awaits, with sockets of a host.
fn on<T: Send>(host: &Host, work: impl Future<Output = T> + Send) -> Result<T> {
    host.enter(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(runtime.block_on(work))
    })?
}
