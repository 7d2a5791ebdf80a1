//! What systemd is told (sd_notify(3)); if somebody else has started the daemon, nobody hears.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::engine::Engine;
use crate::{api::State, config::director::Service};

/// Without a watchdog the loop is woken for nothing, rarely.
const NONE: Duration = Duration::from_secs(3600);

pub(super) fn ready() {
    notify(&[NotifyState::Ready]);
}

pub(super) fn reloading() {
    let mut states = vec![NotifyState::Reloading];
    states.extend(NotifyState::monotonic_usec_now().ok());
    notify(&states);
}

pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// That the loop goes round.
pub(super) fn alive() {
    notify(&[NotifyState::Watchdog]);
}

/// Returns the pace of that: twice in the time after which the daemon is taken to be stuck.
pub(super) fn pace() -> Interval {
    let within = sd_notify::watchdog_enabled();
    let mut pace = interval(within.map_or(NONE, |within| within / 2));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

impl Engine {
    /// Tells what `systemctl status` shows, if it is different.
    pub(super) fn tell_systemd(&mut self) {
        let services = &self.config.services;
        let is_active = |service: &Service, real| {
            let told = self.conditions.told.get(&(service.listen, real));
            told.is_some_and(|told| matches!(told.state, State::Active | State::Warming))
        };
        let reals = services.iter().flat_map(|service| {
            service
                .reals
                .iter()
                .map(move |real| (service, real.address))
        });
        let active = reals
            .clone()
            .filter(|&(service, real)| is_active(service, real));
        let (active, all) = (active.count(), reals.count());
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let status = format!(
            "{} service{}, {active} of {all} real server{} active",
            services.len(),
            plural(services.len()),
            plural(all),
        );
        if status != self.status {
            notify(&[NotifyState::Status(&status)]);
            self.status = status;
        }
    }
}

fn notify(states: &[NotifyState<'_>]) {
    // Whoever started us may not want to know.
    let _ = sd_notify::notify(states);
}
