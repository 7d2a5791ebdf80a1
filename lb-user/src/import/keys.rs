//! Keys of a table of the file, with what is remarked behind them.

use toml_edit::{Item, Table, Value};

/// In the order in which they are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    name: &'static str,
    value: Value,
    remark: Option<String>,
}

impl Keys {
    pub(super) fn put(&mut self, name: &'static str, value: impl Into<Value>) {
        self.put_with(name, value, None);
    }

    /// With a comment behind it.
    pub(super) fn put_with(
        &mut self,
        name: &'static str,
        value: impl Into<Value>,
        remark: Option<String>,
    ) {
        self.0.push(Key {
            name,
            value: value.into(),
            remark,
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        for key in &self.0 {
            let mut value = key.value.clone();
            if let Some(remark) = &key.remark {
                value
                    .decor_mut()
                    .set_suffix(format!(" {}", comment(remark)));
            }
            table.insert(key.name, Item::Value(value));
        }
        table
    }

    fn value(&self, name: &str) -> Option<String> {
        let key = self.0.iter().find(|key| key.name == name);
        key.map(|key| key.value.to_string())
    }

    /// Says which values are others, as `port 8080, not 80`; empty if none is.
    pub(super) fn differences(&self, other: &Self) -> String {
        let names = self.0.iter().chain(&other.0).map(|key| key.name);
        let mut told: Vec<String> = Vec::new();
        for name in names {
            let (own, others) = (self.value(name), other.value(name));
            if own == others {
                continue;
            }
            let value = |value: Option<String>| value.unwrap_or_else(|| "none".into());
            let line = format!("{name} {}, not {}", value(own), value(others));
            if !told.contains(&line) {
                told.push(line);
            }
        }
        told.join("; ")
    }
}

/// A comment of a text: one line, whatever the text is.
pub(super) fn comment(text: &str) -> String {
    format!("# {}", crate::printable::printable(text))
}
