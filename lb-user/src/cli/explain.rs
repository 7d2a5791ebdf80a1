//! `drover explain`.

mod capture;

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Result;
use clap::Args;

use super::{Format, Places, output, page::Page};
use crate::{
    api::explain::{Answer, Asked, Explanation, Made, Question, TcpFlag},
    service::Transport,
};

/// One packet as a client would send it, or those of a capture in their order: each finds what the ones
/// before it would have changed. They are run through the program in the kernel on a copy of its
/// tables, as they are now.
#[derive(Args, Debug)]
pub(super) struct Explain {
    #[arg(value_enum, requires = "vip", required_unless_present = "pcap")]
    protocol: Option<Transport>,
    /// ADDRESS:PORT that it comes from; an IPv6 address is put in brackets
    #[arg(requires = "vip")]
    client: Option<SocketAddr>,
    /// ADDRESS:PORT that it is for
    vip: Option<SocketAddr>,
    /// Of TCP [default: syn]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FLAG,...")]
    flags: Vec<TcpFlag>,
    /// The number in its 802.1Q tag
    #[arg(long, value_name = "VLAN", value_parser = clap::value_parser!(u16).range(1..=4094))]
    vlan: Option<u16>,
    /// A router's ICMP error about the answer to it, not the packet itself
    #[arg(long)]
    icmp_error: bool,
    /// The packets of a file of tcpdump or Wireshark, or of standard input: 10000 at the most
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["protocol", "flags", "vlan", "icmp_error"])]
    pcap: Option<PathBuf>,
    /// Interface that it comes in by; not needed where the director has one
    #[arg(long, value_name = "IF")]
    interface: Option<String>,
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
}

impl Explain {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        let is_capture = self.pcap.is_some();
        let question = Question {
            packets: match &self.pcap {
                Some(path) => capture::read(path)?,
                None => self.made().into_iter().map(Asked::Made).collect(),
            },
            interface: self.interface,
        };
        let what = "running the packets through a copy of the tables";
        let answer: Answer = places.post("/v1/explain", &question, what)?;
        for warning in &answer.warnings {
            eprintln!("drover: {warning}");
        }
        output::print(self.output, &answer, |answer, page| {
            for (i, packet) in answer.packets.iter().enumerate() {
                if i > 0 {
                    page.blank();
                }
                if is_capture {
                    page.line(0, &format!("packet {}", i + 1));
                }
                table(packet, page);
            }
        })
    }

    fn made(&self) -> Option<Made> {
        let protocol = self.protocol?;
        Some(Made {
            protocol,
            client: self.client?,
            vip: self.vip?,
            flags: match (protocol, self.flags.is_empty()) {
                (Transport::Tcp, true) => vec![TcpFlag::Syn],
                _ => self.flags.clone(),
            },
            vlan: self.vlan,
            icmp_error: self.icmp_error,
        })
    }
}

fn table(explanation: &Explanation, page: &mut Page) {
    let Explanation {
        parse,
        service,
        flow,
        slot,
        member,
        mac,
        verdict,
        ..
    } = explanation;
    for (step, words) in [
        ("parse", Some(parse)),
        ("service", service.as_ref()),
        ("flow", flow.as_ref()),
        ("slot", slot.as_ref()),
        ("member", member.as_ref()),
        ("MAC", mac.as_ref()),
        ("verdict", Some(verdict)),
    ] {
        if let Some(words) = words {
            page.line(9, &format!("{step:<8} {words}"));
        }
    }
}
