//! The programs of a real server, run in the kernel on one frame at a time. Needs root.

use aya::{
    Ebpf, TestRunOptions, TestRunResult,
    maps::{Array, HashMap, MapData, PerCpuArray},
    programs::{Program, SchedClassifier, TestRun, Xdp},
};
use lb_common::{
    arp::{self, Verdict},
    realserver::{Counts, Rip, Vip},
};

const VIP: [u8; 4] = [10, 0, 0, 100];
const OTHER_VIP: [u8; 4] = [192, 0, 2, 1];
const RIP: [u8; 4] = [10, 0, 0, 1];
const FAR_RIP: [u8; 4] = [10, 1, 0, 1];
const PEER: [u8; 4] = [10, 0, 0, 9];
const FAR_PEER: [u8; 4] = [10, 1, 0, 9];
const NOBODY: [u8; 4] = [0; 4];
const STRANGER: [u8; 4] = [198, 51, 100, 7];

const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const TAGS: [&[u8]; 4] = [
    &[],
    &[0x81, 0x00, 0xa5, 0xa5],
    &[0x88, 0xa8, 0xa5, 0xa5],
    &[0x88, 0xa8, 0xa5, 0xa5, 0x81, 0x00, 0xa5, 0xa5],
];

/// What becomes of a frame, and what is counted for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Pass,
    Asked([u8; 4]),
    Claimed([u8; 4]),
    Mangled([u8; 4], [u8; 4]),
}
use Fate::{Asked, Claimed, Mangled, Pass};

/// Operation, sender, target; its fate on the way in, and on the way out.
type Row = (&'static str, u8, [u8; 4], [u8; 4], Fate, Fate);

#[rustfmt::skip]
const TABLE: [Row; 18] = [
    ("request for the VIP", REQUEST, PEER, VIP, Asked(VIP), Pass),
    ("request for the other VIP", REQUEST, PEER, OTHER_VIP, Asked(OTHER_VIP), Pass),
    ("probe for the VIP", REQUEST, NOBODY, VIP, Asked(VIP), Claimed(VIP)),
    ("announcement by request", REQUEST, VIP, VIP, Asked(VIP), Claimed(VIP)),
    ("announcement by reply", REPLY, VIP, VIP, Asked(VIP), Claimed(VIP)),
    ("reply to the VIP", REPLY, PEER, VIP, Asked(VIP), Pass),
    ("request from the VIP", REQUEST, VIP, PEER, Pass, Mangled(VIP, RIP)),
    ("request from the VIP into the second subnet", REQUEST, VIP, FAR_PEER, Pass, Mangled(VIP, FAR_RIP)),
    ("request from the VIP into no subnet", REQUEST, VIP, STRANGER, Pass, Mangled(VIP, RIP)),
    ("request from VIP to VIP", REQUEST, OTHER_VIP, VIP, Asked(VIP), Mangled(OTHER_VIP, RIP)),
    ("reply from the VIP", REPLY, VIP, PEER, Pass, Claimed(VIP)),
    ("reply from VIP to VIP", REPLY, VIP, OTHER_VIP, Asked(OTHER_VIP), Claimed(VIP)),
    ("request for the RIP", REQUEST, PEER, RIP, Pass, Pass),
    ("request from the RIP", REQUEST, RIP, PEER, Pass, Pass),
    ("reply from the RIP", REPLY, RIP, PEER, Pass, Pass),
    ("announcement of the RIP", REQUEST, RIP, RIP, Pass, Pass),
    ("probe for the RIP", REQUEST, NOBODY, RIP, Pass, Pass),
    ("reply from nobody", REPLY, NOBODY, VIP, Asked(VIP), Pass),
];

#[test]
fn every_class_has_its_fate_is_counted_and_otherwise_untouched() {
    let mut server = Server::load();
    for (what, operation, sender, target, on_ingress, on_egress) in TABLE {
        for tags in TAGS {
            let frame = frame(tags, operation, sender, target);
            for (hook, fate) in [
                (Hook::Xdp, on_ingress),
                (Hook::TcIngress, on_ingress),
                (Hook::TcEgress, on_egress),
            ] {
                let what = format!("{what}, {} octets of tags, {hook:?}", tags.len());
                server.check(&what, hook, &frame, sender_at(tags), fate);
            }
        }
    }
}

#[test]
fn what_is_no_arp_of_ipv4_over_ethernet_passes() {
    let mut server = Server::load();
    // Octets of the ARP that are not what they should be.
    let others = [(1, 6), (2, 0x86), (4, 8), (5, 16), (7, 3), (7, 8), (6, 1)];
    for tags in TAGS {
        for (octet, value) in others {
            let mut frame = frame(tags, REQUEST, VIP, VIP);
            frame[14 + tags.len() + octet] = value;
            server.passes(&frame);
        }
        for ether_type in [[0x08, 0x00], [0x86, 0xdd], [0x80, 0x35], [0x88, 0xcc]] {
            let mut frame = frame(tags, REQUEST, VIP, VIP);
            frame[12 + tags.len()..][..2].copy_from_slice(&ether_type);
            server.passes(&frame);
        }
    }
    server.passes(&frame(&TAGS[1].repeat(3), REQUEST, VIP, VIP));
}

#[test]
fn every_truncation_passes() {
    let mut server = Server::load();
    for tags in TAGS {
        let whole = frame(tags, REQUEST, VIP, VIP);
        let end = 14 + tags.len() + 28;
        // The kernel takes no frame that is shorter than an Ethernet header.
        for len in 14..end {
            server.passes(&whole[..len]);
        }
        let fates = [
            (Hook::Xdp, Asked(VIP)),
            (Hook::TcIngress, Asked(VIP)),
            (Hook::TcEgress, Claimed(VIP)),
        ];
        for (hook, fate) in fates {
            server.check("unpadded", hook, &whole[..end], sender_at(tags), fate);
        }
    }
}

#[test]
fn without_a_rip_nothing_is_asked_in_the_name_of_a_vip() {
    let mut server = Server::load();
    server.set_rips(&[]);
    let frame = frame(&[], REQUEST, VIP, PEER);
    server.check(
        "no RIP",
        Hook::TcEgress,
        &frame,
        sender_at(&[]),
        Claimed(VIP),
    );
}

#[test]
fn the_last_of_the_rips_counts() {
    let mut server = Server::load();
    let mut rips = [Rip {
        address: FAR_RIP,
        mask: [255; 4],
    }; 16];
    rips[15] = Rip {
        address: RIP,
        mask: [255, 255, 255, 0],
    };
    server.set_rips(&rips);
    let frame = frame(&[], REQUEST, VIP, PEER);
    server.check(
        "last",
        Hook::TcEgress,
        &frame,
        sender_at(&[]),
        Mangled(VIP, RIP),
    );
}

#[test]
fn the_object_has_no_maps_but_its_own() {
    let server = Server::load();
    let maps = server.ebpf.maps().map(|(name, _)| name);
    // The constants of the programs.
    let mut names: Vec<&str> = maps.filter(|name| !name.starts_with(".rodata")).collect();
    names.sort();
    assert_eq!(names, ["AYA_LOGS", "COUNTS", "RIPS", "VIPS", "WATCHED"]);
}

#[test]
fn the_verifier_has_room_to_spare() {
    let server = Server::load();
    for (name, program) in server.ebpf.programs() {
        let verified = program
            .info()
            .unwrap()
            .verified_instruction_count()
            .unwrap();
        println!("{name}: {verified} instructions verified");
        assert!(verified < 10_000, "{name}: {verified}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hook {
    Xdp,
    TcIngress,
    TcEgress,
}

impl Hook {
    /// What the hook answers to keep a frame, and to drop it.
    fn answers(self) -> [u32; 2] {
        match self {
            Self::Xdp => [2, 1],
            Self::TcIngress | Self::TcEgress => [-1_i32 as u32, 2],
        }
    }
}

/// The programs, with two VIPs and two RIPs.
struct Server {
    ebpf: Ebpf,
    rips: Vec<Rip>,
}

impl Server {
    fn load() -> Self {
        let mut ebpf = Ebpf::load(lb_user::dataplane::realserver::OBJECT).unwrap();
        for (_, program) in ebpf.programs_mut() {
            if let Program::Xdp(program) = program {
                program.load().unwrap();
            } else if let Program::SchedClassifier(program) = program {
                program.load().unwrap();
            }
        }
        let mut vips: HashMap<_, [u8; 4], [u32; 2]> =
            ebpf.map_mut("VIPS").unwrap().try_into().unwrap();
        for vip in [VIP, OTHER_VIP] {
            vips.insert(vip, [entry(vip).unwrap().index, 0], 0).unwrap();
        }
        let mut server = Self {
            ebpf,
            rips: Vec::new(),
        };
        server.set_rips(&[
            Rip {
                address: RIP,
                mask: [255, 255, 255, 0],
            },
            Rip {
                address: FAR_RIP,
                mask: [255, 255, 0, 0],
            },
        ]);
        server
    }

    fn set_rips(&mut self, rips: &[Rip]) {
        self.rips = rips.to_vec();
        let mut map: Array<_, [[u8; 4]; 2]> =
            self.ebpf.map_mut("RIPS").unwrap().try_into().unwrap();
        for index in 0..16 {
            let rip = rips.get(index).copied().unwrap_or_default();
            map.set(index as u32, [rip.address, rip.mask], 0).unwrap();
        }
    }

    fn passes(&mut self, frame: &[u8]) {
        for hook in [Hook::Xdp, Hook::TcIngress, Hook::TcEgress] {
            self.check(&format!("{frame:02x?}, {hook:?}"), hook, frame, 0, Pass);
        }
    }

    /// Runs a program, and compares its answer, the whole frame, the counts, and what the same
    /// decision is on this side.
    fn check(&mut self, what: &str, hook: Hook, frame: &[u8], sender_at: usize, fate: Fate) {
        let [keep, drop] = hook.answers();
        let mut left = frame.to_vec();
        let answer = match fate {
            Pass => keep,
            Asked(_) | Claimed(_) => drop,
            Mangled(_, rip) => {
                left[sender_at..][..4].copy_from_slice(&rip);
                keep
            }
        };
        let before = self.counts();
        assert_eq!(self.run(hook, frame), (answer, left), "{what}");
        let mut after = before;
        let count = |vip: [u8; 4]| entry(vip).unwrap().index as usize;
        match fate {
            Pass => {}
            Asked(vip) => after[count(vip)].asked += 1,
            Claimed(vip) => after[count(vip)].claimed += 1,
            Mangled(vip, _) => after[count(vip)].mangled += 1,
        }
        assert_eq!(self.counts(), after, "{what}");
        let verdict = match hook {
            Hook::Xdp | Hook::TcIngress => arp::ingress(frame, entry),
            Hook::TcEgress => arp::egress(frame, entry, self.rips.iter().copied()),
        };
        let here = match verdict {
            Verdict::Pass => Pass,
            Verdict::Asked(vip) => Asked(address(vip)),
            Verdict::Claimed(vip) => Claimed(address(vip)),
            Verdict::Mangled { vip, rip, .. } => Mangled(address(vip), rip),
        };
        assert_eq!(here, fate, "{what}, on this side");
    }

    fn run(&self, hook: Hook, frame: &[u8]) -> (u32, Vec<u8>) {
        let name = match hook {
            Hook::Xdp => "arp_ingress",
            Hook::TcIngress => "arp_ingress_tc",
            Hook::TcEgress => "arp_egress",
        };
        let program = self.ebpf.program(name).unwrap();
        match hook {
            Hook::Xdp => run::<Xdp>(program.try_into().unwrap(), frame),
            Hook::TcIngress | Hook::TcEgress => {
                run::<SchedClassifier>(program.try_into().unwrap(), frame)
            }
        }
    }

    fn counts(&self) -> [Counts; 2] {
        let map: PerCpuArray<&MapData, [u64; 3]> =
            self.ebpf.map("COUNTS").unwrap().try_into().unwrap();
        [0, 1].map(|index| {
            map.get(&index, 0).unwrap().iter().fold(
                Counts::default(),
                |sum, [asked, claimed, mangled]| Counts {
                    asked: sum.asked + asked,
                    claimed: sum.claimed + claimed,
                    mangled: sum.mangled + mangled,
                },
            )
        })
    }
}

/// Runs a program on a frame once; returns its answer and the frame it left.
fn run<P>(program: &P, frame: &[u8]) -> (u32, Vec<u8>)
where
    P: for<'a> TestRun<Opts<'a> = TestRunOptions<'a>, Result = TestRunResult>,
{
    // Longer, so that a frame that grew would show.
    let mut left = vec![0; frame.len() + 64];
    let result = program
        .test_run(TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut left),
            ..Default::default()
        })
        .unwrap();
    left.truncate(result.data_size_out as usize);
    (result.return_value, left)
}

fn entry(address: [u8; 4]) -> Option<Vip> {
    let index = [VIP, OTHER_VIP].iter().position(|vip| *vip == address)?;
    Some(Vip {
        index: index as u32,
        flags: 0,
    })
}

fn address(vip: Vip) -> [u8; 4] {
    [VIP, OTHER_VIP][vip.index as usize]
}

/// Where the sender's address is.
fn sender_at(tags: &[u8]) -> usize {
    14 + tags.len() + 14
}

/// A frame whose every octet that does not matter is 0xa5, padded as on a wire.
fn frame(tags: &[u8], operation: u8, sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![0xa5; 12];
    frame.extend(tags);
    frame.extend([0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, operation]);
    frame.extend([0xa5; 6]);
    frame.extend(sender);
    frame.extend([0xa5; 6]);
    frame.extend(target);
    frame.resize(frame.len() + 18, 0xa5);
    frame
}
