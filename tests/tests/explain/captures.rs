//! Packets of captures: tcpdump's own, and frames as nobody sends them.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::{
    frames::{ACK, SYN, Sent, tagged},
    wait,
};

use crate::site::{CLIENT, Site, VIP, explanations, server};

/// Octets of each packet in a capture, and how many it had on the wire.
pub(crate) type Cut = (Vec<u8>, u32);

#[test]
fn tcpdump_tells_of_a_connection_that_was() -> Result<()> {
    let site = Site::new()?;
    let client = site.lab.host("client");
    let file = client.dir().join("connection.pcap");
    let file = file.to_str().context("a path")?;
    let words = [
        "tcpdump",
        "-i",
        "eth0",
        "-Q",
        "out",
        "-U",
        "-w",
        file,
        "tcp port 81",
    ];
    let mut tcpdump = client.spawn(&words)?;
    wait("tcpdump listens", || {
        Ok(tcpdump.log().contains("listening on"))
    })?;
    let page = site.page("http://172.25.138.100:81/", 40_000)?;
    let read = || client.sh(&format!("tcpdump -nr {file} 2>/dev/null"));
    wait("the connection is in the file", || {
        let ends = read()?
            .lines()
            .filter(|it| it.contains("Flags [F.]"))
            .count();
        Ok(ends == 1)
    })?;
    ensure!(tcpdump.stop()?.success(), "{}", tcpdump.log());
    let lines = read()?.lines().count();
    let told = site.explained(&format!("--pcap {file}"))?;
    assert_eq!(told.len(), lines, "as many as tcpdump reads");
    assert!(lines > 3, "{lines}");
    let parse = told[0]["parse"].as_str().unwrap_or_default();
    assert!(
        parse.contains("TCP SYN, 172.25.138.9:40000 -> 172.25.138.100:81"),
        "{parse}"
    );
    // The first would begin another connection of the same ports, which takes its turn.
    let mut homes = told.iter().map(server).collect::<Result<Vec<_>>>()?;
    homes.dedup();
    assert_eq!(homes.len(), 1, "{told:#?}");
    // What is in the middle of a connection is of the one there is.
    let middle = format!("{file}.middle");
    client.sh(&format!(
        "tcpdump -r {file} -w {middle} 'tcp[tcpflags] & tcp-syn == 0' 2>&1"
    ))?;
    for told in site.explained(&format!("--pcap {middle}"))? {
        assert_eq!(server(&told)?, page, "{told:#}");
        let flow = told["flow"].as_str().unwrap_or_default();
        assert!(!flow.starts_with("no record"), "{told:#}");
    }
    let words = site
        .director()
        .drover_words(&["explain", "-o", "json", "--pcap", "-"]);
    let words: Vec<String> = words.iter().map(|it| it.to_string_lossy().into()).collect();
    let piped = site
        .director()
        .sh(&format!("{} < {file}", words.join(" ")))?;
    assert_eq!(explanations(&piped)?.len(), lines, "standard input");
    let text = site
        .director()
        .drover(&["explain", "--pcap", file])?
        .success()?;
    assert!(
        text.starts_with("packet 1\nparse    IPv4, TCP SYN"),
        "{text}"
    );
    assert_eq!(
        text.matches("\nverdict  sent back").count(),
        lines,
        "{text}"
    );
    Ok(())
}

/// Each connection's first packet takes a turn, and what follows finds its record.
#[test]
fn a_packet_finds_what_those_before_it_have_changed() -> Result<()> {
    let site = Site::new()?;
    let of = |port, flags| whole(sent(&site, port).tcp(flags));
    let packets = [of(1, SYN), of(2, SYN), of(1, ACK), of(2, ACK)];
    let told = explain(&site, &packets)?;
    let servers = told.iter().map(server).collect::<Result<Vec<_>>>()?;
    assert_ne!(servers[0], servers[1], "they take turns");
    assert_eq!(servers[..2], servers[2..], "they stay");
    let flow = told[2]["flow"].as_str().unwrap_or_default();
    assert!(
        flow.starts_with("SYN_RECV at ") && flow.contains("it would be: ESTABLISHED"),
        "{flow}"
    );
    Ok(())
}

/// Also what becomes of it as it comes: the same frames are then counted by the program that is attached.
#[test]
fn odd_frames_are_told_as_they_are_counted() -> Result<()> {
    let site = Site::new()?;
    let plain = sent(&site, 1);
    let dying = Sent { ttl: 1, ..plain };
    let elsewhere = Sent {
        to: [2, 0, 0, 0, 0, 99],
        ..plain
    };
    let mut bad = plain.tcp(SYN);
    bad[14] = 0x44;
    let frames = [
        ("ttl_expired", "drop", whole(dying.tcp(SYN))),
        ("other_host", "pass", whole(elsewhere.tcp(SYN))),
        ("bad_header", "pass", whole(bad)),
        ("truncated", "pass", (plain.tcp(SYN)[..30].to_vec(), 60)),
        (
            "not_ip",
            "pass",
            whole([&[0xff; 12][..], &[0x08, 0x06], &[0; 46]].concat()),
        ),
        ("ttl_expired", "drop", whole(tagged(dying.tcp(SYN), 7))),
    ];
    let packets: Vec<Cut> = frames.iter().map(|(_, _, packet)| packet.clone()).collect();
    let told = explain(&site, &packets)?;
    for ((reason, action, _), told) in frames.iter().zip(&told) {
        assert_eq!(told["reason"], *reason, "{told:#}");
        assert_eq!(told["action"], *action, "{told:#}");
    }
    let verdict = told[1]["verdict"].as_str().unwrap_or_default();
    let macs = format!("02:00:00:00:00:63; eth0 is {}", site.director().mac());
    assert!(verdict.contains(&macs), "{verdict}");
    let cut = told[3]["parse"].as_str().unwrap_or_default();
    assert!(cut.ends_with("60 octets, the first 30 are here"), "{cut}");
    assert_eq!(counted(&site, "ttl_expired")?, 0, "nothing was counted");
    site.lab.host("client").transmit(&dying.tcp(SYN))?;
    wait("it is counted", || Ok(counted(&site, "ttl_expired")? == 1))
}

#[test]
fn what_is_no_capture_is_said_so_in_one_line() -> Result<()> {
    let site = Site::new()?;
    let host = site.director();
    let file = host.dir().join("odd.pcap");
    let one = pcap(&[whole(sent(&site, 1).tcp(SYN))]);
    let mut cooked = one.clone();
    cooked[20] = 113; // LINKTYPE_LINUX_SLL
    let says = "neither pcap nor pcapng, as tcpdump -w and Wireshark write them";
    for (octets, says) in [
        (
            &b"GET / HTTP/1.1\r\n\r\n, which is long enough for a header"[..],
            says,
        ),
        (&[], says),
        (&one[..one.len() - 1], "it ends within packet 1"),
        (
            &cooked,
            "it is of link type 113, and Ethernet's is 1; capture on one interface, not on `any`",
        ),
        (
            &pcap(&[(vec![0; 13], 13)]),
            "packet 1: 13 octets; of a frame, 14 to 1600 are looked at",
        ),
    ] {
        fs::write(&file, octets)?;
        let output = host.drover(&["explain", "--pcap", file.to_str().context("a path")?])?;
        assert_eq!(output.status.code(), Some(1), "{says}");
        assert_eq!(output.stdout, "");
        let line = output.stderr.strip_suffix('\n').unwrap_or_default();
        assert!(
            line.ends_with(says) && !line.contains('\n'),
            "{line}, not {says}"
        );
    }
    Ok(())
}

/// Has a file of packets explained.
pub(crate) fn explain(site: &Site, packets: &[Cut]) -> Result<Vec<Value>> {
    let file = site.director().dir().join("made.pcap");
    fs::write(&file, pcap(packets))?;
    site.explained(&format!("--pcap {}", file.display()))
}

/// As libpcap writes it (draft-ietf-opsawg-pcap sections 4 and 5).
fn pcap(packets: &[Cut]) -> Vec<u8> {
    let header = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1_u32];
    let mut octets = header.map(u32::to_le_bytes).as_flattened().to_vec();
    for (packet, len) in packets {
        let header = [0, 0, packet.len() as u32, *len];
        octets.extend(header.map(u32::to_le_bytes).as_flattened());
        octets.extend(packet);
    }
    octets
}

pub(crate) fn whole(frame: Vec<u8>) -> Cut {
    let len = frame.len() as u32;
    (frame, len)
}

pub(crate) fn sent(site: &Site, client_port: u16) -> Sent {
    Sent {
        to: site.director().mac().0,
        from: site.lab.host("client").mac().0,
        client: CLIENT,
        client_port,
        vip: VIP,
        port: 81,
        ttl: 64,
    }
}

fn counted(site: &Site, reason: &str) -> Result<u64> {
    let status = site
        .director()
        .drover(&["status", "-o", "json"])?
        .success()?;
    let status: Value = serde_json::from_str(&status)?;
    let counted = status["reasons"][reason]["packets"].as_u64();
    counted.with_context(|| status.to_string())
}
