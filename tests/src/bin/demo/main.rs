//! The classic experiment of LVS direct routing, replayed with the tools of its time and `drover`.
//!
//! Each step prints what is typed on which host and what is seen. It exits with 0 if all was seen; what is not seen ends
//! it with one line and 1. Whatever ends it, ctrl-C too, nothing is left behind.

mod arp;
mod interrupt;
mod parts;
mod show;
mod site;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use tests::{remove_all, remove_kept};

use self::{show::Show, site::Site};

fn main() -> ExitCode {
    interrupt::end_with_the_reader();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => demo(false),
        ["--keep"] => demo(true),
        ["--clean"] => clean(),
        _ => {
            eprintln!("usage: demo [--keep | --clean]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            Show::new().failed(&why);
            ExitCode::FAILURE
        }
    }
}

fn demo(keep: bool) -> Result<()> {
    let show = Show::new();
    interrupt::on_signal(|signal| {
        // Never given back: the other thread, whose lab vanishes, has no more to say.
        std::mem::forget(std::io::stdout().lock());
        eprintln!("\ninterrupted: removing namespaces, mounts and processes");
        remove_all();
        std::process::exit(128 + signal);
    })?;

    let mut site = Site::new(show)?;
    parts::round_robin(&mut site)?;
    arp::without_companion(&mut site)?;
    arp::with_companion(&mut site)?;
    parts::counts(&site)?;
    parts::restart(&mut site)?;
    if keep {
        leave_up(site)
    } else {
        leave_nothing(site)
    }
}

fn leave_nothing(site: Site) -> Result<()> {
    let show = site.show;
    let trace = site.lab.trace()?;
    drop(site);
    show.part("Nothing is left behind");
    let left = trace.left()?;
    ensure!(left.is_empty(), "something is left: {}", left.join(", "));
    show.found("no namespace, no mount, no process, no file of it is left");
    Ok(())
}

fn leave_up(site: Site) -> Result<()> {
    let show = site.show;
    show.part("The lab is yours");
    for line in site.keep()? {
        show.plain(&line);
    }
    show.plain("");
    show.plain("There, `drover` is the binary with that host's paths. This removes it all:");
    show.plain("cargo xtask demo --clean");
    Ok(())
}

fn clean() -> Result<()> {
    match remove_kept()?.as_slice() {
        [] => println!("no lab was left up"),
        labs => println!("removed {}", labs.join(", ")),
    }
    Ok(())
}
