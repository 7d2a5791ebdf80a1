//! How ipvsadm fails: a line on stderr, and a status.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: u8,
    pub(super) line: String,
}

/// What the kernel says of what no address of a host is (`ipvs_strerror`).
pub(super) const INVALID: &str =
    "Invalid operation.  Possibly wrong module version, address not unicast, ...";

impl Failure {
    fn new(status: u8, line: impl Into<String>) -> Self {
        Self {
            status,
            line: line.into(),
        }
    }

    /// The command line is wrong, or there is nobody to ask.
    pub(super) fn usage(line: impl Into<String>) -> Self {
        Self::new(2, line)
    }

    /// Nothing can be listed.
    pub(super) fn list(line: impl Into<String>) -> Self {
        Self::new(1, line)
    }

    /// The command was refused: ipvsadm's -1.
    pub(super) fn refused(line: impl Into<String>) -> Self {
        Self::new(255, line)
    }

    /// The first word was no command.
    pub(super) fn try_help(program: &str) -> Self {
        Self::refused(format!(
            "Try `{program} -h' or '{program} --help' for more information."
        ))
    }

    /// Nobody answers.
    pub(super) fn unreachable(error: &anyhow::Error) -> Self {
        Self::usage(format!("Can't initialize ipvs: {error:#}"))
    }
}
