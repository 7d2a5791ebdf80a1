//! A kernel's refusal in one line, with all that the verifier said for whoever wants to read that.
//!
//! That a kernel is too old is known by what it refuses: distributions' have much of what came later.

use std::fmt;

use anyhow::{Error, anyhow};
use aya::{EbpfError, maps::MapError, programs::ProgramError};
use rustix::io::Errno;

/// A refusal, and all that the verifier said of it.
#[derive(Debug)]
pub struct Refused {
    line: String,
    pub log: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl std::error::Error for Refused {}

/// Says why the kernel refuses a program.
pub(super) fn refusal(name: &str, error: ProgramError) -> Error {
    let ProgramError::LoadError {
        io_error,
        verifier_log,
    } = error
    else {
        return Error::from(error).context(format!("cannot load the program {name}"));
    };
    let log = verifier_log.to_string();
    let why = match (reason(&log), Errno::from_io_error(&io_error)) {
        (Some(reason), _) => format!("{reason} ({io_error})"),
        // It has not looked at the program: it does not know what is asked for, of which this is the latest.
        (None, Some(Errno::INVAL)) => {
            format!("{io_error}; XDP with frames of several buffers is known from Linux 5.18 on")
        }
        (None, _) => io_error.to_string(),
    };
    let line = format!("the kernel refuses the program {name}: {why}");
    Refused { line, log }.into()
}

/// Says why the kernel makes no maps.
pub(super) fn no_maps(error: EbpfError) -> Error {
    if let EbpfError::MapError(MapError::CreateError { name, io_error }) = &error
        && Errno::from_io_error(io_error) == Some(Errno::TOOBIG)
    {
        return anyhow!(
            "the kernel refuses the map {name}: it is too old for elements above 4 MiB (Linux 6.0)"
        );
    }
    Error::from(error).context("cannot load the maps")
}

/// The last thing that it says before its statistics.
fn reason(log: &str) -> Option<&str> {
    let statistics = [
        "processed ",
        "verification time ",
        "stack depth ",
        "mark_precise",
    ];
    log.lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty() && !statistics.iter().any(|word| line.starts_with(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_above_the_statistics() {
        let log = "0: (bf) r7 = r1\nBPF program is too large. Processed 1000001 insn\n\
                   verification time 8707731 usec\nstack depth 240\nprocessed 1000001 insns\n";
        assert_eq!(
            reason(log),
            Some("BPF program is too large. Processed 1000001 insn")
        );
        assert_eq!(reason("\n"), None);
    }
}
