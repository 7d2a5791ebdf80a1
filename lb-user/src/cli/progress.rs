//! What a command waits for, while it does: a line on a terminal's stderr, gone when there is something to read.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::termios::tcgetwinsize;

/// What takes less long is not told.
const UNTOLD: Duration = Duration::from_millis(500);
/// The line is empty, and next is its beginning.
const ERASED: &str = "\r\x1b[K";

/// Dropped, its line is gone.
pub struct Progress(Option<(Sender<String>, JoinHandle<()>)>);

impl Progress {
    /// Tells what is waited for, as in `listing services`.
    pub fn of(what: &str) -> Self {
        let can_erase = env::var_os("TERM").is_some_and(|it| it != "dumb");
        if !can_erase || !io::stderr().is_terminal() {
            return Self(None);
        }
        let (sender, receiver) = channel();
        let thread = thread::spawn(move || tell(&receiver));
        let progress = Self(Some((sender, thread)));
        progress.now(what);
        progress
    }

    /// It is another thing that is waited for.
    pub fn now(&self, what: &str) {
        if let Some((sender, _)) = &self.0 {
            // Who is told lives as long as this.
            let _ = sender.send(what.to_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            // A line that could not be written is not missed.
            let _ = thread.join();
        }
    }
}

fn tell(receiver: &Receiver<String>) {
    let told = Instant::now() + UNTOLD;
    let mut what = String::new();
    loop {
        match receiver.recv_timeout(told.saturating_duration_since(Instant::now())) {
            Ok(next) => what = next,
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
    write(&what);
    receiver.iter().for_each(|next| write(&next));
    put(ERASED);
}

/// In the place of what was there before, and of one line of the screen.
fn write(what: &str) {
    let width = tcgetwinsize(io::stderr()).map_or(0, |it| usize::from(it.ws_col));
    let width = if width == 0 { 80 } else { width };
    let mut line = format!("{what} …");
    if line.chars().count() >= width {
        line = line
            .chars()
            .take(width.saturating_sub(2))
            .chain(['…'])
            .collect();
    }
    put(&format!("{ERASED}{line}"));
}

fn put(text: &str) {
    // Nobody misses it.
    let _ = io::stderr().write_all(text.as_bytes());
}
