//! `drover flows`.

use std::net::IpAddr;

use anyhow::Result;
use clap::Args;

use super::{
    Format, Places, output,
    page::{Column, Line, Page, Table},
};
use crate::{
    api::flows::{Clients, FlowReport, FlowState, LIMIT, Query, Report},
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
        let report: Report = places.get(&query.to_string(), "listing flows")?;
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

const COLUMNS: [Column; 6] = [
    Column::text("pro", 3),
    Column::text("expire", 6),
    Column::text("state", 11),
    Column::text("source", 18).fitting(),
    Column::text("virtual", 18).fitting(),
    Column::text("destination", 0),
];

/// The columns of `ipvsadm -lnc`, wider where an address is.
fn table(report: &Report, page: &mut Page) {
    let flows = report.flows.iter();
    let lines: Vec<Line> = flows.map(|flow| Line::Row(row(flow))).collect();
    page.table(&Table {
        columns: &COLUMNS,
        lines: &lines,
        gap: 1,
        indent: 4,
    });
}

fn row(flow: &FlowReport) -> Vec<String> {
    vec![
        flow.protocol.number().to_string().to_uppercase(),
        format!("{:02}:{:02}", flow.expires / 60, flow.expires % 60),
        flow.state.name().to_owned(),
        flow.client.to_string(),
        flow.vip.to_string(),
        flow.real.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Transport;

    fn shown(report: &Report, width: Option<usize>) -> String {
        let mut page = Page::new(width);
        table(report, &mut page);
        page.text()
    }

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
        assert_eq!(shown(&report, None), text);
        let sctp = flow(Transport::Sctp, v6, FlowState::Established, 6000);
        report.flows.push(sctp);
        let text = "\
pro expire state       source              virtual              destination
TCP 01:59  FIN_WAIT    10.0.0.9:53176      10.0.0.100:80        10.0.0.1:80
SCTP 100:00 ESTABLISHED [2001:db8::9]:53176 [2001:db8::100]:5060 [2001:db8::1]:5060
";
        assert_eq!(shown(&report, None), text);
    }
}
