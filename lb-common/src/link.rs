//! The link layer of a frame: where the network header starts, behind any VLAN tags.

use crate::wire::{EtherType, Ethernet, Frame, Header as _, Vlan};

/// What a frame carries, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    pub ether_type: EtherType,
    pub offset: usize,
}

/// Returns what `frame` carries behind at most one VLAN tag, or `None` if it ends before that.
pub fn payload<F: Frame + ?Sized>(frame: &F) -> Option<Payload> {
    let ethernet = frame.header::<Ethernet>(0)?;
    if ethernet.ether_type != EtherType::VLAN {
        return Some(Payload {
            ether_type: ethernet.ether_type,
            offset: Ethernet::LEN,
        });
    }
    let vlan = frame.header::<Vlan>(Ethernet::LEN)?;
    Some(Payload {
        ether_type: vlan.ether_type,
        offset: Ethernet::LEN + Vlan::LEN,
    })
}

/// As [`payload`], behind at most `TAGS` VLAN tags of either kind.
pub fn payload_within<const TAGS: usize>(frame: &(impl Frame + ?Sized)) -> Option<Payload> {
    let mut payload = Payload {
        ether_type: frame.header::<Ethernet>(0)?.ether_type,
        offset: Ethernet::LEN,
    };
    for _ in 0..TAGS {
        if !payload.ether_type.is_vlan() {
            break;
        }
        payload = Payload {
            ether_type: frame.header::<Vlan>(payload.offset)?.ether_type,
            offset: payload.offset + Vlan::LEN,
        };
    }
    Some(payload)
}
