//! A command line of ipvsadm: what it asks, or the first thing that is wrong with it.

use std::net::IpAddr;

use super::{
    address::{self, number},
    command::Command,
    failure::Failure,
    options::{Key, Opt},
    popt::Words,
    said::{self, Mask, Said, Target},
};
use crate::config::director::{SECONDS_MAX, WEIGHT_MAX};

/// Persistence without a value, as in `IPVS_SVC_PERSISTENT_TIMEOUT`; the manual says 300.
const PERSISTENCE: u32 = 360;
/// Of thresholds: `INT_MAX`.
const THRESHOLD_MAX: u32 = i32::MAX as u32;

pub(super) enum Asked {
    Help,
    Version,
    Command(Box<Said>),
}

/// Reads the words behind the program's name.
pub(super) fn parse(program: &str, words: Vec<String>) -> Result<Asked, Failure> {
    let mut words = Words::new(words);
    let command = match words.read() {
        Ok(Some((Key::Command(command), value))) => {
            check_daemon(command, value.as_deref())?;
            command
        }
        Ok(Some((Key::Help, _))) => return Ok(Asked::Help),
        Ok(Some((Key::Version, _))) => return Ok(Asked::Version),
        _ => return Err(Failure::try_help(program)),
    };
    let mut reading = Reading {
        said: Said::new(command),
        flags: None,
    };
    while let Some((key, value)) = words.read().map_err(Failure::refused)? {
        reading.take(key, value, &words)?;
    }
    let Reading { mut said, flags } = reading;
    let mut others = words.others.into_iter();
    if command == Command::Set {
        said.timeouts = timeouts(&mut others)?;
    }
    if let Some(other) = others.next() {
        return Err(Failure::usage(format!("unexpected argument {other}")));
    }
    if let Some(flags) = flags.filter(|it| !it.is_empty()) {
        said.flags = said::flags(&flags, said.scheduler())?;
    }
    said.check()?;
    Ok(Asked::Command(Box::new(said)))
}

fn check_daemon(command: Command, value: Option<&str>) -> Result<(), Failure> {
    let what = match (command, value) {
        (Command::StartDaemon | Command::StopDaemon, Some("master" | "backup")) => return Ok(()),
        (Command::StartDaemon, _) => "illegal start-daemon parameter specified",
        (Command::StopDaemon, _) => "illegal start_daemon specified",
        _ => return Ok(()),
    };
    Err(Failure::usage(what))
}

fn timeouts(words: &mut impl Iterator<Item = String>) -> Result<[u32; 3], Failure> {
    let mut words = || words.next();
    let (Some(tcp), Some(tcpfin), Some(udp)) = (words(), words(), words()) else {
        let what = "--set option requires 3 timeout values";
        return Err(Failure::usage(what));
    };
    Ok([seconds(&tcp, 0)?, seconds(&tcpfin, 0)?, seconds(&udp, 0)?])
}

fn seconds(text: &str, least: u32) -> Result<u32, Failure> {
    let seconds = number(text, least, SECONDS_MAX);
    seconds.ok_or_else(|| Failure::usage(format!("invalid timeout value `{text}' specified")))
}

struct Reading {
    said: Said,
    /// They are of the scheduler that is said, maybe behind them.
    flags: Option<String>,
}

impl Reading {
    fn take(&mut self, key: Key, value: Option<String>, words: &Words) -> Result<(), Failure> {
        let text = value.as_deref().unwrap_or_default();
        match key {
            Key::Service(protocol) => {
                self.note(Opt::Service)?;
                let (vip, port) = address::parse(text, Some(protocol)).ok_or_else(|| {
                    Failure::usage("illegal virtual server address[:port] specified")
                })?;
                let port = port.unwrap_or(0);
                self.said.target = Some(Target::At {
                    protocol,
                    vip,
                    port,
                });
            }
            Key::Mark => {
                self.note(Opt::Service)?;
                let mark = number(text, 1, u32::MAX).ok_or_else(|| {
                    Failure::usage(format!("invalid fwmark value `{text}' specified"))
                })?;
                self.said.target = Some(Target::Mark {
                    mark,
                    is_ipv6: false,
                });
            }
            Key::Ipv6 => match &mut self.said.target {
                Some(Target::Mark { is_ipv6, .. }) => *is_ipv6 = true,
                _ => return Err(Failure::usage("-6 used before -f\n")),
            },
            Key::Forward(forward) => {
                self.note(Opt::Forward)?;
                self.said.forward = forward;
            }
            Key::Of(opt) => {
                self.note(opt)?;
                self.take_value(opt, value)?;
            }
            Key::Sort => {}
            Key::Command(_) | Key::Help | Key::Version => {
                let what = format!("invalid option `{}'", words.last());
                return Err(Failure::usage(what));
            }
        }
        Ok(())
    }

    fn take_value(&mut self, opt: Opt, value: Option<String>) -> Result<(), Failure> {
        let bounded = |text: &str, most, what| {
            number(text, 0, most).ok_or_else(|| Failure::usage(format!("illegal {what} specified")))
        };
        let said = &mut self.said;
        match (opt, value.as_deref()) {
            (Opt::Persistent, None) => said.persistence = Some(PERSISTENCE),
            (Opt::Persistent, Some(text)) => said.persistence = Some(seconds(text, 1)?),
            (Opt::Netmask, Some(text)) => said.mask = Some(mask(text, said.target)?),
            (Opt::Server, Some(text)) => said.real = Some(real(text, said.target)?),
            (Opt::Weight, Some(text)) => said.weight = bounded(text, WEIGHT_MAX, "weight")?,
            (Opt::Uthreshold, Some(text)) => {
                said.thresholds.upper = bounded(text, THRESHOLD_MAX, "u_threshold")?;
            }
            (Opt::Lthreshold, Some(text)) => {
                said.thresholds.lower = bounded(text, THRESHOLD_MAX, "l_threshold")?;
            }
            (Opt::Scheduler, _) => said.scheduler = value,
            (Opt::SchedFlags, _) => self.flags = value,
            // That they are there says all: they are about what is listed, or is refused.
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, opt: Opt) -> Result<(), Failure> {
        if self.said.has(opt) {
            let name = opt.name();
            return Err(Failure::usage(format!(
                "multiple '{name}' options specified"
            )));
        }
        self.said.options.push(opt);
        Ok(())
    }
}

fn real(text: &str, target: Option<Target>) -> Result<IpAddr, Failure> {
    let real = address::parse(text, target.map(Target::protocol));
    // Direct routing leaves the port as it is, as ipvsadm's -g does, whatever is said.
    let real = real.map(|(address, _)| address);
    real.ok_or_else(|| Failure::usage("illegal real server address[:port] specified"))
}

/// Reads a mask: of IPv6 a prefix length, if that is known by then.
fn mask(text: &str, target: Option<Target>) -> Result<Mask, Failure> {
    if target.is_some_and(Target::is_ipv6) {
        let prefix = number(text, 1, 128);
        let prefix = prefix.ok_or_else(|| Failure::usage("illegal ipv6 netmask specified"))?;
        return Ok(Mask::Prefix(prefix as u8));
    }
    let mask = address::host_v4(text);
    let mask =
        mask.ok_or_else(|| Failure::usage("illegal virtual server persistent mask specified"))?;
    Ok(Mask::Dotted(mask))
}
