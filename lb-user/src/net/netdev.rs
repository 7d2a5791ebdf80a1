//! The generic netlink family `netdev` (Linux 6.3, Documentation/netlink/specs/netdev.yaml): what XDP a
//! driver has.

use ethtool::EthtoolHandle;
use futures_util::StreamExt as _;
use netlink_packet_generic::{GenlFamily, GenlHeader, GenlMessage};
use rtnetlink::packet_core::{
    DecodeError, Emitable, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload, NlasIterator,
    ParseableParametrized,
};

/// `NETDEV_A_DEV_IFINDEX` and `NETDEV_A_DEV_XDP_FEATURES`.
const INDEX: u16 = 1;
const FEATURES: u16 = 3;

/// `enum netdev_xdp_act` of include/uapi/linux/netdev.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Xdp(pub u64);

impl Xdp {
    /// Drop, pass, and back where the frame came from.
    pub const BASIC: u64 = 1;
    pub const REDIRECT: u64 = 2;
    /// Others' frames can be sent by it.
    pub const NDO_XMIT: u64 = 4;
    /// Frames in several buffers.
    pub const RX_SG: u64 = 32;

    pub fn has(self, features: u64) -> bool {
        self.0 & features == features
    }
}

/// The question for an interface, and the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Device {
    index: u32,
    xdp: Option<u64>,
}

/// Asks what XDP an interface has; `None` if the kernel does not tell.
pub(super) async fn xdp(handle: &mut EthtoolHandle, index: u32) -> Option<Xdp> {
    let device = Device { index, xdp: None };
    let mut message = NetlinkMessage::from(GenlMessage::from_payload(device));
    message.header.flags = NLM_F_REQUEST;
    let answers = handle.handle.request(message).await.ok()?;
    let answer = Box::pin(answers).next().await?.ok()?;
    let NetlinkPayload::InnerMessage(answer) = answer.payload else {
        return None;
    };
    answer.payload.xdp.map(Xdp)
}

impl GenlFamily for Device {
    fn family_name() -> &'static str {
        "netdev"
    }

    /// `NETDEV_CMD_DEV_GET`.
    fn command(&self) -> u8 {
        1
    }

    fn version(&self) -> u8 {
        1
    }
}

impl Emitable for Device {
    fn buffer_len(&self) -> usize {
        8
    }

    fn emit(&self, buffer: &mut [u8]) {
        buffer[..2].copy_from_slice(&8_u16.to_ne_bytes());
        buffer[2..4].copy_from_slice(&INDEX.to_ne_bytes());
        buffer[4..8].copy_from_slice(&self.index.to_ne_bytes());
    }
}

impl ParseableParametrized<[u8], GenlHeader> for Device {
    fn parse_with_param(octets: &[u8], _: GenlHeader) -> Result<Self, DecodeError> {
        let mut device = Self {
            index: 0,
            xdp: None,
        };
        for attribute in NlasIterator::new(octets) {
            let attribute = attribute?;
            let value = attribute.value().try_into();
            if let (FEATURES, Ok(features)) = (attribute.kind(), value) {
                device.xdp = Some(u64::from_ne_bytes(features));
            }
        }
        Ok(device)
    }
}
