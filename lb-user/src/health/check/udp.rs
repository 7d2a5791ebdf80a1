//! A datagram and its answer.

use std::io;

use rustix::{
    buffer::spare_capacity,
    net::{RecvFlags, recv},
};
use tokio::{io::Interest, net::UdpSocket, time::timeout_at};

use super::{
    Bad, Good, Probe,
    pattern::Pattern,
    quoted, seconds,
    tcp::{NO_PORT, PASSED_OVER_MAX, from},
    told,
};
use crate::health::ports::Lease;

/// Of an answer that is taken up whole.
const DATAGRAM_MAX: usize = 65535;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Udp {
    pub send: Vec<u8>,
    /// Without it a port that does not refuse is good.
    pub expect: Option<Pattern>,
}

/// A socket that hears one address, and its port.
#[derive(Debug)]
pub(super) struct Socket {
    udp: UdpSocket,
    _port: Lease,
}

impl Udp {
    pub(super) async fn check(&self, probe: &Probe) -> Result<Good, Bad> {
        let socket = Socket::connect(probe).await?;
        socket.send(&self.send).await?;
        let Some(pattern) = &self.expect else {
            return silent(probe, &socket).await;
        };
        let answer = probe.by("answer", socket.receive()).await??;
        match pattern.matches(&answer) {
            true => Ok("the answer matches".into()),
            false => {
                let (text, answer) = (pattern.text(), quoted(&answer));
                Err(format!("the answer `{answer}` does not match `{text}`").into())
            }
        }
    }
}

/// An answer is as good as none: what is bad is an ICMP error.
async fn silent(probe: &Probe, socket: &Socket) -> Result<Good, Bad> {
    match timeout_at(probe.deadline, socket.receive()).await {
        Ok(answer) => answer.map(|_| "answered".into()),
        Err(_elapsed) => Ok(format!("not refused within {}", seconds(probe.timeout)).into()),
    }
}

impl Socket {
    pub(super) async fn connect(probe: &Probe) -> Result<Self, Bad> {
        for _ in 0..PASSED_OVER_MAX {
            let port = probe.ports.take().ok_or(NO_PORT)?;
            // With SO_REUSEADDR it would be shared with whoever has it already.
            let udp = match UdpSocket::bind(from(probe.to, &port)).await {
                Ok(udp) => udp,
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => continue,
                Err(error) => return Err(told(&error)),
            };
            let connected = udp.connect(probe.to).await;
            connected.map_err(|error| told(&error))?;
            return Ok(Self { udp, _port: port });
        }
        Err(NO_PORT.into())
    }

    pub(super) async fn send(&self, datagram: &[u8]) -> Result<(), Bad> {
        let sent = self.udp.send(datagram).await;
        sent.map(drop).map_err(|error| refused(&error))
    }

    pub(super) async fn receive(&self) -> Result<Vec<u8>, Bad> {
        // An ICMP error makes a socket ready, but not to be read.
        let either = Interest::READABLE | Interest::ERROR;
        let received = self.udp.async_io(either, || {
            // Not before there is something to take up.
            let mut answer = Vec::with_capacity(DATAGRAM_MAX);
            recv(&self.udp, spare_capacity(&mut answer), RecvFlags::empty())?;
            Ok(answer)
        });
        received.await.map_err(|error| refused(&error))
    }
}

/// To UDP, a connection that is refused is ICMP's "port unreachable".
fn refused(error: &io::Error) -> Bad {
    match error.kind() == io::ErrorKind::ConnectionRefused {
        true => "port unreachable".into(),
        false => told(error),
    }
}
