//! What a packet is for.

use lb_common::{
    packet::Packet,
    tables::{Layout, Service as Found},
};

use super::Told;
use crate::{address, config::director::Service, service::ServiceName};

impl Told<'_> {
    pub(super) fn service(&self, found: &Found, name: Option<ServiceName>) -> String {
        let name = name.map_or_else(String::new, |name| name.to_string());
        let Some(service) = self.service else {
            return format!("{name}, which is being removed");
        };
        let of = match service.listen.to_string() {
            listen if listen == name => String::new(),
            listen => format!(" of service {listen}"),
        };
        let reals = match service.reals.len() {
            1 => "1 real server".to_owned(),
            reals => format!("{reals} real servers"),
        };
        let layout = Layout::unpack(found.layout.load());
        let how = match layout.tracked {
            _ if layout.slots == 0 => "none of them eligible",
            true => "tracked",
            false => "not tracked",
        };
        let persistent = match found.options().persistence {
            0 => String::new(),
            seconds => format!(", persistent for {seconds} s"),
        };
        let scheduler = service.scheduler;
        format!("{name}{of}, {scheduler}, {reals}, {how}{persistent}")
    }

    /// Names what there is of the VIP instead.
    pub(super) fn no_service(&self, packet: &Packet) -> String {
        let kind = packet.flow.kind();
        let vip = address::ip(packet.flow.vip, kind.version());
        let all = self.engine.config.services.iter();
        let of_vip = all.flat_map(Service::destinations);
        let of_vip = of_vip.filter(|it| Some(it.vip) == vip);
        let names: Vec<String> = of_vip.map(|it| it.to_string()).collect();
        let vip = vip.map_or_else(String::new, |vip| vip.to_string());
        match names.is_empty() {
            true => format!("none: {vip} is no VIP"),
            false => format!("none: of {vip} there is {}", names.join(", ")),
        }
    }
}
