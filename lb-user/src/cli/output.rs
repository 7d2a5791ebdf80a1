//! What commands print.

use std::io::{self, Write as _};

use anstream::AutoStream;
use anyhow::Result;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    termios::tcgetwinsize,
};
use serde::Serialize;

use super::page::Page;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For the eye
    #[default]
    Table,
    /// For programs
    Json,
}

/// Prints `value` as JSON, or as `table` writes it. A reader that has gone away is no failure.
pub fn print<T: Serialize>(
    format: Format,
    value: &T,
    table: impl FnOnce(&T, &mut Page),
) -> Result<()> {
    let text = match format {
        Format::Table => page(|page| table(value, page)),
        Format::Json => serde_json::to_string_pretty(value)? + "\n",
    };
    write(&text)
}

/// What stands on a page of stdout's width.
pub fn page(write: impl FnOnce(&mut Page)) -> String {
    let mut page = Page::new(width());
    write(&mut page);
    page.text()
}

/// Columns of the terminal that stdout is; none of a file, or of a terminal that does not say.
pub fn width() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|&width| width > 0)
}

/// Prints `text`. A reader that has gone away is no failure.
pub fn write(text: &str) -> Result<()> {
    is_read(text).map(drop)
}

/// Prints `text`, in colours on a terminal that has them unless NO_COLOR is set (no-color.org); whether its reader
/// is still there.
pub fn is_read(text: &str) -> Result<bool> {
    match AutoStream::auto(io::stdout().lock()).write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => Ok(written.map(|()| true)?),
    }
}

/// Whether the reader of what is printed has gone, although nothing is printed just now.
pub fn is_abandoned() -> bool {
    let stdout = io::stdout();
    // What ends, poll(2) tells unasked.
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let ready: Result<usize, Errno> = poll(&mut polled, Some(&at_once));
    ready.is_ok()
        && polled[0]
            .revents()
            .intersects(PollFlags::ERR | PollFlags::HUP)
}
