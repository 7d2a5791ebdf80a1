//! The command line.

use std::{net::Ipv4Addr, path::PathBuf};

use crate::common::{flows, options};

pub(crate) const USAGE: &str = "\
usage: cargo xtask bench dataplane [--json FILE] [--rounds N] [--flows N[,N…]] [--peer NAME=PINNED[,mac=…][,vip=…][,port=…]]…
  --flows  numbers of flows, powers of two; Ki and Mi are understood (1,1Ki,64Ki,1Mi,8Mi)
  --rounds of 25 ms for each row; at least 9 (11)
  --peer   a pinned XDP program to time on the same frames, sent to its MAC, VIP and port";

pub(crate) struct Options {
    pub(crate) common: options::Options,
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

impl Options {
    pub(crate) fn parse(words: &mut dyn Iterator<Item = String>) -> Result<Self, String> {
        let mut flows = vec![1, 1 << 10, 1 << 16, 1 << 20, 1 << 23];
        let mut peers = Vec::new();
        let common = options::parse(words, 11, |option, value| {
            match option {
                "--flows" => flows = flows::list(&value.next(option)?)?,
                "--peer" => peers.push(peer(&value.next(option)?)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(Self {
            common,
            flows,
            peers,
        })
    }
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
