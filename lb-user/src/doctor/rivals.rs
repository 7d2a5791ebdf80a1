//! What else takes packets for the VIPs: IPVS.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{finding::Finding, seen::Seen, site::Site};
use crate::dataplane::pins::Role;

pub(super) fn check(site: &Site, seen: &Seen) -> Vec<Finding> {
    let services = seen.ipvs.lines().filter_map(service);
    let with_vips = services.filter(|(_, vip, _)| site.vips.contains(vip));
    let judge = |(protocol, vip, port): (Protocol, IpAddr, u16)| {
        let at = match vip {
            IpAddr::V4(vip) => format!("{vip}:{port}"),
            IpAddr::V6(vip) => format!("[{vip}]:{port}"),
        };
        let (name, option) = protocol;
        let finding = Finding::warning("ipvs", vip, format!("IPVS has a service {name} {at}"));
        let finding = match site.role {
            Role::Director => finding.why(
                "It takes what drover does not: packets that are refused, and all of them while drover is not attached.",
            ),
            Role::RealServer => finding.why(
                "It sends on what the director sent here, perhaps to another host: two of these make a loop.",
            ),
        };
        finding.fix(format!("ipvsadm -D {option} {at}"))
    };
    with_vips.map(judge).collect()
}

/// The kernel's name, and ipvsadm's option.
type Protocol = (&'static str, &'static str);

/// Reads a line as `TCP  0A000064:0050 rr` or `TCP  [2001:0db8:…:0064]:0050 rr`
/// (`ip_vs_info_seq_show` of net/netfilter/ipvs/ip_vs_ctl.c).
fn service(line: &str) -> Option<(Protocol, IpAddr, u16)> {
    let mut words = line.split_whitespace();
    let protocol = match words.next()? {
        "TCP" => ("TCP", "-t"),
        "UDP" => ("UDP", "-u"),
        "SCTP" => ("SCTP", "--sctp-service"),
        _ => return None,
    };
    let (vip, port) = words.next()?.rsplit_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let vip = match vip.strip_prefix('[') {
        Some(vip) => vip.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?.into(),
        None => Ipv4Addr::from_bits(u32::from_str_radix(vip, 16).ok()?).into(),
    };
    Some((protocol, vip, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing;

    /// As ip_vs_info_seq_show writes it.
    const IP_VS: &str = "IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A000064:0050 rr 
  -> 0A000002:0050      Route   1      0          0         
UDP  0A000065:0035 rr 
TCP  [2001:0db8:0000:0000:0000:0000:0000:0100]:0050 wlc persistent 300 FFFFFFFF
FWM  00000001 rr 
";

    #[test]
    fn services_of_the_vips_are_found() {
        let seen = Seen {
            ipvs: IP_VS.into(),
            ..Seen::default()
        };
        let found = check(&testing::site(Role::Director), &seen);
        let fixes: Vec<&str> = found.iter().filter_map(|it| it.fix.as_deref()).collect();
        let want = [
            "ipvsadm -D -t 10.0.0.100:80",
            "ipvsadm -D -t [2001:db8::100]:80",
        ];
        assert_eq!(fixes, want);
    }
}
