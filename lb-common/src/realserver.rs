//! What the maps of a real server hold. Each interface has maps of its own.

pub const VIPS_MAX: usize = 256;
/// Addresses of one interface among which a RIP is chosen.
pub const RIPS_MAX: usize = 16;
/// Frames of one interface that a watcher is told of in one second. Their records fill half of the
/// ring at most, so that none is lost in it.
pub const TOLD_PER_SECOND: u64 = 100;

/// A VIP, found by its address.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vip {
    /// Where its [`Counts`] are.
    pub index: u32,
    pub flags: u32,
}

impl Vip {
    /// The address on `lo` was put there with this entry, and goes with it.
    pub const ADDED: u32 = 1;

    pub fn is_added(self) -> bool {
        self.flags & Self::ADDED != 0
    }
}

/// What was done about one VIP.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that came in for the VIP, and got no answer.
    pub asked: u64,
    /// Frames that would have gone out and claimed the VIP.
    pub claimed: u64,
    /// Requests that asked in the VIP's name, and went out in the RIP's.
    pub mangled: u64,
}

/// An address of an interface, and the mask of its subnet. They are kept in the interface's order.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rip {
    pub address: [u8; 4],
    pub mask: [u8; 4],
}

/// As [`Rip`], of IPv6. The link-local address is the first: it may ask for anyone on the link.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rip6 {
    pub address: [u8; 16],
    pub mask: [u8; 16],
}

/// An address and its subnet, of either family.
pub trait Net: Copy {
    type Address: Copy;

    fn address(&self) -> Self::Address;

    fn is_set(&self) -> bool;

    /// Whether `target` is in its subnet.
    fn reaches(&self, target: Self::Address) -> bool;
}

impl Net for Rip {
    type Address = [u8; 4];

    fn address(&self) -> [u8; 4] {
        self.address
    }

    fn is_set(&self) -> bool {
        self.address != [0; 4]
    }

    fn reaches(&self, target: [u8; 4]) -> bool {
        let [address, mask, target] = [self.address, self.mask, target].map(u32::from_ne_bytes);
        (address ^ target) & mask == 0
    }
}

impl Net for Rip6 {
    type Address = [u8; 16];

    fn address(&self) -> [u8; 16] {
        self.address
    }

    fn is_set(&self) -> bool {
        self.address != [0; 16]
    }

    fn reaches(&self, target: [u8; 16]) -> bool {
        let [address, mask, target] = [self.address, self.mask, target].map(u128::from_ne_bytes);
        (address ^ target) & mask == 0
    }
}

/// The address among `rips` that this host asks for `target` with: the first whose subnet holds it,
/// else the first, as in the kernel's `inet_select_addr`. Unset ones end the list.
pub fn rip_toward<R: Net>(
    rips: impl IntoIterator<Item = R>,
    target: R::Address,
) -> Option<R::Address> {
    let mut rips = rips.into_iter().take_while(R::is_set);
    let first = rips.next()?;
    if first.reaches(target) {
        return Some(first.address());
    }
    // A loop: the verifier follows each way through an iterator's adapters.
    for rip in rips {
        if rip.reaches(target) {
            return Some(rip.address());
        }
    }
    Some(first.address())
}

const _: () = assert!(size_of::<Vip>() == 8);
const _: () = assert!(size_of::<Counts>() == 24);
const _: () = assert!(size_of::<Rip>() == 8);
const _: () = assert!(size_of::<Rip6>() == 32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rip_is_chosen_as_the_kernel_would() {
        let rip = |address, mask| Rip { address, mask };
        let first = rip([10, 0, 0, 1], [255, 255, 255, 0]);
        let second = rip([10, 1, 0, 1], [255, 255, 0, 0]);
        let point = rip([10, 1, 2, 3], [255, 255, 255, 255]);
        for (rips, target, want) in [
            (&[][..], [10, 0, 0, 9], None),
            (&[first], [10, 0, 0, 9], Some(first)),
            (&[first], [192, 0, 2, 1], Some(first)),
            (&[first, second], [10, 0, 0, 9], Some(first)),
            (&[first, second], [10, 1, 255, 9], Some(second)),
            (&[first, second], [10, 2, 0, 9], Some(first)),
            (&[point, first, second], [10, 1, 2, 4], Some(second)),
            (&[point, first, second], [192, 0, 2, 1], Some(point)),
        ] {
            let want = want.map(|rip| rip.address);
            let kept = rips.iter().copied().chain([Rip::default(), first]);
            assert_eq!(rip_toward(kept, target), want, "{target:?} from {rips:?}");
        }
    }
}
