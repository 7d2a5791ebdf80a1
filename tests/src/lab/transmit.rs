//! Frames as they are, out of a host's `eth0`, by a packet socket: past its stack.

use std::{
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
};

use anyhow::{Context, Result};

use super::Host;

impl Host {
    /// That it is dropped on its way is no error.
    pub fn transmit(&self, frame: &[u8]) -> Result<()> {
        let sent = self.enter(|| transmit(frame))?;
        sent.with_context(|| format!("transmitting a frame from {self}"))
    }
}

fn transmit(frame: &[u8]) -> io::Result<()> {
    // SAFETY: takes three numbers.
    let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, and nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: a string that ends.
    let index = unsafe { libc::if_nametoindex(c"eth0".as_ptr()) };
    let to = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: 0,
        sll_ifindex: index as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: a frame and an address of the lengths that are said.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            frame.as_ptr().cast(),
            frame.len(),
            0,
            (&raw const to).cast(),
            size_of_val(&to) as libc::socklen_t,
        )
    };
    let error = io::Error::last_os_error();
    // Whoever drops a frame on its way out is told as a lack of buffers.
    if sent < 0 && error.raw_os_error() != Some(libc::ENOBUFS) {
        return Err(error);
    }
    Ok(())
}
