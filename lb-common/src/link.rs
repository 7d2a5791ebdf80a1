//! The link layer of a frame: where the network header starts, behind any VLAN tags, and the tags.

use crate::wire::{EtherType, Ethernet, Frame, Header as _, MacAddr, Resize, Tagged, Vlan, VlanId};

/// What a frame carries, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    pub ether_type: EtherType,
    pub offset: usize,
}

/// Returns what `frame` carries behind at most `TAGS` VLAN tags of either kind, or `None` if it
/// ends before that.
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

/// Addresses a frame anew: MACs, and the VLAN; `network` is where its tags end.
///
/// Of two tags the inner one is rewritten, as the outer is the provider's; both stay for a
/// destination that is in no VLAN. `None` if there is no room for a tag.
pub fn readdress<F: Resize + ?Sized>(
    frame: &mut F,
    network: usize,
    (source, destination): (MacAddr, MacAddr),
    vlan: VlanId,
) -> Option<()> {
    if network > Ethernet::LEN {
        // Constants: the verifier takes no subtraction.
        let inner = match network {
            Tagged::LEN => Ethernet::LEN,
            _ => Tagged::LEN,
        };
        let tag = frame.header_mut::<Vlan>(inner)?;
        let is_in_none = tag.id() == VlanId::NONE;
        if vlan != VlanId::NONE {
            tag.set_id(vlan);
        } else if network == Tagged::LEN && !is_in_none {
            frame.shrink(Vlan::LEN)?;
        }
    } else if vlan != VlanId::NONE {
        frame.grow(Vlan::LEN)?;
        let head = frame.header_mut::<Tagged>(0)?;
        head.tag_type = EtherType::VLAN;
        head.vlan.begin(vlan);
    }
    let ethernet = frame.header_mut::<Ethernet>(0)?;
    ethernet.source = source;
    ethernet.destination = destination;
    Some(())
}
