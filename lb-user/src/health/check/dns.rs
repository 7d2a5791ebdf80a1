//! A question to a name server, over UDP or TCP as the service has it.

use domain::base::{
    Message, MessageBuilder, Name, Rtype, StreamTarget,
    iana::{Class, Rcode},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Bad, Good, Probe, random, tcp, told, udp::Socket};
use crate::service::Transport;

/// Octets of an answer over UDP: what goes through any network unfragmented (DNS Flag Day 2020).
const DATAGRAM: u16 = 1232;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    pub name: Name<Vec<u8>>,
    pub kind: Rtype,
    /// With NOERROR, a record is wanted as well.
    pub rcode: Rcode,
}

impl Dns {
    pub(super) async fn check(&self, probe: &Probe) -> Result<Good, Bad> {
        let id = u16::from_ne_bytes(random());
        let query = self.query(id).ok_or("the query is too long")?;
        let asked = Message::from_octets(query.as_dgram_slice());
        let asked = asked.map_err(|_short| "the query is too short")?;
        if probe.service.protocol == Transport::Tcp {
            let answer = over_tcp(probe, query.as_stream_slice()).await?;
            return self.judge(&asked, &answer);
        }
        let socket = Socket::connect(probe).await?;
        socket.send(query.as_dgram_slice()).await?;
        loop {
            let answer = probe.by("answer", socket.receive()).await??;
            let is_late =
                |answer| !matches!(Message::from_slice(answer), Ok(it) if it.header().id() == id);
            if !is_late(&answer) {
                return self.judge(&asked, &answer);
            }
        }
    }

    fn query(&self, id: u16) -> Option<StreamTarget<Vec<u8>>> {
        let mut query = MessageBuilder::from_target(StreamTarget::new_vec()).ok()?;
        query.header_mut().set_id(id);
        query.header_mut().set_rd(true);
        let mut query = query.question();
        query.push((&self.name, self.kind, Class::IN)).ok()?;
        let mut query = query.additional();
        let sized = query.opt(|opt| {
            opt.set_udp_payload_size(DATAGRAM);
            Ok(())
        });
        sized.ok()?;
        Some(query.finish())
    }

    fn judge(&self, asked: &Message<&[u8]>, answer: &[u8]) -> Result<Good, Bad> {
        let answer =
            Message::from_slice(answer).map_err(|_short| "the answer is no DNS message")?;
        // Servers that cannot read a query may answer without its question.
        let (header, counts) = (answer.header(), answer.header_counts());
        let is_answer = answer.is_answer(asked) || header.qr() && counts.qdcount() == 0;
        if !is_answer {
            return Err("the answer is to another question".into());
        }
        let rcode = header.rcode();
        if rcode != self.rcode {
            return Err(format!("{rcode}, not {}", self.rcode).into());
        }
        match (rcode, counts.ancount()) {
            (Rcode::NOERROR, 0) => Err(format!("no record of {} {}", self.name, self.kind).into()),
            (Rcode::NOERROR, 1) => Ok("NOERROR, 1 record".into()),
            (Rcode::NOERROR, records) => Ok(format!("NOERROR, {records} records").into()),
            (rcode, _) => Ok(format!("{rcode}, as wanted").into()),
        }
    }
}

async fn over_tcp(probe: &Probe, query: &[u8]) -> Result<Vec<u8>, Bad> {
    let mut stream = tcp::connect(probe).await?;
    let talk = async {
        stream.write_all(query).await?;
        let len = stream.read_u16().await?;
        let mut answer = vec![0; len.into()];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    };
    let answer = probe.by("answer", talk).await?;
    answer.map_err(|error| told(&error))
}
