//! `-L -c`: connections that have records.

use std::{fmt::Write as _, net::SocketAddr};

use super::names::Names;
use crate::api::flows::Report;

pub(super) fn connections(report: &Report, names: &mut Names, has_engines: bool) -> String {
    let mut text = "IPVS connection entries\n".to_owned();
    text.push_str(match has_engines {
        true => {
            "pro expire state       source             virtual            destination        pe name          pe_data\n"
        }
        false => "pro expire state       source             virtual            destination\n",
    });
    for flow in &report.flows {
        let protocol = flow.protocol.number().to_string().to_uppercase();
        let expire = format!("{:02}:{:02}", flow.expires / 60, flow.expires % 60);
        let state = flow.state.name();
        let mut at = |end: SocketAddr| names.at(end.ip(), end.port(), flow.protocol);
        let [client, vip, real] = [flow.client, flow.vip, flow.real].map(&mut at);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{protocol:<3} {expire:<6} {state:<11} {client:<18} {vip:<18} {real}"
        );
    }
    text
}
