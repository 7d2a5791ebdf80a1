//! Packets of a capture: pcap and pcapng.

use std::{
    fs::File,
    io::{self, Cursor, Read},
    path::Path,
};

use anyhow::{Context as _, Result, bail, ensure};
use pcap_parser::{
    Block, Linktype, PcapBlockOwned, PcapError, create_reader, traits::PcapNGPacketBlock as _,
};

use crate::{
    api::explain::{Asked, Captured, Octets, PACKETS_MAX},
    dataplane::director::FRAME_MAX,
};

/// Octets of the largest file.
const FILE_MAX: u64 = 256 << 20;

/// Reads the packets of a file, or of standard input if that is `-`.
pub(super) fn read(path: &Path) -> Result<Vec<Asked>> {
    let name = match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => path.display().to_string(),
    };
    let mut octets = Vec::new();
    let read = match path.to_str() {
        Some("-") => io::stdin()
            .lock()
            .take(FILE_MAX + 1)
            .read_to_end(&mut octets),
        _ => File::open(path).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut octets)),
    };
    read.with_context(|| format!("cannot read {name}"))?;
    packets(&octets).with_context(|| name)
}

fn packets(octets: &[u8]) -> Result<Vec<Asked>> {
    let shorter = format!("write fewer with `tcpdump -r FILE -c {PACKETS_MAX} -w -`");
    ensure!(
        octets.len() as u64 <= FILE_MAX,
        "more than {} MiB; {shorter}",
        FILE_MAX >> 20
    );
    // All of it is in the reader's memory at once, so what is incomplete then stays so.
    let reader = create_reader(octets.len() + 65_536, Cursor::new(octets));
    let mut reader = match reader {
        Ok(reader) => reader,
        Err(_) => bail!("neither pcap nor pcapng, as tcpdump -w and Wireshark write them"),
    };
    let mut link_types = Vec::new();
    let mut packets = Vec::new();
    let mut is_all_there = false;
    loop {
        let (len, block) = match reader.next() {
            Ok(found) => found,
            Err(PcapError::Eof) => return Ok(packets),
            Err(PcapError::Incomplete(_)) if !is_all_there => {
                is_all_there = true;
                if reader.refill().is_ok() {
                    continue;
                }
                bail!("it ends within packet {}", packets.len() + 1);
            }
            Err(PcapError::Incomplete(_) | PcapError::UnexpectedEof) => {
                bail!("it ends within packet {}", packets.len() + 1)
            }
            Err(_) => bail!("what follows packet {} is no packet", packets.len()),
        };
        let found = match &block {
            PcapBlockOwned::LegacyHeader(header) => {
                link_types = vec![header.network];
                None
            }
            PcapBlockOwned::Legacy(packet) => Some((0, packet.data, packet.origlen)),
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                link_types.clear();
                None
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                link_types.push(interface.linktype);
                None
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                Some((packet.if_id as usize, packet.packet_data(), packet.origlen))
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                Some((0, packet.packet_data(), packet.origlen))
            }
            PcapBlockOwned::NG(_) => None,
        };
        if let Some((interface, octets, len)) = found {
            ensure!(
                packets.len() < PACKETS_MAX,
                "more than {PACKETS_MAX} packets; {shorter}"
            );
            is_ethernet(link_types.get(interface).copied())?;
            let octets = &octets[..octets.len().min(FRAME_MAX)];
            packets.push(Asked::Captured(Captured {
                octets: Octets(octets.to_vec()),
                len,
            }));
        }
        reader.consume(len);
    }
}

fn is_ethernet(link_type: Option<Linktype>) -> Result<()> {
    match link_type {
        Some(Linktype::ETHERNET) => Ok(()),
        Some(other) => bail!(
            "it is of link type {}, and Ethernet's is 1; capture on one interface, not on `any`",
            other.0
        ),
        None => bail!("a packet is of an interface that the file does not describe"),
    }
}
