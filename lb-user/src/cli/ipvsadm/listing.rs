//! `-L`: tables in ipvsadm's columns, which programs read. Its lines end with blanks where its do.

use std::fmt::Write as _;

use super::{
    counters::Counters,
    names::Names,
    options::Opt,
    policy::policy,
    said::{Said, Target},
    view::View,
};
use crate::{
    api::{RealReport, State},
    service::ServiceName,
};

/// What columns there are: the first of these that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    Stats,
    Rate,
    Thresholds,
    Persistent,
    Tunnel,
    Connections,
}

pub(super) struct Listing<'l> {
    pub(super) columns: Columns,
    pub(super) names: &'l mut Names,
    pub(super) is_exact: bool,
    /// What has been counted, or is in a second, of a real server.
    pub(super) counted: &'l dyn Fn(ServiceName, &RealReport) -> Counters,
}

impl Columns {
    pub(super) fn of(said: &Said) -> Self {
        let all = [
            (Opt::Stats, Self::Stats),
            (Opt::Rate, Self::Rate),
            (Opt::Thresholds, Self::Thresholds),
            (Opt::PersistentConn, Self::Persistent),
            (Opt::TunInfo, Self::Tunnel),
        ];
        let found = all.into_iter().find(|&(opt, _)| said.has(opt));
        found.map_or(Self::Connections, |(_, columns)| columns)
    }

    fn has_counters(self) -> bool {
        matches!(self, Self::Stats | Self::Rate)
    }

    pub(super) fn title(self) -> String {
        let wide = |titles: &str| format!("{:<33} {titles}", "Prot LocalAddress:Port");
        let local = match self {
            Self::Stats => wide("   Conns   InPkts  OutPkts  InBytes OutBytes"),
            Self::Rate => wide("     CPS    InPPS   OutPPS    InBPS   OutBPS"),
            Self::Thresholds => wide("Uthreshold Lthreshold ActiveConn InActConn "),
            Self::Persistent => wide("Weight    PersistConn ActiveConn InActConn "),
            Self::Tunnel | Self::Connections => "Prot LocalAddress:Port Scheduler Flags".to_owned(),
        };
        let remote = match self {
            Self::Tunnel => "           Forward TunnelInfo    Weight ActiveConn InActConn",
            Self::Connections => "           Forward Weight ActiveConn InActConn",
            Self::Stats | Self::Rate | Self::Thresholds | Self::Persistent => "",
        };
        format!("{local}\n  -> RemoteAddress:Port{remote}\n")
    }
}

impl Listing<'_> {
    /// Writes a service and its real servers.
    pub(super) fn write(&mut self, text: &mut String, view: &View<'_>) {
        let name = self.name(view);
        // Writing to a string does not fail.
        let _ = match self.columns.has_counters() {
            true => {
                let service = view.report.service;
                let reals = view.report.reals.iter();
                let all = reals.map(|real| (self.counted)(service, real)).sum();
                writeln!(text, "{name:<33}{}", self.counters(all, true))
            }
            false => writeln!(text, "{name} {}", policy(view.report)),
        };
        for real in &view.reals {
            let mut at = view.real(self.names, real.address);
            if real.address.is_ipv4() {
                cut(&mut at, 28);
            }
            let row = self.row(view.report.service, real);
            let _ = writeln!(text, "  -> {at:<28}{row}");
        }
    }

    fn name(&mut self, view: &View<'_>) -> String {
        let name = view.name(self.names, ("FWM  ", " IPv6"));
        if let Some(Target::Mark { .. }) = view.target {
            return name;
        }
        let service = view.report.service;
        let protocol = service.protocol.number().to_string().to_uppercase();
        let mut name = format!("{protocol:<4} {name}");
        if service.vip.is_ipv4() {
            cut(&mut name, 33);
        }
        name
    }

    fn row(&self, service: ServiceName, real: &RealReport) -> String {
        // Hashed TCP connections have no records, so there is nothing to count.
        let [active, inactive] = [real.active, real.inactive].map(|it| it.unwrap_or(0));
        let weight = weight(real);
        let connections = format!("{active:<10} {inactive:<10}");
        match self.columns {
            Columns::Stats => self.counters((self.counted)(service, real), true),
            Columns::Rate => self.counters((self.counted)(service, real), false),
            Columns::Thresholds => {
                let (upper, lower) = (real.upper_threshold, real.lower_threshold);
                format!(" {upper:<10} {lower:<10} {connections}")
            }
            Columns::Persistent => {
                format!(" {weight:<9} {:<11} {connections}", real.persistent)
            }
            Columns::Tunnel => format!(" {:<7} {:<13} {weight:<6} {connections}", "Route", "n/a"),
            Columns::Connections => format!(" {:<7} {weight:<6} {connections}", "Route"),
        }
    }

    /// Writes what was counted of packets to the real servers; theirs to the clients are not seen. Of a
    /// real server's rates, only octets are written in larger units.
    fn counters(&self, counted: Counters, is_scaled: bool) -> String {
        let Counters {
            connections,
            packets,
            octets,
        } = counted;
        let scaled = |number| largenum(number, self.is_exact);
        let counts = match is_scaled {
            true => [connections, packets, 0].map(scaled),
            false => [connections, packets, 0].map(|number| format!(" {number:>8}")),
        };
        [counts.concat(), scaled(octets), scaled(0)].concat()
    }
}

/// What a real server takes: nothing while it is down, as where keepalived inhibits it.
fn weight(real: &RealReport) -> u32 {
    match real.state == State::Down {
        true => 0,
        false => real.weight,
    }
}

/// `print_largenum` of ipvsadm.
fn largenum(number: u64, is_exact: bool) -> String {
    if is_exact {
        return format!(" {number:>8}");
    }
    let units = [
        (100_000_000, 1, ' '),
        (1_000_000_000, 1000, 'K'),
        (100_000_000_000, 1_000_000, 'M'),
        (100_000_000_000_000, 1_000_000_000, 'G'),
    ];
    let mut units = units.into_iter();
    match units.find(|&(below, ..)| number < below) {
        Some((_, 1, _)) => format!("{number:>9}"),
        Some((_, unit, name)) => format!("{:>8}{name}", number / unit),
        None => format!("{:>8}T", number / 1_000_000_000_000),
    }
}

fn cut(text: &mut String, columns: usize) {
    if let Some((end, _)) = text.char_indices().nth(columns) {
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As ipvsadm 1.31's print_largenum prints them.
    #[test]
    fn large_numbers_are_in_larger_units() {
        for (number, scaled, exact) in [
            (0, "        0", "        0"),
            (99_999_999, " 99999999", " 99999999"),
            (100_000_000, "  100000K", " 100000000"),
            (999_999_999, "  999999K", " 999999999"),
            (1_000_000_000, "    1000M", " 1000000000"),
            (100_000_000_000, "     100G", " 100000000000"),
            (100_000_000_000_000, "     100T", " 100000000000000"),
        ] {
            assert_eq!(largenum(number, false), scaled);
            assert_eq!(largenum(number, true), exact);
        }
    }
}
