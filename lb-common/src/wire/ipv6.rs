//! IPv6 (RFC 8200 section 3).

use super::{Protocol, headers};

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Ipv6 {
    version_class: u8,
    _class_flow: [u8; 3],
    pub payload_len: [u8; 2],
    pub next_header: Protocol,
    pub hop_limit: u8,
    pub source: [u8; 16],
    pub destination: [u8; 16],
}

impl Ipv6 {
    pub fn is_version_6(&self) -> bool {
        self.version_class & 0xf0 == 0x60
    }
}

headers!(Ipv6: 40);
