//! What TCP (RFC 9293 section 3.1) and UDP (RFC 768) tell about their flow.

use core::fmt;

use super::headers;

/// An IP protocol number.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Protocol(pub u8);

impl Protocol {
    pub const TCP: Self = Self(6);
    pub const UDP: Self = Self(17);
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TCP => f.write_str("tcp"),
            Self::UDP => f.write_str("udp"),
            Self(other) => write!(f, "{other}"),
        }
    }
}

/// The first four octets of TCP, and of UDP.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    pub source: [u8; 2],
    pub destination: [u8; 2],
}

/// The first fourteen octets of TCP, up to its flags.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Tcp {
    pub ports: Ports,
    _sequence: [u8; 8],
    _offset: u8,
    pub flags: u8,
}

impl Tcp {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const ACK: u8 = 0x10;
}

headers!(Ports: 4, Tcp: 14);
