//! Whom IPVS would choose for one connection: the loops of `ip_vs_{lc,wlc,sed,nq,ovf,twos}.c`.
//!
//! All of the servers have a weight and a MAC; of equals the first in the list is chosen.

use super::{live::Server, maglev::spread};

/// The least load for its weight: loads and weights are compared crosswise, as IPVS does.
pub(super) fn by(servers: &[Server], load: impl Fn(&Server) -> (u64, u64)) -> Option<usize> {
    let mut least: Option<(usize, (u64, u64))> = None;
    for (i, server) in servers.iter().enumerate() {
        let new = load(server);
        if least.is_none_or(|(_, old)| old.0 * new.1 > new.0 * old.1) {
            least = Some((i, new));
        }
    }
    least.map(|(i, _)| i)
}

/// `ip_vs_wlc_schedule`: overhead / weight.
pub(super) fn wlc(servers: &[Server]) -> Option<usize> {
    by(servers, |it| (it.overhead(), it.weight))
}

/// `ip_vs_sed_schedule`: (active + 1) / weight.
pub(super) fn sed(servers: &[Server]) -> Option<usize> {
    by(servers, |it| (it.active + 1, it.weight))
}

/// `ip_vs_nq_schedule`: the first that is idle, else as sed.
pub(super) fn nq(servers: &[Server]) -> Option<usize> {
    let idle = servers.iter().position(|it| it.active == 0);
    idle.or_else(|| sed(servers))
}

/// `ip_vs_ovf_schedule`: the highest weight that has no more active connections than its weight.
pub(super) fn ovf(servers: &[Server]) -> Option<usize> {
    let has_room = |(_, it): &(usize, &Server)| it.active <= it.weight;
    let with_room = servers.iter().enumerate().filter(has_room);
    // Of equals `max_by_key` takes the last.
    let highest = with_room.rev().max_by_key(|(_, it)| it.weight);
    highest.map(|(i, _)| i)
}

/// `ip_vs_twos_schedule`: of two at random by weight the one with less overhead / weight. The
/// random numbers are the turn's, so that a table can be made again; IPVS's, from 0 to the sum of
/// the weights inclusive, favour the first in the list by one.
pub(super) fn twos(servers: &[Server], turn: u64) -> Option<usize> {
    let sum: u64 = servers.iter().map(|it| it.weight).sum();
    let at_random = |word: u64| {
        let mut left = spread(word).checked_rem(sum)?;
        servers.iter().position(|it| match left < it.weight {
            true => true,
            false => {
                left -= it.weight;
                false
            }
        })
    };
    let (one, two) = (at_random(2 * turn)?, at_random(2 * turn + 1)?);
    let (first, second) = (&servers[one], &servers[two]);
    let less = first.overhead() * second.weight > second.overhead() * first.weight;
    Some(if less { two } else { one })
}
