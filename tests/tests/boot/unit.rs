//! Reading a unit as far as the tests ask.

use std::fs;

use anyhow::{Context, Result};

use crate::packaged;

pub(crate) struct Unit {
    text: String,
}

impl Unit {
    pub(crate) fn read(name: &str) -> Result<Self> {
        let path = packaged("systemd").join(name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(Self { text })
    }

    /// The words of a key that is there once.
    pub(crate) fn words(&self, key: &str) -> Result<Vec<&str>> {
        let mut values = self.text.lines().filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name == key).then_some(value)
        });
        let value = values.next().with_context(|| format!("no {key}="))?;
        assert_eq!(values.next(), None, "{key}= is there twice");
        Ok(value.split_whitespace().collect())
    }
}
