//! `-S`: the services as commands that make them anew.

use std::fmt::Write as _;

use super::{names::Names, policy, said::Target, view::View};
use crate::{api::RealReport, scheduler::listed, service::Transport};

/// Writes rules, and names the services that no rule can say.
pub(super) fn rules(views: &[View<'_>], names: &mut Names) -> (String, Vec<String>) {
    let mut text = String::new();
    for view in views.iter().filter(|view| view.is_sayable()) {
        let option = match (view.target, view.report.service.protocol) {
            (Some(Target::Mark { .. }), _) => "",
            (_, Transport::Tcp) => "-t ",
            (_, Transport::Udp) => "-u ",
            (_, Transport::Sctp) => "--sctp-service ",
        };
        let service = format!("{option}{}", view.name(names, ("-f ", " -6")));
        // Writing to a string does not fail.
        let _ = writeln!(text, "-A {service}{}", attributes(view));
        for real in view.reals.iter().filter(|real| !real.is_sorry) {
            let at = view.real(names, real.address);
            let weight = real.weight;
            let thresholds = thresholds(real);
            let _ = writeln!(text, "-a {service} -r {at} -g -w {weight}{thresholds}");
        }
    }
    let others = views.iter().filter(|view| !view.is_sayable());
    let others = others.map(|view| view.report.service.to_string());
    (text, others.collect())
}

fn attributes(view: &View<'_>) -> String {
    let report = view.report;
    let mut text = format!(" -s {}", report.scheduler);
    if report.policy.persistence != 0 {
        let _ = write!(text, " -p {}", report.policy.persistence);
        if let Some(mask) = policy::mask(report) {
            let _ = write!(text, " -M {mask}");
        }
    }
    if report.policy.one_packet {
        text.push_str(" -o");
    }
    if !report.flags.is_empty() {
        let _ = write!(text, " -b {}", listed(&report.flags));
    }
    text
}

/// Which ipvsadm forgets.
fn thresholds(real: &RealReport) -> String {
    let mut text = String::new();
    for (option, threshold) in [("-x", real.upper_threshold), ("-y", real.lower_threshold)] {
        if threshold != 0 {
            let _ = write!(text, " {option} {threshold}");
        }
    }
    text
}
