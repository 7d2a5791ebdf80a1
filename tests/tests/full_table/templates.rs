//! Where the clients of a persistent service were last sent, and until when they come back.

use std::collections::HashMap;

use lb_common::tables::Timeouts;

/// One client's.
#[derive(Clone, Copy, Debug)]
struct Template {
    home: u8,
    /// The second it lasts to.
    end: u32,
    /// Its client is known to be there: more than a first packet was seen.
    lasting: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Templates(HashMap<u8, Template>);

impl Templates {
    pub(crate) fn home(&self, client: u8, now: u32) -> Option<u8> {
        let template = self.0.get(&client)?;
        (now <= template.end).then_some(template.home)
    }

    /// Notes where a client went with a packet that was its flow's first, or was not (`lasting`).
    pub(super) fn note(&mut self, client: u8, home: u8, (lasting, seconds): (bool, u32), now: u32) {
        let last = self.0.get(&client);
        let lasting = lasting || last.is_some_and(|last| last.lasting && last.home == home);
        let [embryonic, ..] = Timeouts::IPVS;
        let end = now + if lasting { seconds } else { embryonic };
        let template = Template { home, end, lasting };
        self.0.insert(client, template);
    }

    pub(super) fn sweep(&mut self, now: u32, members: &[u8]) {
        let is_left = |it: &Template| now <= it.end && members.contains(&it.home);
        self.0.retain(|_, template| is_left(template));
    }

    /// The members that clients come back to, once for each.
    pub(super) fn lasting(&self) -> impl Iterator<Item = u8> {
        let lasting = self.0.values().filter(|it| it.lasting);
        lasting.map(|it| it.home)
    }
}
