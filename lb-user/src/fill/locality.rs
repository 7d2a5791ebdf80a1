//! lblc and lblcr: a destination keeps its real server, or its set of them, until that is
//! overloaded (`ip_vs_lblc.c`, `ip_vs_lblcr.c`).
//!
//! IPVS keeps a server or a set for each destination address. A service here has one.

use super::{least, live::Server};

/// Seconds without a change after which a set gives up its most loaded: `DEFAULT_EXPIRATION`.
const EXPIRATION: u32 = 24 * 60 * 60;

#[derive(Debug, Default)]
pub(super) struct Locality {
    /// Member, and the turn it came in at; in that order. Of lblc only the last counts.
    set: Vec<(u32, u64)>,
    /// As the set was found at the beginning of a batch, and when it was first found so.
    found: Vec<(u32, u64)>,
    changed: u32,
}

impl Locality {
    /// Begins a batch: forgets who came in at turns that no flow has taken, and who takes no more.
    pub(super) fn begin(&mut self, servers: &[Server], grows: bool, cursor: u64, now: u32) {
        let is_there = |member| servers.iter().any(|it| it.member == member);
        self.set
            .retain(|&(member, since)| since < cursor && is_there(member));
        if !grows {
            self.set.drain(..self.set.len().saturating_sub(1));
        }
        if self.set != self.found {
            self.changed = now;
        }
        if self.set.len() > 1 && now.wrapping_sub(self.changed) > EXPIRATION {
            let members: Vec<_> = self.members(servers).collect();
            let most = least::by(&members, |it| (it.weight, it.overhead()));
            if let Some(most) = most.map(|i| members[i].member) {
                self.set.retain(|&(member, _)| member != most);
                self.changed = now;
            }
        }
        self.found.clone_from(&self.set);
    }

    /// Chooses from the set, or from all if its least loaded is overloaded; `grows` is lblcr.
    pub(super) fn choose(&mut self, servers: &[Server], grows: bool, turn: u64) -> Option<usize> {
        let members: Vec<_> = match self.set.last() {
            Some(&(last, _)) if !grows => servers
                .iter()
                .filter(|it| it.member == last)
                .cloned()
                .collect(),
            _ => self.members(servers).collect(),
        };
        let kept = least::wlc(&members)
            .map(|i| &members[i])
            .filter(|it| !is_overloaded(it, servers))
            .and_then(|kept| servers.iter().position(|it| it.member == kept.member));
        if kept.is_some() {
            return kept;
        }
        let chosen = least::wlc(servers)?;
        let member = servers[chosen].member;
        // Whom lblc had before is kept behind it: this turn may not come.
        if !grows || self.set.iter().all(|&(other, _)| other != member) {
            self.set.push((member, turn));
        }
        Some(chosen)
    }

    fn members(&self, servers: &[Server]) -> impl Iterator<Item = Server> {
        let is_in = |it: &&Server| self.set.iter().any(|&(member, _)| member == it.member);
        servers.iter().filter(is_in).cloned()
    }
}

/// `is_overloaded`: it has more than its weight, and another has less than half of its own.
fn is_overloaded(server: &Server, servers: &[Server]) -> bool {
    server.active > server.weight && servers.iter().any(|it| it.active * 2 < it.weight)
}
