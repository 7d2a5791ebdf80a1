//! A connection: what `tcp` is content with, and what other kinds begin with.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::{Bad, CLOSING, Good, Probe, told};
use crate::health::ports::Lease;

/// Ports that somebody else has and that are passed over, in one attempt.
pub(super) const PASSED_OVER_MAX: usize = 64;

/// A connection, and the port that is its own until it is closed.
///
/// It is closed by a reset: one packet, after which neither side keeps anything. A FIN would leave the director with a
/// TIME_WAIT of a minute per check, 60 000 of them for each thousand checks a second. The server sees a reset of a
/// connection on which nothing was said; kinds that speak its protocol end it first, as the protocol has it.
#[derive(Debug)]
pub(super) struct Stream {
    tcp: TcpStream,
    _port: Lease,
}

pub(super) async fn check(probe: &Probe) -> Result<Good, Bad> {
    connect(probe).await?;
    Ok("connected".into())
}

pub(super) async fn connect(probe: &Probe) -> Result<Stream, Bad> {
    for _ in 0..PASSED_OVER_MAX {
        let port = probe.ports.take().ok_or(NO_PORT)?;
        let socket = socket(probe.to, &port).map_err(|error| told(&error));
        let Some(socket) = socket? else {
            continue;
        };
        match probe.by("answer", socket.connect(probe.to)).await? {
            Ok(tcp) => return Ok(Stream { tcp, _port: port }),
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {}
            Err(error) => return Err(told(&error)),
        }
    }
    Err(NO_PORT.into())
}

pub(super) const NO_PORT: &str = "the director has no local port free for the check";

/// None if the port is another process's.
fn socket(to: SocketAddr, port: &Lease) -> io::Result<Option<TcpSocket>> {
    let socket = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Connections that ended a moment ago may still be known by it.
    socket.set_reuseaddr(true)?;
    socket.set_zero_linger()?;
    match socket.bind(from(to, port)) {
        Ok(()) => Ok(Some(socket)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whatever address the route has, and the check's port.
pub(super) fn from(to: SocketAddr, port: &Lease) -> SocketAddr {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    SocketAddr::new(any, port.port())
}

/// Gives the other side the time to close after its last words.
pub(super) async fn closed(mut stream: impl AsyncRead + Unpin) {
    let mut left = [0; 1024];
    let ends = async { while matches!(stream.read(&mut left).await, Ok(1..)) {} };
    // One that does not close is reset.
    let _ = timeout(CLOSING, ends).await;
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    /// What TLS and HTTP/2 do after their own last words. To send a FIN would be to close first.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
