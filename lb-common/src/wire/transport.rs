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
    flags: u8,
}

impl Tcp {
    pub fn is_fin(&self) -> bool {
        self.flags & 0x01 != 0
    }

    pub fn is_syn(&self) -> bool {
        self.flags & 0x02 != 0
    }

    pub fn is_rst(&self) -> bool {
        self.flags & 0x04 != 0
    }

    pub fn is_ack(&self) -> bool {
        self.flags & 0x10 != 0
    }
}

headers!(Ports: 4, Tcp: 14);
