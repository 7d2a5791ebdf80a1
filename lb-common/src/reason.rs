//! Why the director did not forward a packet.

/// Counted in the kernel by discriminant; every packet not forwarded has exactly one.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The frame ends before the headers that would tell its flow.
    Truncated,
    NotIpv4,
    /// The version is not 4, or the header length less than the header.
    BadHeader,
    /// Any fragment, the first included: the others do not tell their flow.
    Fragment,
    NotTcpOrUdp,
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
        Self::NotIpv4,
        Self::BadHeader,
        Self::Fragment,
        Self::NotTcpOrUdp,
        Self::NoService,
        Self::OtherHost,
        Self::Refused,
        Self::NoMember,
        Self::NoNeighbour,
        Self::NoFlow,
        Self::TtlExpired,
    ];

    /// Only packets that are certainly for one of our services may be dropped.
    pub fn fate(self) -> Fate {
        match self {
            Self::Truncated
            | Self::NotIpv4
            | Self::BadHeader
            | Self::Fragment
            | Self::NotTcpOrUdp
            | Self::NoService
            | Self::OtherHost
            | Self::Refused
            | Self::NoFlow => Fate::Pass,
            Self::NoMember | Self::NoNeighbour | Self::TtlExpired => Fate::Drop,
        }
    }

    /// The name in listings and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::NotIpv4 => "not_ipv4",
            Self::BadHeader => "bad_header",
            Self::Fragment => "fragment",
            Self::NotTcpOrUdp => "not_tcp_or_udp",
            Self::NoService => "no_service",
            Self::OtherHost => "other_host",
            Self::Refused => "refused",
            Self::NoMember => "no_member",
            Self::NoNeighbour => "no_neighbour",
            Self::NoFlow => "no_flow",
            Self::TtlExpired => "ttl_expired",
        }
    }
}
