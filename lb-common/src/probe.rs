//! How a health check reaches one real server: its packets go to a probe address, which stands for
//! a VIP on that real server.
//!
//! The kernel has a route for each probe address, by the real server. On the way out the address
//! becomes the VIP, and of which flow it was is noted; on the way in the VIP of such a flow becomes
//! the probe address again. Decides, and changes nothing. Only whole packets of TCP and UDP and
//! echoes of ICMP are judged, behind an IP header without options; everything else passes, tagged
//! and truncated frames among it.

mod addresses;

use core::mem::offset_of;

use crate::{
    address::{Address, Version},
    wire::{EtherType, Ethernet, Frame, Header as _, Icmp, Ipv4, Ipv6, Ports, Protocol, Tcp, Udp},
};

pub use self::addresses::{
    ELEMENTS, NET_V4, NET_V4_BITS, NET_V6, NET_V6_BITS, PROBES_MAX, address, element,
};

/// Flows that are noted; the one that was used least recently gives way.
pub const NOTES_MAX: usize = 1 << 16;
/// Octets from which every packet can be judged.
pub const OCTETS: usize = Ethernet::LEN + Ipv6::LEN + Tcp::CHECKSUM + CHECKSUM;
const CHECKSUM: usize = <[u8; 2]>::LEN;

/// A flow of a check's: a reply that is of it comes from the real server that was asked.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    pub vip: Address,
    pub director: Address,
    /// 0 for an echo.
    pub vip_port: [u8; 2],
    /// The director's, or the identifier of an echo.
    pub port: [u8; 2],
    pub protocol: Protocol,
    pub version: Version,
    pub _unused: [u8; 2],
}

const _: () = assert!(size_of::<Flow>() == 40);

/// What is written into a packet. Where a checksum is that does not follow, there is 0.
// As `Mangle` is.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrite {
    pub address: Address,
    pub version: Version,
    /// Of UDP: 0 is none, and stays (RFC 768).
    pub is_optional: bool,
    /// Where the address is.
    pub offset: usize,
    /// Where IPv4's checksum is.
    pub header_checksum: usize,
    /// Where the checksum is that counts the address in (RFC 9293 section 3.1).
    pub checksum: usize,
    /// By how much the sums grow (RFC 1624 section 3).
    pub difference: u32,
}

impl Rewrite {
    #[inline(always)] // As `egress`.
    fn is_in_reach<F: Frame + ?Sized>(&self, frame: &F) -> bool {
        frame.header::<[u8; CHECKSUM]>(self.checksum).is_some()
    }
}

/// What is known of checks.
pub trait Path {
    /// The VIP that a probe address stands for.
    fn vip(&self, probe: Address) -> Option<Address>;

    /// Whether a flow with this port of the director's has been noted.
    fn has_port(&self, port: [u8; 2]) -> bool;

    /// The probe address that a flow's packets went to.
    fn probe(&self, flow: &Flow) -> Option<Address>;
}

/// Decides on a packet of this host's: what flow is noted with which probe address, and what is
/// written.
#[inline(always)] // The verifier is to see where each header is.
pub fn egress<F: Frame + ?Sized>(frame: &F, path: &impl Path) -> Option<(Flow, Address, Rewrite)> {
    let ip = Ip::of(frame)?;
    let probe = ip.destination;
    element(probe)?;
    let (vip_port, port) = ip.ports(frame, Way::Out)?;
    let vip = path.vip(probe)?;
    let flow = ip.flow((vip, vip_port), (ip.source, port));
    let how = ip.rewrite(Way::Out, probe, vip);
    how.is_in_reach(frame).then_some((flow, probe, how))
}

/// Decides on a packet from the wire.
#[inline(always)] // As `egress`.
pub fn ingress<F: Frame + ?Sized>(frame: &F, path: &impl Path) -> Option<Rewrite> {
    let ip = Ip::of(frame)?;
    let (vip_port, port) = ip.ports(frame, Way::In)?;
    if !path.has_port(port) {
        return None;
    }
    let flow = ip.flow((ip.source, vip_port), (ip.destination, port));
    let probe = path.probe(&flow)?;
    let how = ip.rewrite(Way::In, ip.source, probe);
    how.is_in_reach(frame).then_some(how)
}

/// Whether a packet of this host's may be a check's, as far as it is in reach.
#[inline(always)] // As `egress`.
pub fn may_be_sent<F: Frame + ?Sized>(frame: &F) -> bool {
    is_cut_short(frame) || Ip::of(frame).is_some_and(|ip| element(ip.destination).is_some())
}

/// Whether a packet from the wire may be a check's, as far as it is in reach.
#[inline(always)] // As `egress`.
pub fn may_be_received<F: Frame + ?Sized>(frame: &F, path: &impl Path) -> bool {
    let is_awaited = |ip: Ip| match ip.ports(frame, Way::In) {
        Some((_, port)) => path.has_port(port),
        None => ip.is_judged() && frame.header::<Icmp>(ip.transport()).is_none(),
    };
    is_cut_short(frame) || Ip::of(frame).is_some_and(is_awaited)
}

/// Whether the IP header is beyond reach.
#[inline(always)] // As `egress`.
fn is_cut_short<F: Frame + ?Sized>(frame: &F) -> bool {
    let Some(ethernet) = frame.header::<Ethernet>(0) else {
        return false;
    };
    match ethernet.ether_type {
        EtherType::IPV4 => frame.header::<Ipv4>(Ethernet::LEN).is_none(),
        EtherType::IPV6 => frame.header::<Ipv6>(Ethernet::LEN).is_none(),
        _ => false,
    }
}

#[derive(Clone, Copy)]
enum Way {
    Out,
    In,
}

/// A whole packet behind an IP header without options.
#[derive(Clone, Copy)]
struct Ip {
    version: Version,
    protocol: Protocol,
    source: Address,
    destination: Address,
}

impl Ip {
    #[inline(always)] // As `egress`.
    fn of<F: Frame + ?Sized>(frame: &F) -> Option<Self> {
        let ethernet = frame.header::<Ethernet>(0)?;
        if ethernet.ether_type == EtherType::IPV4 {
            let ip = frame.header::<Ipv4>(Ethernet::LEN)?;
            return ip.is_plain().then(|| Self {
                version: Version::V4,
                protocol: ip.protocol,
                source: Address::v4(ip.source),
                destination: Address::v4(ip.destination),
            });
        }
        if ethernet.ether_type != EtherType::IPV6 {
            return None;
        }
        let ip = frame.header::<Ipv6>(Ethernet::LEN)?;
        ip.is_version_6().then(|| Self {
            version: Version::V6,
            protocol: ip.next_header,
            source: Address::v6(ip.source),
            destination: Address::v6(ip.destination),
        })
    }

    fn is_judged(&self) -> bool {
        self.protocol == Protocol::TCP || self.protocol == Protocol::UDP || self.is_icmp()
    }

    fn is_icmp(&self) -> bool {
        let icmp = match self.version {
            Version::V4 => Icmp::PROTOCOL,
            _ => Icmp::PROTOCOL_V6,
        };
        self.protocol == icmp
    }

    fn transport(&self) -> usize {
        match self.version {
            Version::V4 => Ethernet::LEN + Ipv4::LEN,
            _ => Ethernet::LEN + Ipv6::LEN,
        }
    }

    /// The ports of the VIP and of the director, as [`Flow`] has them.
    #[inline(always)] // As `egress`.
    fn ports<F: Frame + ?Sized>(&self, frame: &F, way: Way) -> Option<([u8; 2], [u8; 2])> {
        if !self.is_judged() {
            return None;
        }
        if self.is_icmp() {
            let icmp = frame.header::<Icmp>(self.transport())?;
            let is_echo = match way {
                Way::Out => icmp.is_echo_request(self.version == Version::V4),
                Way::In => icmp.is_echo_reply(self.version == Version::V4),
            };
            return is_echo.then_some(([0; 2], icmp.id()));
        }
        let ports = frame.header::<Ports>(self.transport())?;
        Some(match way {
            Way::Out => (ports.destination, ports.source),
            Way::In => (ports.source, ports.destination),
        })
    }

    fn flow(
        &self,
        (vip, vip_port): (Address, [u8; 2]),
        (director, port): (Address, [u8; 2]),
    ) -> Flow {
        Flow {
            vip,
            director,
            vip_port,
            port,
            protocol: self.protocol,
            version: self.version,
            _unused: [0; 2],
        }
    }

    fn rewrite(&self, way: Way, from: Address, to: Address) -> Rewrite {
        let place = match (self.version, way) {
            (Version::V4, Way::Out) => offset_of!(Ipv4, destination),
            (Version::V4, Way::In) => offset_of!(Ipv4, source),
            (_, Way::Out) => offset_of!(Ipv6, destination),
            (_, Way::In) => offset_of!(Ipv6, source),
        };
        Rewrite {
            address: to,
            version: self.version,
            offset: Ethernet::LEN + place,
            header_checksum: match self.version {
                Version::V4 => Ethernet::LEN + Ipv4::CHECKSUM,
                _ => 0,
            },
            checksum: match self.protocol {
                Protocol::TCP => self.transport() + Tcp::CHECKSUM,
                Protocol::UDP => self.transport() + Udp::CHECKSUM,
                Icmp::PROTOCOL_V6 => self.transport() + Icmp::CHECKSUM,
                _ => 0,
            },
            is_optional: self.protocol == Protocol::UDP,
            difference: difference(from, to),
        }
    }
}

/// The sum of an address's words, less that of another's. In this machine's byte order, as the sum is
/// the same in either (RFC 1071 section 2).
fn difference(from: Address, to: Address) -> u32 {
    let words = |Address([a, b]): Address| (a & LOW) + (a >> 32) + (b & LOW) + (b >> 32);
    // The complement of four words is what they lack.
    let sum = words(to) + 4 * LOW - words(from);
    // Less than 2³⁶: folded once it may carry, folded twice it does not.
    let sum = (sum & LOW) + (sum >> 32);
    ((sum & LOW) + (sum >> 32)) as u32
}

const LOW: u64 = u32::MAX as u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_what_a_sum_grows_by() {
        let v6 = |octet| Address::v6([octet; 16]);
        for (from, to, want) in [
            (Address::v4([0, 0, 0, 0]), Address::v4([1, 0, 0, 0]), 1),
            // To lose one is to add all ones less one: in one's complement.
            (
                Address::v4([1, 0, 0, 0]),
                Address::v4([0, 0, 0, 0]),
                0xffff_fffe,
            ),
            (v6(7), v6(7), 0xffff_ffff),
            (v6(0), v6(0xff), 0xffff_ffff),
        ] {
            assert_eq!(difference(from, to), want, "{from:?} to {to:?}");
        }
    }
}
