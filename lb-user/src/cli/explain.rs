//! `drover explain`.

mod capture;

use std::{fmt::Write as _, net::SocketAddr, path::PathBuf};

use anyhow::Result;
use clap::Args;

use super::{Format, Places, output};
use crate::{
    api::{
        client,
        explain::{Answer, Asked, Explanation, Made, Question, TcpFlag},
    },
    service::Transport,
};

const EXAMPLES: &str = "Examples:
  drover explain tcp 203.0.113.7:40000 192.0.2.100:80
  drover explain tcp 203.0.113.7:40000 192.0.2.100:80 --flags ack
  drover explain udp '[2001:db8::7]:5000' '[2001:db8::100]:53' --icmp-error
  tcpdump -i eth0 -c 20 -w - dst host 192.0.2.100 | drover explain --pcap -";

/// One packet as a client would send it, or those of a capture in their order: each finds what the ones
/// before it would have changed. They are run through the program in the kernel on a copy of its
/// tables, as they are now.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
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
        let answer: Answer = client::post(&places.socket, "/v1/explain", &question)?;
        for warning in &answer.warnings {
            eprintln!("drover: {warning}");
        }
        output::print(self.output, &answer, |answer| {
            let texts = answer.packets.iter().enumerate().map(|(i, it)| {
                let title = match is_capture {
                    true => format!("packet {}\n", i + 1),
                    false => String::new(),
                };
                title + &table(it)
            });
            texts.collect::<Vec<String>>().join("\n")
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

fn table(explanation: &Explanation) -> String {
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
    let mut text = String::new();
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
            // Writing to a string does not fail.
            let _ = writeln!(text, "{step:<8} {words}");
        }
    }
    text
}
