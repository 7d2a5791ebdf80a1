//! What a packet says.

use lb_common::{
    packet::{Event, Packet},
    reason::Reason,
    wire::{Protocol, Tcp},
};

use crate::{address, service::with_ports};

pub(super) fn words(packet: Result<Packet, Reason>, frame: &[u8], len: usize) -> String {
    let cut = match frame.len() < len {
        true => format!(", the first {} are here", frame.len()),
        false => String::new(),
    };
    let octets = format!("{len} octets{cut}");
    let packet = match packet {
        Ok(packet) => packet,
        Err(reason) => return format!("{}, {octets}", reason.words()),
    };
    let kind = packet.flow.kind();
    let version = kind.version();
    let ports = kind.ports();
    let end = |address, port: [u8; 2]| match address::ip(address, version) {
        Some(ip) if packet.is_later() => ip.to_string(),
        Some(ip) => with_ports(ip, u16::from_be_bytes(port)),
        None => String::new(),
    };
    let client = end(packet.flow.client, ports.source);
    let vip = end(packet.flow.vip, ports.destination);
    let protocol = kind.protocol().to_string().to_uppercase();
    let event = event(packet.event(), kind.protocol());
    let what = match (packet.is_whole(), packet.is_first()) {
        (true, _) if packet.event().is_none() => {
            return format!(
                "IPv{}, ICMP error about {protocol} {vip} -> {client}, {octets}",
                version.0
            );
        }
        (true, _) => format!("{protocol}{event}"),
        (false, true) => format!("first fragment of {protocol}{event}"),
        (false, false) => format!("later fragment of {protocol}"),
    };
    let vlan = match packet.network() > 14 {
        true => "VLAN, ",
        false => "",
    };
    format!(
        "{vlan}IPv{}, {what}, {client} -> {vip}, {octets}",
        version.0
    )
}

/// What a packet does to its connection, with a space in front.
fn event(event: Event, protocol: Protocol) -> String {
    let names = [
        (Tcp::SYN, "SYN", "INIT"),
        (Tcp::FIN, "FIN", "SHUTDOWN"),
        (Tcp::RST, "RST", "ABORT"),
        (Tcp::ACK, "ACK", ""),
    ];
    let of = |flags: u8| names.iter().filter(move |(flag, ..)| flags & flag != 0);
    // The event of flags is theirs alone.
    let flags = (0..=0x1f).find(|&flags| Event::of_flags(flags) == event);
    let Some(flags) = flags.filter(|_| protocol != Protocol::UDP) else {
        return String::new();
    };
    let names = of(flags).map(|&(_, tcp, sctp)| match protocol {
        Protocol::SCTP => sctp,
        _ => tcp,
    });
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(" {}", names.join(" ")),
    }
}
