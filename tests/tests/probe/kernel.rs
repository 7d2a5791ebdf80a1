//! The programs, run in the kernel on one frame at a time.

use std::net::IpAddr;

use aya::{
    Ebpf, TestRunOptions,
    maps::Array,
    programs::{Program, SchedClassifier, TestRun as _},
};
use lb_common::probe::{element, may_be_received, may_be_sent};
use tests::frames::tagged;

use crate::{
    packet::{Says, frame, framed},
    site::ip,
};

/// The director, the VIP, the probe address that stands for it, and others of the same versions.
const ENDS: [[&str; 5]; 2] = [
    [
        "10.0.0.5",
        "10.0.0.100",
        "240.208.1.2",
        "240.208.1.3",
        "10.0.0.6",
    ],
    [
        "2001:db8::5",
        "2001:db8::64",
        "100::d0:102",
        "100::d0:103",
        "2001:db8::6",
    ],
];
/// What is sent, and what is answered.
const SAID: [(Says, Says); 4] = [
    (Says::Tcp(40000, 80), Says::Tcp(80, 40000)),
    (Says::Udp(40000, 53), Says::Udp(53, 40000)),
    (Says::UdpUnsummed(40001, 53), Says::UdpUnsummed(53, 40001)),
    (Says::Request(40002), Says::Reply(40002)),
];

const PASS: u32 = -1_i32 as u32;

#[test]
fn a_check_goes_to_the_vip_and_its_answer_comes_from_the_probe_address() {
    for [director, vip, probe, ..] in ENDS.map(|ends| ends.map(ip)) {
        let programs = Programs::load();
        for (sent, answered) in SAID {
            // Twice, as it is noted then.
            for _ in 0..2 {
                let out = frame(director, probe, sent);
                let want = frame(director, vip, sent);
                assert_eq!(programs.egress(&out), (PASS, want), "{sent:?} to {probe}");
            }
            let back = frame(vip, director, answered);
            let want = frame(probe, director, answered);
            assert_eq!(
                programs.ingress(&back),
                (PASS, want),
                "{answered:?} to {probe}"
            );
        }
    }
}

/// A checksum of UDP that comes to 0 goes as all ones (RFC 768).
#[test]
fn a_checksum_of_none_is_never_written() {
    for [director, vip, probe, ..] in ENDS.map(|ends| ends.map(ip)) {
        let programs = Programs::load();
        let says = Says::Udp(40000, 53);
        let is_it = |data: &[u8; 2]| {
            framed(director, vip, says, data)[40..]
                .windows(2)
                .any(|it| it == [0xff; 2])
        };
        let mut all = (0..=u16::MAX).map(u16::to_be_bytes);
        let data = all.find(is_it).unwrap();
        let out = framed(director, probe, says, &data);
        let want = framed(director, vip, says, &data);
        assert_eq!(programs.egress(&out), (PASS, want), "{data:?} to {probe}");
    }
}

#[test]
fn the_last_probe_address_that_a_flow_went_to_has_its_answers() {
    for [director, vip, probe, other, _] in ENDS.map(|ends| ends.map(ip)) {
        let mut programs = Programs::load();
        programs.insert(other, vip);
        for ((sent, answered), probe) in SAID.into_iter().zip([probe, other].into_iter().cycle()) {
            for probe in [probe, other, probe] {
                programs.egress(&frame(director, probe, sent));
                let (_, left) = programs.ingress(&frame(vip, director, answered));
                assert_eq!(left, frame(probe, director, answered), "{sent:?}");
            }
        }
    }
}

#[test]
fn what_is_not_of_a_check_passes_untouched() {
    for [director, vip, probe, unset, another] in ENDS.map(|ends| ends.map(ip)) {
        let programs = Programs::load();
        let [tcp, udp, request] = [Says::Tcp(40000, 80), Says::Udp(40003, 53), Says::Request(7)];
        for sent in [tcp, udp, request] {
            programs.egress(&frame(director, probe, sent));
        }
        let sent = |to, says| frame(director, to, says);
        let mut out = vec![
            ("to the VIP itself", sent(vip, tcp)),
            ("to a probe address that nobody has", sent(unset, tcp)),
            ("to another address", sent(another, tcp)),
            ("an echo reply", sent(probe, Says::Reply(7))),
            ("in a tag", tagged(sent(probe, tcp), 100)),
            ("SCTP", other_protocol(sent(probe, tcp), 132)),
            (
                "ICMP of the other version",
                other_protocol(sent(probe, request), if vip.is_ipv4() { 58 } else { 1 }),
            ),
            ("what is no IP", other_type(sent(probe, tcp))),
        ];
        let got = |from, to, says| frame(from, to, says);
        let back = Says::Tcp(80, 40000);
        let mut came = vec![
            ("to another port", got(vip, director, Says::Tcp(80, 40001))),
            (
                "from another port",
                got(vip, director, Says::Tcp(81, 40000)),
            ),
            ("from another address", got(another, director, back)),
            ("to another address", got(vip, another, back)),
            (
                "by another protocol",
                got(vip, director, Says::Udp(80, 40000)),
            ),
            ("another echo", got(vip, director, Says::Reply(8))),
            ("an echo request", got(vip, director, Says::Request(7))),
            ("from the port of a check", got(director, vip, tcp)),
            ("in a tag", tagged(got(vip, director, back), 100)),
            ("SCTP", other_protocol(got(vip, director, back), 132)),
            ("what is no IP", other_type(got(vip, director, back))),
        ];
        if vip.is_ipv4() {
            let changed = |mut frame: Vec<u8>, at: usize, octet| {
                frame[at] = octet;
                frame
            };
            for (what, at, octet) in [
                ("a first fragment", 20, 0x20),
                ("a later fragment", 21, 1),
                ("with options", 14, 0x46),
                ("of no version", 14, 0x65),
            ] {
                out.push((what, changed(sent(probe, tcp), at, octet)));
                came.push((what, changed(got(vip, director, back), at, octet)));
            }
        } else {
            out.push(("an extension header", other_protocol(sent(probe, tcp), 60)));
            came.push((
                "an extension header",
                other_protocol(got(vip, director, back), 60),
            ));
        }
        for (what, frame) in out {
            assert_eq!(
                programs.egress(&frame),
                (PASS, frame),
                "out: {what}, {probe}"
            );
        }
        for (what, frame) in came {
            assert_eq!(
                programs.ingress(&frame),
                (PASS, frame),
                "in: {what}, {probe}"
            );
        }
    }
}

#[test]
fn every_truncation_passes_untouched() {
    for [director, vip, probe, ..] in ENDS.map(|ends| ends.map(ip)) {
        let programs = Programs::load();
        // To make a buffer, the kernel wants the whole of an IP header.
        let network = if vip.is_ipv4() { 34 } else { 54 };
        for ((sent, answered), headers) in SAID.into_iter().zip([18, 8, 8, 8]) {
            let out = frame(director, probe, sent);
            for len in network..network + headers {
                let out = &out[..len];
                assert_eq!(
                    programs.egress(out),
                    (PASS, out.to_vec()),
                    "{sent:?}, {len}"
                );
            }
            programs.egress(&out);
            let back = frame(vip, director, answered);
            for len in network..network + headers {
                let back = &back[..len];
                assert_eq!(
                    programs.ingress(back),
                    (PASS, back.to_vec()),
                    "{answered:?}, {len}"
                );
            }
        }
    }
}

/// The rest of such a frame is asked for; of all others it is not.
#[test]
fn what_may_be_a_check_is_known_from_its_head() {
    struct Ports;
    impl lb_common::probe::Path for Ports {
        fn vip(&self, _: lb_common::address::Address) -> Option<lb_common::address::Address> {
            None
        }
        fn has_port(&self, port: [u8; 2]) -> bool {
            port == 40000_u16.to_be_bytes()
        }
        fn probe(&self, _: &lb_common::probe::Flow) -> Option<lb_common::address::Address> {
            None
        }
    }
    for [director, vip, probe, _, another] in ENDS.map(|ends| ends.map(ip)) {
        let network = if vip.is_ipv4() { 34 } else { 54 };
        let out = frame(director, probe, Says::Tcp(40000, 80));
        let other = frame(director, another, Says::Tcp(40000, 80));
        let back = frame(vip, director, Says::Tcp(80, 40000));
        let stray = frame(vip, director, Says::Tcp(80, 40001));
        for (what, may_be, want) in [
            ("no header", may_be_sent(&out[..network - 1]), true),
            ("to a probe address", may_be_sent(&out[..network]), true),
            ("to another", may_be_sent(&other[..network]), false),
            (
                "no header in",
                may_be_received(&back[..network - 1], &Ports),
                true,
            ),
            (
                "no port",
                may_be_received(&stray[..network + 3], &Ports),
                true,
            ),
            (
                "a port",
                may_be_received(&back[..network + 8], &Ports),
                true,
            ),
            (
                "another port",
                may_be_received(&stray[..network + 8], &Ports),
                false,
            ),
            ("no Ethernet", may_be_received(&back[..13], &Ports), false),
        ] {
            assert_eq!(may_be, want, "{what}, {vip}");
        }
    }
}

struct Programs(Ebpf);

impl Programs {
    /// With the probe addresses of both versions.
    fn load() -> Self {
        let mut ebpf = Ebpf::load(lb_user::dataplane::probe::OBJECT).unwrap();
        for (_, program) in ebpf.programs_mut() {
            let program: &mut SchedClassifier = program.try_into().unwrap();
            program.load().unwrap();
        }
        let mut programs = Self(ebpf);
        for [_, vip, probe, ..] in ENDS {
            programs.insert(ip(probe), ip(vip));
        }
        programs
    }

    fn insert(&mut self, probe: IpAddr, vip: IpAddr) {
        let [probe, vip] = [probe, vip].map(|ip| lb_user::address::of(ip).0);
        let map = self.0.map_mut("PROBES").unwrap();
        let mut map: Array<_, [u64; 2]> = map.try_into().unwrap();
        map.set(element(probe).unwrap(), vip.0, 0).unwrap();
    }

    fn egress(&self, frame: &[u8]) -> (u32, Vec<u8>) {
        run(self.0.program("probe_egress").unwrap(), frame)
    }

    fn ingress(&self, frame: &[u8]) -> (u32, Vec<u8>) {
        run(self.0.program("probe_ingress").unwrap(), frame)
    }
}

/// Runs a program on a frame once; returns its answer and the frame it left.
fn run(program: &Program, frame: &[u8]) -> (u32, Vec<u8>) {
    let program: &SchedClassifier = program.try_into().unwrap();
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

fn other_protocol(mut frame: Vec<u8>, protocol: u8) -> Vec<u8> {
    let at = if frame[12] == 8 { 23 } else { 20 };
    frame[at] = protocol;
    frame
}

fn other_type(mut frame: Vec<u8>) -> Vec<u8> {
    frame[12..14].copy_from_slice(&[0x88, 0xcc]);
    frame
}
