//! What is wanted, brought into the kernel: the program on its interfaces, services, VIPs.

use std::{collections::HashSet, net::Ipv4Addr};

use anyhow::{Result, ensure};
use lb_common::tables::Interface as InterfaceRecord;

use super::{engine::Engine, neighbours::Interface, vips};
use crate::{
    config::director::{NoMember, Service, VipMode},
    dataplane::director::Director,
    install::{Wanted, WantedMember},
};

impl Engine {
    pub(super) async fn bring_all(&mut self) -> Result<()> {
        self.neighbours.watch(&self.config);
        // While the services' records still say which VIPs are ours.
        self.withdraw_vips().await?;
        self.bring()?;
        self.own_vips().await
    }

    pub(super) fn attach(&mut self) -> Result<()> {
        for interface in self.neighbours.interfaces() {
            let element = InterfaceRecord::element(interface.index) as usize;
            let record = &self.kernel.tables.interfaces[element];
            let taken = record.index() != 0 && record.index() != interface.index;
            let is_ours = self
                .neighbours
                .interfaces()
                .any(|other| other.index == record.index());
            ensure!(
                !(taken && is_ours),
                "interfaces {} and {} have the same index modulo 256; make one of them anew",
                record.index(),
                interface.index
            );
            let record = InterfaceRecord::new(interface.index, interface.mac);
            self.kernel.tables.interfaces.write(element, record);
        }
        for name in &self.config.interfaces {
            self.kernel.attach(name, self.config.xdp)?;
        }
        for name in Director::attached(&self.pins)? {
            if !self.config.interfaces.contains(&name) {
                Director::detach(&self.pins, &name)?;
            }
        }
        Ok(())
    }

    /// Brings the services to what is wanted of them.
    pub(super) fn bring(&mut self) -> Result<()> {
        if self.installed.is_to_be_swept() {
            self.sweep()?;
        }
        let now = self.kernel.now()?;
        let names: HashSet<_> = self.config.services.iter().map(|it| it.listen).collect();
        let gone: Vec<_> = self
            .installed
            .services()
            .filter(|name| !names.contains(name))
            .collect();
        let mut fresh = Vec::new();
        for service in &self.config.services {
            let wanted = self.wanted(service);
            let tables = &self.kernel.tables;
            self.installed.bring(tables, &wanted, now, &mut fresh)?;
        }
        for name in gone {
            self.installed.remove(&self.kernel.tables, name, now);
        }
        for member in fresh {
            self.kernel.reset_counters(member)?;
        }
        Ok(())
    }

    fn wanted(&self, service: &Service) -> Wanted {
        let member = |real: &crate::config::director::Real| WantedMember {
            address: real.address,
            weight: real.weight,
            interface: self.neighbours.interface_of(real.address),
            mac: self.neighbours.mac(real.address),
        };
        Wanted {
            name: service.listen,
            scheduler: service.scheduler,
            flags: service.flags.clone(),
            drops: service.no_member == NoMember::Drop,
            members: service.reals.iter().map(member).collect(),
        }
    }

    pub(super) async fn interfaces_changed(&mut self) -> Result<()> {
        let interfaces = Interface::find_all(&self.netlink, &self.config).await?;
        if self.neighbours.interfaces().eq(&interfaces) {
            return Ok(());
        }
        self.neighbours.set_interfaces(interfaces);
        self.attach()?;
        self.bring_all().await
    }

    async fn own_vips(&self) -> Result<()> {
        let ids = self.installed.services().filter_map(|name| {
            let id = self.installed.service(name)?;
            Some((name, id))
        });
        let (tables, neighbours) = (&self.kernel.tables, &self.neighbours);
        vips::own(
            &self.netlink,
            neighbours,
            tables,
            &ids.collect(),
            &self.vips(),
        )
        .await
    }

    async fn withdraw_vips(&self) -> Result<()> {
        vips::withdraw(&self.netlink, &self.kernel.tables.services, &self.vips()).await
    }

    /// The VIPs that the daemon is to have put on the director.
    fn vips(&self) -> HashSet<Ipv4Addr> {
        match self.config.vip {
            VipMode::Own => self
                .config
                .services
                .iter()
                .map(|it| it.listen.vip)
                .collect(),
            VipMode::External => HashSet::new(),
        }
    }
}
