//! What a check finds.

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Worth knowing: slower than need be, not set up yet, or not to be seen.
    Note,
    /// It works, and will not always.
    Warning,
    /// It does not work.
    Error,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Of the check: stays the same over versions.
    pub id: &'static str,
    pub severity: Severity,
    /// What it is about: an interface, an address, a file.
    pub subject: String,
    pub what: String,
    /// What comes of it; of what is as it should be, nothing.
    pub why: Option<String>,
    /// A command that mends it.
    pub fix: Option<String>,
    /// The host that the command is for; none: this one.
    pub fix_on: Option<String>,
}

impl Finding {
    pub fn new(
        severity: Severity,
        id: &'static str,
        subject: impl ToString,
        what: impl Into<String>,
    ) -> Self {
        Self {
            id,
            severity,
            subject: subject.to_string(),
            what: what.into(),
            why: None,
            fix: None,
            fix_on: None,
        }
    }

    pub fn ok(id: &'static str, subject: impl ToString, what: impl Into<String>) -> Self {
        Self::new(Severity::Ok, id, subject, what)
    }

    pub fn note(id: &'static str, subject: impl ToString, what: impl Into<String>) -> Self {
        Self::new(Severity::Note, id, subject, what)
    }

    pub fn warning(id: &'static str, subject: impl ToString, what: impl Into<String>) -> Self {
        Self::new(Severity::Warning, id, subject, what)
    }

    pub fn error(id: &'static str, subject: impl ToString, what: impl Into<String>) -> Self {
        Self::new(Severity::Error, id, subject, what)
    }

    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    pub fn fix(mut self, command: impl Into<String>) -> Self {
        self.fix = Some(command.into());
        self
    }

    pub fn on(mut self, host: impl ToString) -> Self {
        self.fix_on = Some(host.to_string());
        self
    }
}
