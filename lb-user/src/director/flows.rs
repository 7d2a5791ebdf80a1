//! Flows with their addresses, as `ipvsadm -lnc` has them.

use std::net::IpAddr;

use anyhow::{Context as _, Result, ensure};
use lb_common::{hash::Flow, tables::Record};

use super::engine::Engine;
use crate::{
    address,
    api::flows::{Clients, FlowReport, FlowState, LIMIT, LIMIT_MAX, Query, Report},
    config::director::no_service,
    dataplane::director::Tables,
    service::{ServiceName, Transport},
};

/// Lists the flows that are asked for, in the order of the table, which is none.
pub(super) fn list(engine: &Engine, query: &Query) -> Result<Report> {
    let tables = &engine.kernel.tables;
    ensure!(
        tables.lists_flows(),
        "flows cannot be listed: the tables were made with `flow_listing = false`, without \
         addresses; take that out of the file, and reload"
    );
    let limit = query.limit.unwrap_or(LIMIT);
    ensure!(
        (1..=LIMIT_MAX).contains(&limit),
        "the limit is from 1 to {LIMIT_MAX} flows"
    );
    let now = engine.kernel.now()?;
    let wanted = Wanted::of(engine, query)?;
    let timeouts = &tables.settings().timeouts;
    let mut report = Report::default();
    for (i, set) in tables.flows.iter().enumerate() {
        for (way, (key, word)) in set.fingerprints.iter().zip(&set.records).enumerate() {
            let fingerprint = key.load();
            let record = Record::unpack(word.load());
            if fingerprint == 0 || record.has_expired(now, timeouts) {
                continue;
            }
            let Some(real) = wanted.real(tables, record) else {
                continue;
            };
            let expires = record.expires(now, timeouts);
            let flow = tables.flow((i, way), fingerprint, record);
            let Some(flow) = flow.and_then(|flow| addresses(flow, real, expires)) else {
                report.unknown += 1;
                continue;
            };
            if !wanted.has_client(flow.client.ip()) {
                continue;
            }
            if report.flows.len() < limit {
                report.flows.push(flow);
            } else {
                report.more += 1;
            }
        }
    }
    Ok(report)
}

/// What of a record tells whether it is asked for.
struct Wanted<'q> {
    query: &'q Query,
    /// The id that its members go by, if one is asked for.
    service: Option<u16>,
}

impl<'q> Wanted<'q> {
    fn of(engine: &Engine, query: &'q Query) -> Result<Self> {
        let id = |name: ServiceName| {
            let service = engine.config.service(name);
            let id = service.and_then(|it| engine.installed.owner(it.listen));
            id.with_context(|| no_service(name, engine.config.holder(name)))
        };
        Ok(Self {
            query,
            service: query.service.map(id).transpose()?,
        })
    }

    /// Returns the RIP and the state of a flow that may be asked for.
    fn real(&self, tables: &Tables, record: Record) -> Option<(IpAddr, FlowState)> {
        let state = FlowState::of(record.state)?;
        let member = tables.members.get(record.member as usize)?;
        let service = tables.services.get(usize::from(member.service()))?;
        let rip = address::ip(member.rip, service.destination.version())?;
        let is_wanted = self.service.is_none_or(|id| id == member.service())
            && self.query.real.is_none_or(|real| real == rip)
            && self.query.state.is_none_or(|it| it == state);
        is_wanted.then_some((rip, state))
    }

    fn has_client(&self, client: IpAddr) -> bool {
        let clients = self.query.client;
        clients.is_none_or(|Clients(clients)| clients.contains(&client))
    }
}

fn addresses(flow: Flow, (rip, state): (IpAddr, FlowState), expires: u32) -> Option<FlowReport> {
    let (kind, ports) = (flow.kind(), flow.kind().ports());
    let port = u16::from_be_bytes(ports.destination);
    let client = address::ip(flow.client, kind.version())?;
    Some(FlowReport {
        protocol: Transport::of(kind.protocol())?,
        client: (client, u16::from_be_bytes(ports.source)).into(),
        vip: (address::ip(flow.vip, kind.version())?, port).into(),
        real: (rip, port).into(),
        state,
        expires,
    })
}
