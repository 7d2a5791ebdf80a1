//! The programs with their maps, and what a frame must become, be counted as, and be on this side.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aya::{
    Ebpf, TestRunOptions, TestRunResult,
    maps::{Array, HashMap, MapData, PerCpuArray},
    programs::{Program, SchedClassifier, TestRun, Xdp},
};
use lb_common::{
    realserver::{Counts, Rip, Rip6, Vip},
    verdict::{Own, Subject, Verdict},
};

/// What becomes of a frame, and which VIP it is counted for; and the RIP in the VIP's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Pass,
    Asked(IpAddr),
    Claimed(IpAddr),
    Mangled(IpAddr, IpAddr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
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

/// The programs, and what their maps have.
pub(crate) struct Server {
    pub(crate) ebpf: Ebpf,
    known: Known,
}

#[derive(Default)]
struct Known {
    vips: Vec<IpAddr>,
    rips: Vec<Rip>,
    rips6: Vec<Rip6>,
}

impl Server {
    pub(crate) fn load() -> Self {
        let mut ebpf = Ebpf::load(lb_user::dataplane::realserver::OBJECT).unwrap();
        for (_, program) in ebpf.programs_mut() {
            if let Program::Xdp(program) = program {
                program.load().unwrap();
            } else if let Program::SchedClassifier(program) = program {
                program.load().unwrap();
            }
        }
        Self {
            ebpf,
            known: Known::default(),
        }
    }

    pub(crate) fn add_vip(&mut self, vip: impl Into<IpAddr>) {
        let vip = vip.into();
        let value = [self.known.vips.len() as u32, 0];
        match vip {
            IpAddr::V4(vip) => {
                let map = self.ebpf.map_mut("VIPS").unwrap();
                let mut vips: HashMap<_, [u8; 4], [u32; 2]> = map.try_into().unwrap();
                vips.insert(vip.octets(), value, 0).unwrap();
            }
            IpAddr::V6(vip) => {
                let map = self.ebpf.map_mut("VIPS6").unwrap();
                let mut vips: HashMap<_, [u8; 16], [u32; 2]> = map.try_into().unwrap();
                vips.insert(vip.octets(), value, 0).unwrap();
            }
        }
        self.known.vips.push(vip);
    }

    pub(crate) fn set_rips(&mut self, rips: &[Rip]) {
        self.known.rips = rips.to_vec();
        let map = self.ebpf.map_mut("RIPS").unwrap();
        let mut map: Array<_, [[u8; 4]; 2]> = map.try_into().unwrap();
        for index in 0..16 {
            let rip = rips.get(index).copied().unwrap_or_default();
            map.set(index as u32, [rip.address, rip.mask], 0).unwrap();
        }
    }

    pub(crate) fn set_rips6(&mut self, rips: &[Rip6]) {
        self.known.rips6 = rips.to_vec();
        let map = self.ebpf.map_mut("RIPS6").unwrap();
        let mut map: Array<_, [[u8; 16]; 2]> = map.try_into().unwrap();
        for index in 0..16 {
            let rip = rips.get(index).copied().unwrap_or_default();
            map.set(index as u32, [rip.address, rip.mask], 0).unwrap();
        }
    }

    pub(crate) fn passes(&mut self, frame: &[u8]) {
        // To make a buffer of IPv6, the kernel wants its whole header (`bpf_prog_test_run_skb`).
        let is_cut_short = frame[12..].starts_with(&[0x86, 0xdd]) && frame.len() < 14 + 40;
        let hooks = [Hook::Xdp, Hook::TcIngress, Hook::TcEgress];
        let hooks = if is_cut_short { &hooks[..1] } else { &hooks };
        for &hook in hooks {
            let what = format!("{frame:02x?}, {hook:?}");
            self.check(&what, hook, frame, frame, Fate::Pass);
        }
    }

    /// Runs a program, and compares its answer, the whole frame that it leaves, the counts, and
    /// what the same decision is on this side.
    pub(crate) fn check(&mut self, what: &str, hook: Hook, frame: &[u8], left: &[u8], fate: Fate) {
        let [keep, drop] = hook.answers();
        let answer = match fate {
            Fate::Pass | Fate::Mangled(..) => keep,
            Fate::Asked(_) | Fate::Claimed(_) => drop,
        };
        let before = self.counts();
        assert_eq!(self.run(hook, frame), (answer, left.to_vec()), "{what}");
        let mut after = before;
        let count = |vip: IpAddr| self.known.vips.iter().position(|it| *it == vip).unwrap();
        match fate {
            Fate::Pass => {}
            Fate::Asked(vip) => after[count(vip)].asked += 1,
            Fate::Claimed(vip) => after[count(vip)].claimed += 1,
            Fate::Mangled(vip, _) => after[count(vip)].mangled += 1,
        }
        assert_eq!(self.counts(), after, "{what}");
        assert_eq!(
            self.known.judged(hook, frame),
            (fate, left.to_vec()),
            "{what}, on this side"
        );
    }

    fn run(&self, hook: Hook, frame: &[u8]) -> (u32, Vec<u8>) {
        let name = match hook {
            Hook::Xdp => "vip_ingress",
            Hook::TcIngress => "vip_ingress_tc",
            Hook::TcEgress => "vip_egress",
        };
        let program = self.ebpf.program(name).unwrap();
        match hook {
            Hook::Xdp => run::<Xdp>(program.try_into().unwrap(), frame),
            Hook::TcIngress | Hook::TcEgress => {
                run::<SchedClassifier>(program.try_into().unwrap(), frame)
            }
        }
    }

    fn counts(&self) -> [Counts; 4] {
        let map = self.ebpf.map("COUNTS").unwrap();
        let map: PerCpuArray<&MapData, [u64; 3]> = map.try_into().unwrap();
        [0, 1, 2, 3].map(|index| {
            let all = map.get(&index, 0).unwrap();
            all.iter()
                .fold(Counts::default(), |sum, [asked, claimed, mangled]| Counts {
                    asked: sum.asked + asked,
                    claimed: sum.claimed + claimed,
                    mangled: sum.mangled + mangled,
                })
        })
    }
}

impl Known {
    /// The fate of a frame, and what is left of it.
    fn judged(&self, hook: Hook, frame: &[u8]) -> (Fate, Vec<u8>) {
        let mut left = frame.to_vec();
        let verdict = Subject::of(frame).map(|subject| match hook {
            Hook::Xdp | Hook::TcIngress => subject.ingress(frame, self),
            Hook::TcEgress => subject.egress(frame, self),
        });
        let vip = |vip: Vip| self.vips[vip.index as usize];
        let fate = match verdict {
            None | Some(Verdict::Pass) => Fate::Pass,
            Some(Verdict::Asked(it)) => Fate::Asked(vip(it)),
            Some(Verdict::Claimed(it)) => Fate::Claimed(vip(it)),
            Some(Verdict::Mangled(it, how)) => {
                let rip = Ipv6Addr::from(how.rip).to_canonical();
                match rip {
                    IpAddr::V4(rip) => left[how.offset..][..4].copy_from_slice(&rip.octets()),
                    IpAddr::V6(rip) => {
                        left[how.offset..][..16].copy_from_slice(&rip.octets());
                        left[how.checksum_offset..][..2].copy_from_slice(&how.checksum);
                    }
                }
                Fate::Mangled(vip(it), rip)
            }
        };
        (fate, left)
    }

    fn entry(&self, address: IpAddr) -> Option<Vip> {
        let index = self.vips.iter().position(|vip| *vip == address)?;
        Some(Vip {
            index: index as u32,
            flags: 0,
        })
    }
}

impl Own for Known {
    fn vip(&self, address: [u8; 4]) -> Option<Vip> {
        self.entry(Ipv4Addr::from(address).into())
    }

    fn vip6(&self, address: &[u8; 16]) -> Option<Vip> {
        self.entry(Ipv6Addr::from(*address).into())
    }

    fn rips(&self) -> impl Iterator<Item = Rip> {
        self.rips.iter().copied()
    }

    fn rips6(&self) -> impl Iterator<Item = Rip6> {
        self.rips6.iter().copied()
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
