//! The director program, run in the kernel on one frame at a time, beside the same decision made
//! on the host with the same tables.

mod forwarded;
mod fuzz;
mod reasons;
mod site;

use aya::{TestRunOptions, programs::TestRun as _};
use lb_common::{
    director::{Forward, forward},
    reason::Fate,
};
use lb_user::dataplane::director::{At, Buffer, Director};
use tests::frames::{ACK, SYN, tagged};

use self::site::{INGRESS, SENT, SERVED, director, member};

const XDP_DROP: u32 = 1;
const XDP_PASS: u32 = 2;
const XDP_TX: u32 = 3;
const XDP_REDIRECT: u32 = 4;

#[test]
fn a_frame_cut_anywhere_is_truncated_or_forwarded_whole() {
    let director = director();
    let frame = tagged(SENT.tcp_with_options(SYN, 2), 0);
    let headers = 18 + 28 + 14;
    // The kernel runs a program on no fewer than 14 octets.
    for len in 14..frame.len() {
        let (action, left) = run(&director, &frame[..len]);
        if len < headers {
            assert_eq!(
                (action, &left[..]),
                (XDP_PASS, &frame[..len]),
                "{len} octets"
            );
        } else {
            assert_eq!(action, XDP_TX, "{len} octets");
        }
    }
}

#[test]
fn members_are_counted_packets_octets_and_new_flows() {
    let director = director();
    let frames = [SENT.tcp(SYN), SENT.tcp(ACK), SENT.tcp(ACK)];
    // Up to the end of the IP packet: what Ethernet pads with is nobody's.
    let octets = 3 * (14 + 20 + 20);
    for frame in &frames {
        run(&director, frame);
    }
    let counted = director.counters(member(&director, SERVED)).unwrap();
    assert_eq!(
        (counted.packets, counted.bytes, counted.flows),
        (3, octets, 1)
    );
}

/// Runs the program in the kernel, and the decision on the host, which must be the same.
fn run(director: &Director, frame: &[u8]) -> (u32, Vec<u8>) {
    let mut left = vec![0xa5; frame.len() + 4];
    let result = director
        .program()
        .unwrap()
        .test_run(TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut left),
            ..TestRunOptions::default()
        })
        .unwrap();
    let mut buffer = Buffer::from(frame);
    let tables = At::new(&director.tables, director.now().unwrap());
    let forwarded = forward(&mut buffer, INGRESS, &tables);
    let mut on_host = buffer.frame().to_vec();
    let action = match forwarded {
        Ok(Forward::Return) => XDP_TX,
        Ok(Forward::Through(_)) => XDP_REDIRECT,
        Err(reason) => {
            on_host = frame.to_vec();
            match reason.fate() {
                Fate::Pass => XDP_PASS,
                Fate::Drop => XDP_DROP,
            }
        }
    };
    assert_eq!(
        action, result.return_value,
        "the host and the kernel decide alike"
    );
    left.truncate(result.data_size_out as usize);
    assert_eq!(on_host, left, "the host and the kernel write alike");
    (result.return_value, left)
}
