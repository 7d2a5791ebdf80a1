//! What is recorded of a packet's flow, and would be.

use lb_common::{
    packet::Packet,
    tables::{Layout, Pick, Record, Service as Found, State},
};

use super::Told;

impl Told<'_> {
    pub(super) fn flow(&self, packet: &Packet, found: &Found) -> Option<String> {
        if packet.is_later() {
            return Some(self.datagram());
        }
        let hash = packet.flow.hash(found.seed);
        let looked_up = self.run.looked_up.iter();
        let Some(flow) = looked_up.clone().find(|it| it.hash == hash) else {
            let layout = Layout::unpack(found.layout.load());
            let why = match layout.pick {
                _ if self.run.slot.is_none() => return None,
                Pick::Turn => "each packet takes its turn",
                Pick::Flow | Pick::Client | Pick::Destination => "the slot tells by itself",
            };
            return Some(format!("not looked up, as {why}"));
        };
        let mut said = match (flow.before, flow.after) {
            (None, None) => "no record".to_owned(),
            (None, Some(after)) => format!("no record; it would get one: {}", after.state.name()),
            (Some(before), after) => {
                let told = self.record(before);
                match after.filter(|after| self.differs(before, *after)) {
                    Some(after) => format!("{told}; it would be: {}", self.record(after)),
                    None => told,
                }
            }
        };
        let templates = looked_up.filter(|it| it.hash != hash);
        let template = templates.filter_map(|it| it.before).next();
        if let Some(template) = template.filter(|_| flow.before.is_none()) {
            let real = self.name_of(template.member);
            said += &match template.state == State::Template {
                true => format!("; its client was last sent to {real}"),
                false => format!("; what is like it was last sent to {real}"),
            };
        }
        Some(said)
    }

    /// Of a later fragment.
    fn datagram(&self) -> String {
        let mut looked_up = self.run.looked_up.iter();
        let [datagram, client] = [looked_up.next(), looked_up.next()].map(|it| it?.before);
        match (datagram, client) {
            (Some(_), _) => "as the fragment of its datagram before it".to_owned(),
            (None, Some(_)) => {
                "no fragment of its datagram was seen; as its client's last ones".to_owned()
            }
            (None, None) => "no fragment of its client was seen; by its address".to_owned(),
        }
    }

    fn differs(&self, before: Record, after: Record) -> bool {
        (before.member, before.state) != (after.member, after.state)
    }

    fn record(&self, record: Record) -> String {
        let timeouts = &self.tables.settings().timeouts;
        let real = self.name_of(record.member);
        let state = record.state.name();
        let idle = record.idle(self.run.now);
        match record.has_expired(self.run.now, timeouts) {
            true => format!("{state} at {real}, expired"),
            false => format!("{state} at {real}, idle for {idle} s"),
        }
    }
}
