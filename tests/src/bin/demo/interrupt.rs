//! ctrl-C and its kin, heard on a thread.
//!
//! By a handler and not by a mask, which every process started from here would inherit.

use std::{
    io::{self, Read},
    os::fd::IntoRawFd,
    sync::atomic::{AtomicI32, Ordering},
    thread,
};

use anyhow::{Context, Result};

/// Where the handler writes.
static PIPE: AtomicI32 = AtomicI32::new(-1);

/// Has `act` run, with the signal's number, on the first SIGINT, SIGTERM or SIGHUP.
pub(crate) fn on_signal(act: impl FnOnce(i32) + Send + 'static) -> Result<()> {
    let (mut reader, writer) = io::pipe().context("making a pipe")?;
    // Open for as long as the process is.
    PIPE.store(writer.into_raw_fd(), Ordering::Release);
    thread::spawn(move || {
        let mut signal = [0];
        if reader.read_exact(&mut signal).is_ok() {
            act(signal[0].into());
        }
    });
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: `handle` calls nothing but write(2), which a handler may.
        let before = unsafe { libc::signal(signal, handle as *const () as libc::sighandler_t) };
        if before == libc::SIG_ERR {
            return Err(io::Error::last_os_error()).context("setting a signal's handler");
        }
    }
    Ok(())
}

/// A reader that has seen enough, as in `demo | head`, ends this process without a word.
pub(crate) fn end_with_the_reader() {
    // SAFETY: the default action runs no code of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

extern "C" fn handle(signal: i32) {
    let byte = signal as u8;
    // SAFETY: one byte that lives, to a pipe that is never closed. A full pipe has been heard already.
    unsafe {
        libc::write(
            PIPE.load(Ordering::Acquire),
            std::ptr::from_ref(&byte).cast(),
            1,
        )
    };
}
