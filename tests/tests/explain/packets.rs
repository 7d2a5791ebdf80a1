//! Packets of every kind, and the steps of their decisions.

use anyhow::Result;
use serde_json::Value;

use crate::site::{MH, REALS, RR, RR6, Site, UDP, server};

struct Packet {
    asked: &'static str,
    action: &'static str,
    reason: Option<&'static str>,
    /// The service.
    to: Option<&'static str>,
    /// What a step's words have in them.
    says: &'static [(&'static str, &'static str)],
}

const PACKETS: [Packet; 11] = [
    Packet {
        asked: "tcp 172.25.138.9:40001 172.25.138.100:80",
        action: "tx",
        reason: None,
        to: Some(MH),
        says: &[
            (
                "parse",
                "IPv4, TCP SYN, 172.25.138.9:40001 -> 172.25.138.100:80, 60 octets",
            ),
            (
                "service",
                "tcp/172.25.138.100:80, mh, 2 real servers, not tracked",
            ),
            ("flow", "not looked up, as the slot tells by itself"),
            ("slot", ", clean"),
            ("member", ", weight 1, active"),
            ("verdict", "sent back out of eth0 (XDP_TX)"),
        ],
    },
    Packet {
        asked: "tcp 172.25.138.9:40001 172.25.138.100:81",
        action: "tx",
        reason: None,
        to: Some(RR),
        says: &[
            (
                "service",
                "tcp/172.25.138.100:81, rr, 2 real servers, tracked",
            ),
            ("flow", "no record; it would get one: SYN_RECV"),
            ("slot", "in turn"),
        ],
    },
    Packet {
        asked: "tcp [2001:db8::9]:40001 [2001:db8::100]:80",
        action: "tx",
        reason: None,
        to: Some(RR6),
        says: &[(
            "parse",
            "IPv6, TCP SYN, [2001:db8::9]:40001 -> [2001:db8::100]:80, 74 octets",
        )],
    },
    Packet {
        asked: "udp 172.25.138.9:5000 172.25.138.100:53",
        action: "tx",
        reason: None,
        to: Some(UDP),
        says: &[
            ("parse", "IPv4, UDP, 172.25.138.9:5000 -> 172.25.138.100:53"),
            // As nobody may have asked for the first one, it does not keep a place for long.
            ("flow", "no record; it would get one: SYN_RECV"),
        ],
    },
    // The real servers are not in it: the tag goes.
    Packet {
        asked: "tcp 172.25.138.9:40001 172.25.138.100:80 --vlan 7",
        action: "tx",
        reason: None,
        to: Some(MH),
        says: &[("parse", "VLAN, IPv4, TCP SYN"), ("mac", ", eth0")],
    },
    Packet {
        asked: "tcp 172.25.138.9:40001 172.25.138.100:80 --icmp-error",
        action: "tx",
        reason: None,
        to: Some(MH),
        says: &[(
            "parse",
            "IPv4, ICMP error about TCP 172.25.138.100:80 -> 172.25.138.9:40001",
        )],
    },
    // Nobody knows whose turn it was.
    Packet {
        asked: "tcp 172.25.138.9:40001 172.25.138.100:81 --icmp-error",
        action: "pass",
        reason: Some("no_flow"),
        to: Some(RR),
        says: &[(
            "verdict",
            "left to the director's own stack (XDP_PASS): no_flow, ",
        )],
    },
    Packet {
        asked: "tcp [2001:db8::9]:40001 [2001:db8::100]:80 --icmp-error",
        action: "pass",
        reason: Some("no_flow"),
        to: Some(RR6),
        says: &[("parse", "IPv6, ICMP error about TCP [2001:db8::100]:80 -> ")],
    },
    Packet {
        asked: "tcp 172.25.138.9:40001 172.25.138.100:443",
        action: "pass",
        reason: Some("no_service"),
        to: None,
        says: &[(
            "service",
            "none: of 172.25.138.100 there is tcp/172.25.138.100:80, tcp/172.25.138.100:81, udp/172.25.138.100:53",
        )],
    },
    Packet {
        asked: "udp 172.25.138.9:40001 172.25.138.100:80",
        action: "pass",
        reason: Some("no_service"),
        to: None,
        says: &[(
            "verdict",
            "(XDP_PASS): no_service, there is no such service",
        )],
    },
    Packet {
        asked: "sctp 172.25.138.9:40001 172.25.138.77:80",
        action: "pass",
        reason: Some("no_service"),
        to: None,
        says: &[
            ("parse", "IPv4, SCTP INIT, "),
            ("service", "none: 172.25.138.77 is no VIP"),
        ],
    },
];

#[test]
fn each_step_is_told() -> Result<()> {
    let site = Site::new()?;
    for packet in PACKETS {
        let told = site.explain(packet.asked)?;
        let whole = format!("{}: {told:#}", packet.asked);
        assert_eq!(told["action"], packet.action, "{whole}");
        assert_eq!(told["reason"].as_str(), packet.reason, "{whole}");
        assert_eq!(told["to"].as_str(), packet.to, "{whole}");
        for &(step, words) in packet.says {
            let says = told[step].as_str().unwrap_or_default();
            assert!(says.contains(words), "{step}, not {words:?}: {whole}");
        }
        match packet.action {
            "tx" => has_mac_of(&site, &told)?,
            _ => assert_eq!(
                (&told["mac"], &told["real"]),
                (&Value::Null, &Value::Null),
                "{whole}"
            ),
        }
    }
    Ok(())
}

/// The MAC is that of the real server which is named.
fn has_mac_of(site: &Site, told: &Value) -> Result<()> {
    let name = server(told)?;
    assert!(REALS.iter().any(|&(known, _)| known == name));
    let mac = format!("{}, eth0", site.lab.host(name).mac());
    assert_eq!(told["mac"], mac, "{told}");
    Ok(())
}
