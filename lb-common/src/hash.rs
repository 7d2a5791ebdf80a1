//! Keyed hashes of addresses and ports.
//!
//! A multiply-mix of one 64-bit word per step: 3 to 4 ns for a flow, where SipHash-1-3 takes 13.
//! It is not a cryptographic hash. What protects a service is that its seed is random, secret and
//! enters before the first multiplication, and that nothing a client can see tells which slot it
//! fell on, so there is nothing to choose ports by.

use crate::{
    address::{Address, Version},
    verifier::forgotten,
    wire::{Ports, Protocol},
};

/// What a service's clients connect to.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    pub vip: Address,
    /// The port as it lies in 16 bits, then protocol and version in 8: one word to compare.
    kind: u64,
}

/// One connection's 5-tuple, as the client's packets carry it.
///
/// Words: of octets LLVM makes accesses that the verifier refuses, on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    pub client: Address,
    pub vip: Address,
    kind: Kind,
}

/// A flow's ports in 16 bits each as they lie, the client's first, then protocol and version in 8.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(pub u64);

impl Kind {
    pub fn new(ports: Ports, protocol: Protocol, version: Version) -> Self {
        let [a, b] = ports.source;
        let [c, d] = ports.destination;
        Self::of([a, b, c, d], protocol, version)
    }

    /// As `new`, of both ports as they lie. Of four loads that are not side by side LLVM makes no
    /// single one.
    pub fn of(ports: [u8; 4], protocol: Protocol, version: Version) -> Self {
        let ports = u32::from_le_bytes(ports);
        Self(u64::from(ports) | u64::from(protocol.0) << 32 | u64::from(version.0) << 40)
    }

    /// The same with 0 for the client's port.
    pub fn without_source(self) -> Self {
        Self(self.0 & !0xffff)
    }

    pub fn ports(self) -> Ports {
        let [a, b, c, d] = (self.0 as u32).to_le_bytes();
        Ports {
            source: [a, b],
            destination: [c, d],
        }
    }

    pub fn protocol(self) -> Protocol {
        Protocol((self.0 >> 32) as u8)
    }

    pub fn version(self) -> Version {
        Version((self.0 >> 40) as u8)
    }
}

/// Two random words that a service's flows are hashed with; the directors of a site share them.
pub type Seed = [u64; 2];

// Odd, of no structure: the multipliers of MurmurHash3's finalizer and of its 128-bit variant.
const MIX: u64 = 0xff51_afd7_ed55_8ccd;
const FINISH: u64 = 0xc4ce_b9fe_1a85_ec53;
const SECOND: u64 = 0x87c3_7b91_1142_53d5;
const THIRD: u64 = 0x4cf5_ad43_2745_937f;

impl Destination {
    pub fn new(vip: Address, port: [u8; 2], (protocol, version): (Protocol, Version)) -> Self {
        let [a, b] = port;
        let kind = u32::from_le_bytes([a, b, protocol.0, version.0]).into();
        Self { vip, kind }
    }

    /// From the words that it is: [`Self::words`].
    pub fn of_words([first, second, kind]: [u64; 3]) -> Self {
        let vip = Address([first, second]);
        Self { vip, kind }
    }

    pub fn words(&self) -> [u64; 3] {
        let [first, second] = self.vip.0;
        [first, second, self.kind]
    }

    pub fn port(&self) -> [u8; 2] {
        (self.kind as u16).to_le_bytes()
    }

    pub fn protocol(&self) -> Protocol {
        Protocol((self.kind >> 16) as u8)
    }

    pub fn version(&self) -> Version {
        Version((self.kind >> 24) as u8)
    }

    /// The same without its port, as the directory has what is of several.
    pub fn without_port(self) -> Self {
        let kind = self.kind & !0xffff;
        Self { kind, ..self }
    }

    /// Where the directory keeps this destination; needs no key, for only operators choose VIPs.
    #[inline(always)] // As `Flow::hash`.
    pub fn hash(&self) -> u64 {
        let [first, second] = self.vip.0;
        // Multiplied apart, they wait for one another only once.
        mix(first ^ second.wrapping_mul(SECOND) ^ self.kind.wrapping_mul(THIRD))
    }
}

impl Flow {
    pub fn new(client: Address, vip: Address, kind: Kind) -> Self {
        Self { client, vip, kind }
    }

    /// The same, of whose kind the verifier knows nothing.
    #[inline(always)] // As `forgotten`.
    pub(crate) fn forgotten(self, by: u64) -> Self {
        let kind = Kind(forgotten(self.kind.0, by));
        Self { kind, ..self }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn destination(&self) -> Destination {
        Destination {
            vip: self.vip,
            kind: self.kind.0 >> 16,
        }
    }

    #[inline(always)] // A call costs as much as the hash.
    pub fn hash(&self, seed: Seed) -> u64 {
        self.hash_of([u64::MAX; 3], seed)
    }

    /// Hashes the flow with its client's address, its VIP and its kind under masks.
    ///
    /// Octets are taken as they lie in the packet, which costs no machine that there is a swap. Of
    /// an IPv6 client's address the second word goes through a multiplication of its own, by a
    /// secret, as the client chooses both; the VIP is the operator's. Of IPv4 both second words are
    /// 0, and where the compiler knows that, nothing is multiplied.
    #[inline(always)] // As `hash`.
    pub(crate) fn hash_of(&self, masks: [u64; 3], seed: Seed) -> u64 {
        let [client, vip, kind] = masks;
        let [first, second] = self.client.0;
        let client = first & client ^ (second & client).wrapping_mul(seed[1] | 1);
        let [first, second] = self.vip.0;
        let vip = (first.rotate_left(32) ^ second.wrapping_mul(THIRD)) & vip;
        let kind = self.kind.0 & kind;
        finish(mix(mix(client ^ vip ^ seed[0]) ^ kind))
    }
}

/// Folds a word (the multiplier of MurmurHash3's finalizer).
fn mix(word: u64) -> u64 {
    let hash = word.wrapping_mul(MIX);
    hash ^ (hash >> 32)
}

/// Spreads every bit over the word (its second multiplier).
fn finish(hash: u64) -> u64 {
    let hash = hash.wrapping_mul(FINISH);
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, vec};

    use super::*;

    #[test]
    fn each_field_and_each_seed_counts() {
        let seed = [1, 2];
        let numbered = flow(1001).hash(seed);
        let flow = flow(1000);
        let v6 = |octet: usize| {
            let mut octets = [0x20; 16];
            octets[octet] = 1;
            Address::v6(octets)
        };
        let with_client = |client| Flow { client, ..flow }.hash(seed);
        let with_vip = |vip| Flow { vip, ..flow }.hash(seed);
        let with_kind = |source, destination, protocol| {
            let ports = Ports {
                source,
                destination,
            };
            let kind = Kind::new(ports, protocol, Version::V4);
            Flow { kind, ..flow }.hash(seed)
        };
        let hashes: HashSet<u64> = [
            flow.hash(seed),
            flow.hash([2, 2]),
            // The second seed is for the second word, which IPv4 has not.
            Flow {
                client: v6(15),
                ..flow
            }
            .hash([1, 4]),
            with_client(Address::v4([10, 0, 0, 8])),
            with_client(v6(0)),
            with_client(v6(7)),
            with_client(v6(8)),
            with_client(v6(15)),
            with_vip(Address::v4([10, 0, 0, 101])),
            with_vip(v6(3)),
            with_vip(v6(15)),
            with_kind([3, 232], [0, 80], Protocol::UDP),
            with_kind([3, 232], [0, 81], Protocol::TCP),
            numbered,
        ]
        .into();
        assert_eq!(hashes.len(), 14);
    }

    #[test]
    fn neighbouring_ports_and_addresses_spread_evenly_by_the_high_and_by_the_low_bits() {
        let v6 = |i: u32| {
            let mut octets = [0x20; 16];
            octets[12..].copy_from_slice(&i.to_be_bytes());
            Flow {
                client: Address::v6(octets),
                ..flow(1)
            }
        };
        let v4 = |i: u32| Flow {
            client: Address::v4(i.to_be_bytes()),
            ..flow(1)
        };
        let by_port = |i: u32| flow(i as u16);
        let seed = [0x1234_5678_9abc_def0, 42];
        spreads_evenly(|i| by_port(i).hash(seed));
        spreads_evenly(|i| v4(i).hash(seed));
        spreads_evenly(|i| v6(i).hash(seed));
    }

    #[test]
    fn neighbouring_destinations_spread_evenly_over_the_directory() {
        let kind = (Protocol::TCP, Version::V4);
        let to = |vip, port: u16| Destination::new(vip, port.to_be_bytes(), kind);
        spreads_evenly(|i| to(Address::v4([10, 0, 0, 1]), i as u16).hash());
        spreads_evenly(|i| to(Address::v4(i.to_be_bytes()), 80).hash());
        spreads_evenly(|i| to(Address([0x2000, u64::from(i) << 32]), 80).hash());
    }

    fn spreads_evenly(hash: impl Fn(u32) -> u64) {
        let mut high = vec![0_u32; 64];
        let mut low = vec![0_u32; 64];
        for i in 0..64_000 {
            let hash = hash(i);
            high[(hash >> 58) as usize] += 1;
            low[(hash & 63) as usize] += 1;
        }
        // 1000 each is expected; five standard deviations of a binomial are 158.
        for count in high.iter().chain(&low) {
            assert!((842..=1158).contains(count), "{count}");
        }
    }

    fn flow(port: u16) -> Flow {
        let ports = Ports {
            source: port.to_be_bytes(),
            destination: [0, 80],
        };
        Flow {
            client: Address::v4([10, 0, 0, 9]),
            vip: Address::v4([10, 0, 0, 100]),
            kind: Kind::new(ports, Protocol::TCP, Version::V4),
        }
    }
}
