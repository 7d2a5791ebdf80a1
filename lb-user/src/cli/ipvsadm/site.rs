//! The services that there are, by ipvsadm's names for them, and what a command would change.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

use super::{
    command::Command,
    failure::{Failure, INVALID},
    options::Opt,
    said::{Said, Target},
};
use crate::{
    api::{Change, RealChange, ServiceChange, ServiceReport},
    config::fwmarks::Fwmarks,
    scheduler::Scheduler,
    service::{PortRange, ServiceName, not_a_hosts},
};

/// As the changes so far make it.
pub(super) struct Site {
    marks: Fwmarks,
    services: HashMap<Target, Service>,
}

struct Service {
    name: ServiceName,
    reals: BTreeSet<IpAddr>,
}

/// Names a service as ipvsadm does: by its mark, if its destinations are those of one, else by its own name; by none
/// if it is of a range of ports.
pub(super) fn target(listen: &[ServiceName], marks: &Fwmarks) -> Option<Target> {
    let name = listen.first()?;
    let is_ipv6 = name.vip.is_ipv6();
    let all: BTreeSet<_> = listen.iter().copied().collect();
    let mut marks = marks.iter();
    let its = marks.find(|(_, of)| of_version(of, is_ipv6).collect::<BTreeSet<_>>() == all);
    if let Some((&mark, _)) = its {
        return Some(Target::Mark { mark, is_ipv6 });
    }
    let port = match name.ports {
        PortRange::ANY => 0,
        ports if ports.is_one() => ports.first,
        PortRange { .. } => return None,
    };
    Some(Target::At {
        protocol: name.protocol,
        vip: name.vip,
        port,
    })
}

fn of_version(names: &[ServiceName], is_ipv6: bool) -> impl Iterator<Item = ServiceName> {
    let names = names.iter().copied();
    names.filter(move |name| name.vip.is_ipv6() == is_ipv6)
}

impl Site {
    pub(super) fn of(reports: &[ServiceReport], marks: Fwmarks) -> Self {
        let service = |report: &ServiceReport| {
            let reals = report.reals.iter().filter(|real| !real.is_sorry);
            let service = Service {
                name: report.service,
                reals: reals.map(|real| real.address).collect(),
            };
            Some((target(&report.listen, &marks)?, service))
        };
        Self {
            services: reports.iter().filter_map(service).collect(),
            marks,
        }
    }

    /// Returns a service's own name.
    pub(super) fn name(&self, target: Target) -> Option<ServiceName> {
        self.services.get(&target).map(|service| service.name)
    }

    /// Makes a change, or refuses it as the kernel does.
    pub(super) fn change(&mut self, said: &Said) -> Result<Change, Failure> {
        said.check_possible()?;
        let change = match (said.command, said.target, said.real) {
            (Command::Flush, ..) => {
                self.services.clear();
                Change::Clear
            }
            (Command::Set, ..) => {
                let [tcp, tcpfin, udp] = said.timeouts.map(|it| (it != 0).then_some(it));
                Change::SetTimeouts { tcp, tcpfin, udp }
            }
            (Command::AddService, Some(target), _) => self.add(target, said)?,
            (Command::EditService, Some(target), _) => {
                let name = self.find(target)?.name;
                Change::EditService(service_change(name, said)?)
            }
            (Command::DeleteService, Some(target), _) => {
                let service = self.find(target)?.name;
                self.services.remove(&target);
                Change::RemoveService { service }
            }
            (command, Some(target), Some(address)) => {
                self.change_real(command, (target, address), said)?
            }
            _ => return Err(Failure::usage("this changes nothing")),
        };
        Ok(change)
    }

    fn find(&self, target: Target) -> Result<&Service, Failure> {
        let service = self.services.get(&target);
        service.ok_or_else(|| Failure::refused("No such service"))
    }

    fn add(&mut self, target: Target, said: &Said) -> Result<Change, Failure> {
        if self.services.contains_key(&target) {
            return Err(Failure::refused("Service already exists"));
        }
        let names = self.destinations(target)?;
        let mut names = names.into_iter();
        let Some(name) = names.next() else {
            return Err(no_mark(target));
        };
        let mut change = service_change(name, said)?;
        change.also = names.collect();
        let reals = BTreeSet::new();
        self.services.insert(target, Service { name, reals });
        Ok(Change::AddService(change))
    }

    /// What clients of a new service connect to.
    fn destinations(&self, target: Target) -> Result<Vec<ServiceName>, Failure> {
        match target {
            Target::Mark { mark, is_ipv6 } => {
                let of = self.marks.get(&mark).ok_or_else(|| no_mark(target))?;
                Ok(of_version(of, is_ipv6).collect())
            }
            Target::At {
                protocol,
                vip,
                port,
            } => {
                let ports = match port {
                    0 => PortRange::ANY,
                    first => PortRange { first, last: first },
                };
                Ok(vec![ServiceName {
                    protocol,
                    vip,
                    ports,
                }])
            }
        }
    }

    fn change_real(
        &mut self,
        command: Command,
        (target, address): (Target, IpAddr),
        said: &Said,
    ) -> Result<Change, Failure> {
        let service = self.services.get_mut(&target);
        let service = service.ok_or_else(|| Failure::refused("Service not defined"))?;
        let is_there = service.reals.contains(&address);
        if command == Command::DeleteServer {
            if !service.reals.remove(&address) {
                return Err(Failure::refused("No such destination"));
            }
            return Ok(Change::RemoveReal {
                service: service.name,
                address,
            });
        }
        let is_new = command == Command::AddServer;
        let thresholds = said.thresholds;
        let refusal = match (is_new, is_there) {
            // ERANGE, which has no words of its own.
            _ if thresholds.lower > thresholds.upper => "Numerical result out of range",
            (true, true) => "Destination already exists",
            (false, false) => "No such destination",
            _ if not_a_hosts(address).is_some() => INVALID,
            _ => "",
        };
        if !refusal.is_empty() {
            return Err(Failure::refused(refusal));
        }
        service.reals.insert(address);
        let change = RealChange {
            weight: Some(said.weight),
            upper_threshold: Some(thresholds.upper),
            lower_threshold: Some(thresholds.lower),
            ..RealChange::new(service.name, address)
        };
        Ok(match is_new {
            true => Change::AddReal(change),
            false => Change::EditReal(change),
        })
    }
}

fn no_mark(target: Target) -> Failure {
    let what = match target {
        Target::Mark { mark, is_ipv6 } => {
            let version = if is_ipv6 { "IPv6" } else { "IPv4" };
            format!(
                "nothing of {version} has mark {mark}: packets are marked by [director.fwmarks] of director.toml, not by \
                 netfilter; say there `{mark} = [\"tcp/VIP:80\", \"tcp/VIP:443\"]`, and `drover reload`"
            )
        }
        Target::At { .. } => INVALID.to_owned(),
    };
    Failure::refused(what)
}

/// All that ipvsadm says of a service takes the place of what was.
fn service_change(name: ServiceName, said: &Said) -> Result<ServiceChange, Failure> {
    let scheduler: Result<Scheduler, String> = said.scheduler().parse();
    let scheduler = scheduler
        .map_err(|_unknown| Failure::refused("Scheduler or persistence engine not found"))?;
    let longest = if name.vip.is_ipv6() { 128 } else { 32 };
    let prefix = said.prefix()?.unwrap_or(longest);
    Ok(ServiceChange {
        scheduler: Some(scheduler),
        flags: said.flags.clone(),
        persistence: Some(said.persistence.unwrap_or(0)),
        persistence_prefix: said.persistence.is_some().then_some(prefix),
        one_packet: Some(said.has(Opt::Ops)),
        ..ServiceChange::new(name)
    })
}
