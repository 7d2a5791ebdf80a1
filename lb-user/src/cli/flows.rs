//! `drover flows`.

use std::{fmt::Write as _, net::IpAddr};

use anyhow::Result;
use clap::Args;

use super::{Format, Places, output};
use crate::{
    api::{
        client,
        flows::{Clients, FlowReport, FlowState, LIMIT, Query, Report},
    },
    service::ServiceName,
};

#[derive(Args, Debug)]
pub(super) struct Flows {
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
    /// Only this service's, as in tcp/192.0.2.1:80
    #[arg(long, value_name = "SERVICE")]
    service: Option<ServiceName>,
    /// Only those that go to this real server
    #[arg(long, value_name = "RIP")]
    real: Option<IpAddr>,
    /// Only those of this client, or of this network's clients
    #[arg(long, value_name = "ADDRESS[/PREFIX]")]
    client: Option<Clients>,
    /// Only those in this state
    #[arg(long, value_enum, ignore_case = true)]
    state: Option<FlowState>,
    /// So many at the most, up to 1048576; how many more there are is said
    #[arg(long, value_name = "N", default_value_t = LIMIT)]
    limit: usize,
}

impl Flows {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        let query = Query {
            service: self.service,
            real: self.real,
            client: self.client,
            state: self.state,
            limit: Some(self.limit),
        };
        let report: Report = client::get(&places.socket, &query.to_string())?;
        output::print(self.output, &report, table)?;
        let Report { more, unknown, .. } = report;
        if more > 0 {
            eprintln!("{more} more, as --limit is {}", self.limit);
        }
        if unknown > 0 {
            eprintln!("{unknown} more, of which the addresses are not known");
        }
        Ok(())
    }
}

/// The columns of `ipvsadm -lnc`, wider where an address is.
fn table(report: &Report) -> String {
    let mut rows = vec![["source", "virtual", "destination"].map(String::from)];
    let ends = |flow: &FlowReport| [flow.client, flow.vip, flow.real].map(|end| end.to_string());
    rows.extend(report.flows.iter().map(ends));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max();
    let [source, virtual_] = [0, 1].map(|column| width(column).unwrap_or(0).max(18));
    let left = |flow: &FlowReport| {
        let protocol = flow.protocol.number().to_string().to_uppercase();
        let expire = format!("{:02}:{:02}", flow.expires / 60, flow.expires % 60);
        [protocol, expire, flow.state.name().to_owned()]
    };
    let title = ["pro", "expire", "state"].map(String::from);
    let lefts = [title].into_iter().chain(report.flows.iter().map(left));
    let mut text = String::new();
    for ([pro, expire, state], [client, vip, real]) in lefts.zip(&rows) {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{pro:<3} {expire:<6} {state:<11} {client:<source$} {vip:<virtual_$} {real}"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Transport;

    #[test]
    fn columns_are_as_wide_as_the_longest_address() {
        let flow = |protocol, ends: [&str; 3], state, expires| {
            let [client, vip, real] = ends.map(|end| end.parse().unwrap());
            FlowReport {
                protocol,
                client,
                vip,
                real,
                state,
                expires,
            }
        };
        let v4 = ["10.0.0.9:53176", "10.0.0.100:80", "10.0.0.1:80"];
        let v6 = [
            "[2001:db8::9]:53176",
            "[2001:db8::100]:5060",
            "[2001:db8::1]:5060",
        ];
        let mut report = Report::default();
        let tcp = flow(Transport::Tcp, v4, FlowState::FinWait, 119);
        report.flows.push(tcp);
        // As ipvsadm 1.31 prints it.
        let text = "\
pro expire state       source             virtual            destination
TCP 01:59  FIN_WAIT    10.0.0.9:53176     10.0.0.100:80      10.0.0.1:80
";
        assert_eq!(table(&report), text);
        let sctp = flow(Transport::Sctp, v6, FlowState::Established, 6000);
        report.flows.push(sctp);
        let text = "\
pro expire state       source              virtual              destination
TCP 01:59  FIN_WAIT    10.0.0.9:53176      10.0.0.100:80        10.0.0.1:80
SCTP 100:00 ESTABLISHED [2001:db8::9]:53176 [2001:db8::100]:5060 [2001:db8::1]:5060
";
        assert_eq!(table(&report), text);
    }
}
