//! One thing after another, each said in a line with the time it took.

use std::{
    io::{BufRead, BufReader, IsTerminal, Read, Write, stdout},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use crate::Result;

/// Runs a command whose output matters only if it fails: `what … 12 s`. On a terminal the line shows what it is doing.
pub(crate) fn quietly(what: &str, command: &mut Command) -> Result {
    let start = Instant::now();
    say(&format!("  {what} …"));
    let (status, said) = watched(command, |last| {
        if stdout().is_terminal() {
            let last: String = last
                .trim()
                .chars()
                .filter(|it| !it.is_control())
                .take(50)
                .collect();
            say(&format!(
                "\r\x1b[2K  {what} … {} s  {last}",
                start.elapsed().as_secs()
            ));
        }
    })?;
    if stdout().is_terminal() {
        say(&format!("\r\x1b[2K  {what} …"));
    }
    println!(" {}", seconds(start));
    if status.success() {
        return Ok(());
    }
    println!("{}", said.join("\n"));
    Err(format!("{what}: {status}"))
}

/// Runs a command whose output is the point, between two lines that name it.
pub(crate) fn aloud(what: &str, command: &mut Command) -> Result {
    let start = Instant::now();
    println!("── {what}: {}", line(command));
    let status = command
        .status()
        .map_err(|error| format!("{what}: {error}"))?;
    if !status.success() {
        return Err(format!("{what} FAILED after {} ({status})", seconds(start)));
    }
    println!("── {what}: passed in {}\n", seconds(start));
    Ok(())
}

pub(crate) fn seconds(start: Instant) -> String {
    format!("{:.1} s", start.elapsed().as_secs_f64())
}

/// How a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let words = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    std::iter::once(program)
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// How it ended, and all it said; `look` sees the last line of that every now and then.
fn watched(command: &mut Command, look: impl Fn(&str)) -> Result<(ExitStatus, Vec<String>)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", line(command)))?;
    let (sender, lines) = mpsc::channel();
    pass_on(child.stdout.take(), sender.clone());
    pass_on(child.stderr.take(), sender);
    let mut said: Vec<String> = Vec::new();
    loop {
        match lines.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => said.push(line),
            Err(RecvTimeoutError::Timeout) => look(said.last().map_or("", String::as_str)),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok((status, said))
}

fn pass_on(pipe: Option<impl Read + Send + 'static>, lines: Sender<String>) {
    let Some(pipe) = pipe else { return };
    thread::spawn(move || {
        for line in BufReader::new(pipe)
            .split(b'\n')
            .map_while(std::result::Result::ok)
        {
            // The receiver outlives the pipe.
            let _ = lines.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

fn say(text: &str) {
    print!("{text}");
    // Without it the line would show when all is over; there is nobody to tell of an error.
    let _ = stdout().flush();
}
