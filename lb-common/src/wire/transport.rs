//! What TCP (RFC 9293 section 3.1), UDP (RFC 768) and SCTP (RFC 9260 section 3) tell about their
//! flow.

use core::{fmt, mem::offset_of};

use super::headers;

/// An IP protocol number.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Protocol(pub u8);

impl Protocol {
    pub const TCP: Self = Self(6);
    pub const UDP: Self = Self(17);
    pub const SCTP: Self = Self(132);
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TCP => f.write_str("tcp"),
            Self::UDP => f.write_str("udp"),
            Self::SCTP => f.write_str("sctp"),
            Self(other) => write!(f, "{other}"),
        }
    }
}

/// The first four octets of TCP, of UDP and of SCTP.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    pub source: [u8; 2],
    pub destination: [u8; 2],
}

impl Ports {
    /// Of what does not tell.
    pub const NONE: Self = Self {
        source: [0; 2],
        destination: [0; 2],
    };
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
    /// Behind the window, which is behind the flags.
    pub const CHECKSUM: usize = 16;
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const ACK: u8 = 0x10;
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Udp {
    pub ports: Ports,
    _len: [u8; 2],
    checksum: [u8; 2],
}

impl Udp {
    pub const CHECKSUM: usize = offset_of!(Self, checksum);
}

/// The common header of SCTP, and the type of the packet's first chunk.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Sctp {
    pub ports: Ports,
    _tag: [u8; 4],
    _checksum: [u8; 4],
    pub chunk: u8,
}

impl Sctp {
    pub const INIT: u8 = 1;
    pub const ABORT: u8 = 6;
    pub const SHUTDOWN: u8 = 7;
    pub const SHUTDOWN_ACK: u8 = 8;
    pub const SHUTDOWN_COMPLETE: u8 = 14;
}

headers!(Ports: 4, Tcp: 14, Udp: 8, Sctp: 13);
