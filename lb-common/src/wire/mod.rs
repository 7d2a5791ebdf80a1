//! Packet headers as they lie on the wire.
//!
//! Every field is bytes in network order, so a header has alignment 1, no padding, and no invalid
//! values: any place in a frame can be viewed as one. One file per protocol; a header knows its
//! fields, never the header before or after it.

mod arp;
mod ethernet;
mod icmp;
mod ipv4;
mod ipv6;
mod ndp;
mod transport;

pub use arp::{Arp, Operation};
pub use ethernet::{EtherType, Ethernet, MacAddr, Tagged, Vlan, VlanId};
pub use icmp::Icmp;
pub use ipv4::Ipv4;
pub use ipv6::{Extension, Ipv6, Ipv6Fragment};
pub use ndp::{Ndp, NdpKind, NdpOption};
pub use transport::{Ports, Protocol, Sctp, Tcp, Udp};

/// A wire header.
///
/// # Safety
///
/// `Self` must have alignment 1 and be valid for every bit pattern.
pub unsafe trait Header: Copy {
    const LEN: usize = size_of::<Self>();
}

// SAFETY: bytes.
unsafe impl<const N: usize> Header for [u8; N] {}

/// Bytes of a frame, in which headers can be viewed.
pub trait Frame {
    /// Returns the header at `offset`, or `None` if the frame ends before it does.
    fn header<T: Header>(&self, offset: usize) -> Option<&T>;
}

/// Bytes of a frame, in which headers can be rewritten.
pub trait FrameMut: Frame {
    /// Returns the header at `offset`, or `None` if the frame ends before it does.
    fn header_mut<T: Header>(&mut self, offset: usize) -> Option<&mut T>;
}

/// A frame with room in front.
pub trait Resize: FrameMut {
    /// Moves the start of the frame forward; what is before it is gone. `None` if that cannot be:
    /// the frame is then as it was.
    fn shrink(&mut self, octets: usize) -> Option<()>;

    /// Moves the start of the frame back; what is before the old one is anything.
    fn grow(&mut self, octets: usize) -> Option<()>;

    /// Forgets how much of the frame was seen to be there. What the verifier knows of that differs
    /// with each kind of packet, and it follows each such difference to the end of the program.
    fn forget(&mut self);
}

impl Frame for [u8] {
    fn header<T: Header>(&self, offset: usize) -> Option<&T> {
        let bytes = self.get(offset..)?.get(..T::LEN)?;
        // SAFETY: `bytes` is `T::LEN` long, and `Header` asks for nothing more.
        Some(unsafe { &*bytes.as_ptr().cast() })
    }
}

impl FrameMut for [u8] {
    fn header_mut<T: Header>(&mut self, offset: usize) -> Option<&mut T> {
        let bytes = self.get_mut(offset..)?.get_mut(..T::LEN)?;
        // SAFETY: as in `header`; the frame is borrowed mutably.
        Some(unsafe { &mut *bytes.as_mut_ptr().cast() })
    }
}

/// Declares wire headers and their lengths.
macro_rules! headers {
    ($($header:ty: $len:literal),* $(,)?) => {$(
        // SAFETY: every field is bytes, as the alignment below confirms.
        unsafe impl $crate::wire::Header for $header {}
        const _: () = assert!(size_of::<$header>() == $len && align_of::<$header>() == 1);
    )*};
}
pub(crate) use headers;
