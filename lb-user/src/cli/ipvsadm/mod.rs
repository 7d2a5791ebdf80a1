//! `drover ipvsadm`, and the binary called by the name `ipvsadm`: ipvsadm(8) for scripts that have it, and for what reads
//! its listings.

mod address;
mod command;
mod connections;
mod counters;
mod daemon;
mod failure;
mod grammar;
mod help;
mod listing;
mod names;
mod options;
mod policy;
mod popt;
mod restore;
mod rules;
mod said;
mod site;
mod view;

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use clap::Args;

use self::{
    command::Command,
    counters::Counters,
    daemon::Daemon,
    failure::Failure,
    grammar::Asked,
    listing::{Columns, Listing},
    names::Names,
    options::Opt,
    said::Said,
    site::Site,
    view::views,
};
use super::{Places, output};
use crate::api::{self, RealReport};

const NAME: &str = "ipvsadm";

#[derive(Args, Debug)]
#[command(disable_help_flag = true, disable_version_flag = true)]
pub(super) struct Ipvsadm {
    /// As ipvsadm(8) has them; -h lists them
    #[arg(
        value_name = "ARGUMENT",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    words: Vec<OsString>,
}

/// The name that this process was called by, if it is ipvsadm's.
pub(super) fn called() -> Option<String> {
    let program = env::args_os().next().map(PathBuf::from)?;
    let is_its = program.file_name().is_some_and(|name| name == NAME);
    is_its.then(|| program.display().to_string())
}

impl Ipvsadm {
    pub(super) fn run(self, places: &Places) -> ExitCode {
        let program = called().unwrap_or_else(|| format!("drover {NAME}"));
        let words = self.words.iter();
        let words = words.map(|word| word.to_string_lossy().into_owned());
        match run(&program, words.collect(), &places.socket) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure { status, line }) => {
                // What is quoted may hold anything.
                let is_odd = |c: char| c.is_control() && c != '\n';
                eprintln!("{}", line.replace(is_odd, "\u{fffd}"));
                ExitCode::from(status)
            }
        }
    }
}

fn run(program: &str, words: Vec<String>, socket: &Path) -> Result<(), Failure> {
    let daemon = Daemon {
        socket: socket.to_owned(),
    };
    if words.is_empty() {
        return list(&daemon, &Said::new(Command::List));
    }
    let said = match grammar::parse(program, words)? {
        Asked::Help => return print(&help::help(program)),
        Asked::Version => return print(&help::version()),
        Asked::Command(said) => said,
    };
    match said.command {
        Command::List => list(&daemon, &said),
        Command::Save => save(&daemon, said.has(Opt::Numeric)),
        Command::Restore => restore::restore(program, &daemon, &mut site(&daemon)?),
        Command::Zero => zero(&daemon, &said),
        Command::StartDaemon | Command::StopDaemon => said.check_possible(),
        Command::AddService | Command::EditService | Command::DeleteService => {
            change(&daemon, &said)
        }
        Command::AddServer | Command::EditServer | Command::DeleteServer => change(&daemon, &said),
        Command::Flush | Command::Set => change(&daemon, &said),
    }
}

fn print(text: &str) -> Result<(), Failure> {
    output::write(text).map_err(|error| Failure::list(format!("{error:#}")))
}

fn site(daemon: &Daemon) -> Result<Site, Failure> {
    Ok(Site::of(&daemon.services()?, daemon.status()?.fwmarks))
}

fn change(daemon: &Daemon, said: &Said) -> Result<(), Failure> {
    let change = site(daemon)?.change(said)?;
    daemon.change(&[change])
}

fn zero(daemon: &Daemon, said: &Said) -> Result<(), Failure> {
    let Some(target) = said.target else {
        return daemon.zero(None);
    };
    let name = site(daemon)?.name(target);
    let name = name.ok_or_else(|| Failure::refused("No such service"))?;
    daemon.zero(Some(name))
}

fn save(daemon: &Daemon, is_numeric: bool) -> Result<(), Failure> {
    let reports = daemon.services()?;
    let views = views(&reports, &daemon.status()?.fwmarks, true);
    let (rules, others) = rules::rules(&views, &mut Names::new(is_numeric));
    print(&rules)?;
    match others.is_empty() {
        true => Ok(()),
        false => Err(Failure::list(format!(
            "not saved, as no rule of ipvsadm says several ports without a mark: {}",
            others.join(", ")
        ))),
    }
}

fn list(daemon: &Daemon, said: &Said) -> Result<(), Failure> {
    let mut names = Names::new(said.has(Opt::Numeric));
    if said.has(Opt::Connection) {
        let report = daemon.flows()?;
        let has_engines = said.has(Opt::PersistentConn);
        print(&connections::connections(&report, &mut names, has_engines))?;
        let unlisted = report.more + report.unknown;
        return match unlisted {
            0 => Ok(()),
            _ => Err(Failure::list(format!("{unlisted} more are not listed"))),
        };
    }
    if said.has(Opt::Timeout) {
        let api::Timeouts { tcp, tcpfin, udp } = daemon.timeouts()?;
        let timeouts = format!("Timeout (tcp tcpfin udp): {tcp} {tcpfin} {udp}\n");
        return print(&timeouts);
    }
    if said.has(Opt::Daemon) {
        // There is none, as where ipvsadm has started none.
        return Ok(());
    }
    list_services(daemon, said, &mut names)
}

fn list_services(daemon: &Daemon, said: &Said, names: &mut Names) -> Result<(), Failure> {
    let columns = Columns::of(said);
    let status = daemon.status()?;
    let start = Instant::now();
    let mut reports = daemon.services()?;
    let mut rates = None;
    if columns == Columns::Rate {
        let (later, found) = counters::rates(daemon, &reports, start)?;
        reports = later;
        rates = Some(found);
    }
    let mut views = views(&reports, &status.fwmarks, !said.has(Opt::Nosort));
    let mut text = String::new();
    if let Some(target) = said.target {
        views.retain(|view| view.target == Some(target));
        if views.is_empty() {
            return Err(Failure::list("No such service"));
        }
    } else {
        // IPVS's are hash buckets, too.
        let size = status.flows.most / lb_common::tables::WAYS as u64;
        text = format!("IP Virtual Server version 1.2.1 (size={size})\n");
    }
    text.push_str(&columns.title());
    let counted = |service, real: &RealReport| match &rates {
        Some(rates) => rates
            .get(&(service, real.address))
            .copied()
            .unwrap_or_default(),
        None => Counters::of(real),
    };
    let mut listing = Listing {
        columns,
        names,
        is_exact: said.has(Opt::Exact),
        counted: &counted,
    };
    for view in &views {
        listing.write(&mut text, view);
    }
    print(&text)
}
