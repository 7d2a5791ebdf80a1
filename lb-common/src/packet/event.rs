//! What a packet does to its connection.

use crate::wire::{Sctp, Tcp};

/// The flags of TCP that tell, or one that TCP has not.
///
/// To be asked, not told apart: of an enum the verifier follows every variant to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event(u64);

impl Event {
    pub const DATAGRAM: Self = Self(0x80);
    /// Neither beginning nor end.
    pub const ACK: Self = Self(Tcp::ACK as u64);
    /// Nothing: a router tells what became of a packet of the real server's, or a fragment does not
    /// tell what it does.
    pub const NONE: Self = Self(0x40);

    pub fn of_tcp(segment: &Tcp) -> Self {
        Self::of_flags(segment.flags)
    }

    pub fn of_flags(flags: u8) -> Self {
        Self((flags & (Tcp::FIN | Tcp::SYN | Tcp::RST | Tcp::ACK)).into())
    }

    /// What is done by the first chunk, as if TCP had done it (RFC 9260 sections 5 and 9).
    pub fn of_sctp(packet: &Sctp) -> Self {
        let flags = match packet.chunk {
            Sctp::INIT => Tcp::SYN,
            Sctp::ABORT => Tcp::RST,
            Sctp::SHUTDOWN | Sctp::SHUTDOWN_ACK | Sctp::SHUTDOWN_COMPLETE => Tcp::FIN | Tcp::ACK,
            _ => Tcp::ACK,
        };
        Self(flags.into())
    }

    /// In 8 bits.
    pub(super) fn bits(self) -> u64 {
        self.0
    }

    pub(super) fn of_bits(bits: u64) -> Self {
        Self(bits & 0xff)
    }

    fn flags(self) -> u8 {
        self.0 as u8
    }

    // RST before SYN before FIN, as IPVS ranks them (`tcp_state_idx` in ip_vs_proto_tcp.c).

    pub fn is_rst(self) -> bool {
        self.flags() & Tcp::RST != 0
    }

    /// A SYN with ACK is not the client opening a connection.
    pub fn is_syn(self) -> bool {
        self.flags() & (Tcp::RST | Tcp::SYN | Tcp::ACK) == Tcp::SYN
    }

    pub fn is_fin(self) -> bool {
        self.flags() & (Tcp::RST | Tcp::FIN) == Tcp::FIN && !self.is_syn()
    }

    pub fn is_datagram(self) -> bool {
        self == Self::DATAGRAM
    }

    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Frame as _;

    #[test]
    fn chunks_of_sctp_begin_and_end_what_segments_of_tcp_do() {
        let event = |chunk| {
            let mut octets = [0xa5; 13];
            octets[12] = chunk;
            Event::of_sctp(octets[..].header::<Sctp>(0).unwrap())
        };
        for (what, chunk, begins, ends, aborts) in [
            ("DATA", 0, false, false, false),
            ("INIT", 1, true, false, false),
            ("HEARTBEAT", 4, false, false, false),
            ("ABORT", 6, false, false, true),
            ("SHUTDOWN", 7, false, true, false),
            ("SHUTDOWN ACK", 8, false, true, false),
            ("COOKIE ECHO", 10, false, false, false),
            ("SHUTDOWN COMPLETE", 14, false, true, false),
        ] {
            let event = event(chunk);
            let found = (event.is_syn(), event.is_fin(), event.is_rst());
            assert_eq!(found, (begins, ends, aborts), "{what}");
        }
    }
}
