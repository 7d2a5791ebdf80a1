//! Which real servers are checked, by which way, and what is made of what is found.

use std::collections::HashSet;

use anyhow::Result;
use lb_common::tables::Member;
use tokio::sync::mpsc;

use super::{conditions::Key, engine::Engine};
use crate::{
    api::CheckReport,
    config::director::Service,
    health::{
        path::{Path, Probed},
        runner::{Finding, Runner, Target},
    },
};

/// Of one that has come in, until the first check of it has ended.
const UNCHECKED: &str = "not checked yet";
/// Of one that an earlier daemon has found to be down, and has not told why.
const FOUND_DOWN: &str = "its check had failed when the daemon started";

/// Checks, and their way to the real servers. There while some service has one.
#[derive(Debug)]
pub(super) struct Health {
    runner: Runner,
    path: Path,
}

impl Engine {
    /// Sees who is to be checked that was not: nobody knows of one that is new, until it is.
    pub(super) fn see_unchecked(&mut self) {
        let services = &self.config.services;
        let checked = services.iter().filter(|service| service.check.is_some());
        let checked: HashSet<_> = checked.map(|service| service.listen).collect();
        self.conditions.keep_checked(&checked);
        for service in services.iter().filter(|service| service.check.is_some()) {
            for real in &service.reals {
                let key = (service.listen, real.address);
                if self.conditions.why_down(key).is_some() {
                    continue;
                }
                let id = self.installed.member(service.listen, real.address);
                let member = id.map(|id| &self.kernel.tables.members[id as usize]);
                match member.filter(|member| !member.is(Member::REMOVED)) {
                    None => drop(self.conditions.find(key, Some(UNCHECKED.to_owned()))),
                    Some(member) if self.was_down(service, key, member) => {
                        let told = self.conditions.told.get(&key);
                        let why = told.and_then(|told| told.reason.clone());
                        let why = why.unwrap_or_else(|| FOUND_DOWN.to_owned());
                        self.conditions.find(key, Some(why));
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// Whether a member that is there has been found to be down, perhaps by an earlier daemon.
    fn was_down(&self, service: &Service, key: Key, member: &Member) -> bool {
        let told = self.conditions.told.get(&key);
        let is_inhibited = service.availability.inhibits
            && told.is_some_and(|told| told.state == crate::api::State::Down);
        member.is(Member::EXPELLED) || is_inhibited
    }

    /// Has the real servers of services with a check checked, and no others.
    pub(super) async fn check_all(&mut self) -> Result<()> {
        let checked = |service: &&Service| service.check.is_some();
        if self.health.is_none() && !self.config.services.iter().any(|it| checked(&it)) {
            return Ok(());
        }
        let mut probed = Vec::new();
        for service in self.config.services.iter().filter(checked) {
            let reals = service.reals.iter().filter_map(|real| {
                Some(Probed {
                    vip: service.listen.vip,
                    real: real.address,
                    interface: self.neighbours.neighbour_interface(real.address)?,
                })
            });
            probed.extend(reals);
        }
        let health = match &mut self.health {
            Some(health) => health,
            none => none.insert(Health {
                runner: Runner::start(self.findings.clone())?,
                path: Path::open(&self.netlink, &self.pins).await?,
            }),
        };
        let ways = health.path.set(&self.netlink, &probed).await?;
        let mut targets = Vec::new();
        for service in self.config.services.iter().filter(checked) {
            let Some(check) = &service.check else {
                continue;
            };
            let vip = service.listen.vip;
            targets.extend(service.reals.iter().filter_map(|real| {
                let why = self.conditions.fails_check((service.listen, real.address));
                Some(Target {
                    service: service.listen,
                    real: real.address,
                    vip,
                    probe: *ways.get(&(vip, real.address))?,
                    port: check.port,
                    check: check.clone(),
                    before: match why {
                        Some(UNCHECKED) => None,
                        why => Some(why.is_none()),
                    },
                })
            }));
        }
        health.runner.set(targets);
        Ok(())
    }

    /// Takes up what checks have found.
    pub(super) fn found(&mut self, findings: Vec<Finding>) {
        let mut others = HashSet::new();
        for finding in findings {
            let Finding {
                service,
                real,
                is_up,
                why,
            } = finding;
            let config = self.config.service(service);
            let is_known = config.is_some_and(|it| it.reals.iter().any(|it| it.address == real));
            let key = (service, real);
            if !is_known {
                continue;
            }
            if self.conditions.find(key, (!is_up).then_some(why)) {
                others.insert(service);
            }
            if is_up {
                others.extend(self.try_again(key));
            }
        }
        if let Err(error) = self.bring(|service| others.contains(&service.listen)) {
            tracing::error!("{error:#}");
        }
        self.tell();
    }

    /// Returns what the last check of a real server has seen.
    pub(super) fn last_check(&self, service: &Service, key: Key) -> Option<CheckReport> {
        let check = service.check.as_ref()?;
        let latest = self.health.as_ref()?.runner.latest(key.0, key.1)?;
        let needed = match latest.is_good {
            true => check.rise,
            false => check.fall,
        };
        Some(CheckReport {
            is_good: latest.is_good,
            words: latest.words.into_owned(),
            milliseconds: latest.took.as_millis() as u64,
            seconds_ago: latest.at.elapsed().as_secs(),
            in_a_row: latest.in_a_row,
            needed,
        })
    }

    /// Ends the checks, and takes their way away.
    pub(super) async fn stop_checks(&mut self) {
        if let Some(Health { runner, path }) = self.health.take() {
            drop(runner);
            if let Err(error) = path.close(&self.netlink).await {
                tracing::warn!("{error:#}");
            }
        }
    }
}

/// Findings that wait for the engine; the runner keeps the rest.
pub(super) const FINDINGS_MAX: usize = 1024;

/// What comes from the checks.
pub(super) fn findings() -> (mpsc::Sender<Finding>, mpsc::Receiver<Finding>) {
    mpsc::channel(FINDINGS_MAX)
}
