//! The command line.

use std::{net::Ipv4Addr, path::PathBuf};

pub(crate) const USAGE: &str = "\
usage: cargo xtask bench dataplane [--json FILE] [--rounds N] [--flows N[,N…]] [--peer NAME=PINNED[,mac=…][,vip=…][,port=…]]…
  --flows  numbers of flows, powers of two; Ki and Mi are understood (1,1Ki,64Ki,1Mi,8Mi)
  --rounds of 25 ms for each row; at least 9 (11)
  --peer   a pinned XDP program to time on the same frames, sent to its MAC, VIP and port";

pub(crate) struct Options {
    pub(crate) json: Option<PathBuf>,
    pub(crate) rounds: usize,
    /// In order; the first is 1.
    pub(crate) flows: Vec<u32>,
    pub(crate) peers: Vec<Peer>,
}

/// A program that somebody else has loaded and pinned, and what it forwards.
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) pinned: PathBuf,
    pub(crate) mac: Option<[u8; 6]>,
    pub(crate) vip: Option<Ipv4Addr>,
    pub(crate) port: Option<u16>,
}

const FLOWS_MAX: u32 = 1 << 26;
const ROUNDS_MIN: usize = 9;

impl Options {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            json: None,
            rounds: 11,
            flows: vec![1, 1 << 10, 1 << 16, 1 << 20, 1 << 23],
            peers: Vec::new(),
        };
        while let Some(option) = words.next() {
            let mut value = || words.next().ok_or(format!("{option} needs a value"));
            match option.as_str() {
                "--json" => options.json = Some(value()?.into()),
                "--rounds" => options.rounds = rounds(&value()?)?,
                "--flows" => options.flows = flows(&value()?)?,
                "--peer" => options.peers.push(peer(&value()?)?),
                _ => return Err(format!("{option}: no such option")),
            }
        }
        Ok(options)
    }
}

fn rounds(text: &str) -> Result<usize, String> {
    let rounds = text.parse().ok().filter(|rounds| *rounds >= ROUNDS_MIN);
    rounds.ok_or(format!(
        "--rounds {text}: not a number of at least {ROUNDS_MIN}"
    ))
}

/// One flow is always among them: other numbers are compared with it.
fn flows(text: &str) -> Result<Vec<u32>, String> {
    let flows: Result<Vec<u32>, String> = text.split(',').map(number).collect();
    let mut flows = flows?;
    flows.push(1);
    flows.sort_unstable();
    flows.dedup();
    Ok(flows)
}

fn number(text: &str) -> Result<u32, String> {
    let (digits, unit) = match text.split_at(text.trim_end_matches(char::is_alphabetic).len()) {
        (digits, "") => (digits, 1),
        (digits, "k" | "K" | "Ki") => (digits, 1 << 10),
        (digits, "M" | "Mi") => (digits, 1 << 20),
        _ => (text, 0),
    };
    let number = digits.parse().ok().and_then(|n: u32| n.checked_mul(unit));
    let is_usable = |n: &u32| n.is_power_of_two() && *n <= FLOWS_MAX;
    number
        .filter(is_usable)
        .ok_or(format!("{text}: not a power of two up to {FLOWS_MAX}"))
}

fn peer(text: &str) -> Result<Peer, String> {
    let mut words = text.split(',');
    let first = words.next().unwrap_or_default();
    let (name, pinned) = first
        .split_once('=')
        .ok_or(format!("--peer {text}: not NAME=PINNED"))?;
    let mut peer = Peer {
        name: name.to_owned(),
        pinned: pinned.into(),
        mac: None,
        vip: None,
        port: None,
    };
    for word in words {
        let wrong = || format!("--peer {name}: {word}: not mac=…, vip=… or port=…");
        match word.split_once('=').ok_or_else(wrong)? {
            ("mac", mac) => peer.mac = Some(self::mac(mac).ok_or_else(wrong)?),
            ("vip", vip) => peer.vip = Some(vip.parse().ok().ok_or_else(wrong)?),
            ("port", port) => peer.port = Some(port.parse().ok().ok_or_else(wrong)?),
            _ => return Err(wrong()),
        }
    }
    Ok(peer)
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let octets = text
        .split(':')
        .map(|octet| u8::from_str_radix(octet, 16).ok());
    octets.collect::<Option<Vec<u8>>>()?.try_into().ok()
}
