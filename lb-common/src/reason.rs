//! Why the director did not forward a packet.

use crate::verifier::forgotten;

/// Counted in the kernel by discriminant; every packet not forwarded has exactly one.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The frame ends before the headers that would tell its flow.
    Truncated,
    NotIp,
    /// The version is not the EtherType's, or the header length less than the header.
    BadHeader,
    /// Not TCP, UDP or SCTP, nor an ICMP error about one of them.
    OtherProtocol,
    NoService,
    /// For a service, but addressed to another host's MAC: a switch flooded it.
    OtherHost,
    /// No member is eligible, and the service leaves the refusal to the director's own stack.
    Refused,
    /// No member is eligible, and the service answers nothing.
    NoMember,
    /// The flow's member has no known MAC.
    NoNeighbour,
    /// An ICMP error about a flow of a tracked service that has no record.
    NoFlow,
    /// Of a flow whose member was removed from a service that ends such flows.
    Expelled,
    /// Forwarding would end the time to live: two directors point at each other.
    TtlExpired,
}

/// What happens to a packet that is not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The director's own stack gets it, as if we were not here.
    Pass,
    Drop,
}

impl Reason {
    pub const ALL: [Self; 12] = [
        Self::Truncated,
        Self::NotIp,
        Self::BadHeader,
        Self::OtherProtocol,
        Self::NoService,
        Self::OtherHost,
        Self::Refused,
        Self::NoMember,
        Self::NoNeighbour,
        Self::NoFlow,
        Self::Expelled,
        Self::TtlExpired,
    ];

    /// Only packets that are certainly for one of our services may be dropped.
    pub const fn fate(self) -> Fate {
        match self {
            Self::Truncated
            | Self::NotIp
            | Self::BadHeader
            | Self::OtherProtocol
            | Self::NoService
            | Self::OtherHost
            | Self::Refused
            | Self::NoFlow
            | Self::Expelled => Fate::Pass,
            Self::NoMember | Self::NoNeighbour | Self::TtlExpired => Fate::Drop,
        }
    }

    /// As `fate`, of its number.
    pub fn fate_of(number: u64) -> Fate {
        const DROPS: u64 = {
            let (mut drops, mut i) = (0, 0);
            while i < Reason::ALL.len() {
                let drop = matches!(Reason::ALL[i].fate(), Fate::Drop);
                drops |= (drop as u64) << Reason::ALL[i] as u64;
                i += 1;
            }
            drops
        };
        match DROPS >> number & 1 {
            0 => Fate::Pass,
            _ => Fate::Drop,
        }
    }

    /// Its number, of which the verifier knows nothing: it would count each reason in a way of its
    /// own.
    pub fn number(self, by: u64) -> u64 {
        forgotten(self as u64, by)
    }

    /// What it means, for who asks about one packet.
    pub fn words(self) -> &'static str {
        match self {
            Self::Truncated => "it ends before the headers that would tell its flow",
            Self::NotIp => "it is neither IPv4 nor IPv6",
            Self::BadHeader => "its IP header is not what its EtherType or its length says",
            Self::OtherProtocol => "neither TCP, UDP or SCTP, nor an ICMP error about them",
            Self::NoService => "there is no such service",
            Self::OtherHost => "it is for a service, but sent to another host's MAC",
            Self::Refused => {
                "no real server is eligible, and the service has `no_member = \"reject\"`"
            }
            Self::NoMember => {
                "no real server is eligible, and the service has `no_member = \"drop\"`"
            }
            Self::NoNeighbour => "the real server's MAC or interface is not known",
            Self::NoFlow => "an ICMP error about a connection that has no record",
            Self::Expelled => "of a connection that is not to go on with its real server",
            Self::TtlExpired => "its time to live ends here",
        }
    }

    /// The name in listings and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::NotIp => "not_ip",
            Self::BadHeader => "bad_header",
            Self::OtherProtocol => "other_protocol",
            Self::NoService => "no_service",
            Self::OtherHost => "other_host",
            Self::Refused => "refused",
            Self::NoMember => "no_member",
            Self::NoNeighbour => "no_neighbour",
            Self::NoFlow => "no_flow",
            Self::Expelled => "expelled",
            Self::TtlExpired => "ttl_expired",
        }
    }
}
