//! Members' records, and how their service treats flows.

use std::{collections::HashSet, net::IpAddr};

use anyhow::{Context as _, bail};
use lb_common::{
    address::Address,
    tables::{Link, Member, Options, Service},
};

use super::{Installed, InstalledService, Standing, Wanted, WantedMember};
use crate::{address, dataplane::director::Tables, service::ServiceName};

impl Installed {
    /// Ends the flows of a removed member, whose time to drain is over, when its service is next
    /// brought in.
    pub fn expel(&mut self, tables: &Tables, name: ServiceName, rip: IpAddr) {
        let owner = self.owner(name);
        let Some(service) = owner.and_then(|it| self.services.get_mut(&it)) else {
            return;
        };
        if let Some(&id) = service.members.get(&rip) {
            tables.members[id as usize].set(Member::EXPELLED, true);
            service.wanted = None;
        }
    }

    /// Brings the members of a service in. Members that are not wanted any more stay for the flows
    /// they have; `fresh` gets those that were made.
    pub(super) fn bring_members(
        &mut self,
        tables: &Tables,
        owner: u16,
        wanted: &Wanted,
        fresh: &mut Vec<u32>,
    ) -> anyhow::Result<()> {
        let Some(service) = self.services.get_mut(&owner) else {
            bail!("service {} is not installed", wanted.name);
        };
        bring_policy(&tables.services[usize::from(owner)], wanted);
        for member in &wanted.members {
            let id = match service.members.get(&member.address) {
                Some(&id) => id,
                None => {
                    let id = self.free_members.pop().with_context(|| {
                        let most = tables.members.len() - 1;
                        format!(
                            "no room for real server {}: `members_max` is {most}",
                            member.address
                        )
                    })?;
                    let (rip, _) = address::of(member.address);
                    let made = Member::new(rip, owner);
                    tables.members.write(id as usize, made);
                    service.members.insert(member.address, id);
                    fresh.push(id);
                    id
                }
            };
            bring_member(&tables.members[id as usize], member);
        }
        if service.members.len() > wanted.members.len() {
            remove_others(tables, service, wanted);
        }
        Ok(())
    }
}

fn bring_policy(record: &Service, wanted: &Wanted) {
    let policy = &wanted.policy;
    let persistence = policy.persistence;
    record.set_options(Options {
        persistence: persistence.map_or(0, |it| it.seconds),
        drops: policy.drops,
        expire_quiescent: policy.expire_quiescent,
    });
    let prefix = persistence.map_or(0, |it| it.prefix);
    let mask = Address::prefix_mask(prefix.into());
    for (word, mask) in record.mask.iter().zip(mask) {
        word.store(mask);
    }
}

fn bring_member(record: &Member, wanted: &WantedMember) {
    record.set(Member::REMOVED, false);
    record.set(Member::EXPELLED, wanted.standing == Standing::Down);
    let is_quiesced = wanted.weight == 0 || wanted.standing == Standing::Inhibited;
    record.set(Member::QUIESCED, is_quiesced);
    record.set_interface(wanted.interface);
    let vlan = wanted.vlan;
    let link = wanted.mac.map(|mac| Link { mac, vlan });
    // The flows of a member that is not resolved for a moment keep the MAC they had.
    if link.is_some() && link != record.link() {
        record.set_link(link);
    }
}

fn remove_others(tables: &Tables, service: &InstalledService, wanted: &Wanted) {
    let expels = wanted.policy.expire_nodest;
    let wanted: HashSet<_> = wanted.members.iter().map(|it| it.address).collect();
    let others = service
        .members
        .iter()
        .filter(|(rip, _)| !wanted.contains(rip));
    for (_, &id) in others {
        let member = &tables.members[id as usize];
        let was_removed = member.is(Member::REMOVED);
        member.set(Member::REMOVED, true);
        // Those whose time to drain is over stay so.
        if !was_removed || expels {
            member.set(Member::EXPELLED, expels);
        }
    }
}
