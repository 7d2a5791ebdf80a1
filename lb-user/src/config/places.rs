//! Where a file names what only the host can judge.

use std::{collections::HashMap, net::IpAddr, ops::Range};

use super::Source;
use crate::service::ServiceName;

/// What errors are told about after the file has been read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Named {
    Interface(String),
    Real(ServiceName, IpAddr),
}

/// Empty for a text that is in no file yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    source: Option<Source>,
    spans: HashMap<Named, Range<usize>>,
}

impl Places {
    pub(super) fn of(source: &Source) -> Self {
        Self {
            source: Some(source.clone()),
            spans: HashMap::new(),
        }
    }

    pub(super) fn insert(&mut self, named: Named, span: Range<usize>) {
        self.spans.insert(named, span);
    }

    /// Puts the place before an error; there is none for what the command line names.
    pub fn told(&self, named: &Named, error: anyhow::Error) -> anyhow::Error {
        match (&self.source, self.spans.get(named)) {
            (Some(source), Some(span)) => source.error(span.clone(), format!("{error:#}")).into(),
            _ => error,
        }
    }
}
