//! What clients connect to, as `listen` has it: one destination, or a list of those of one service.

use std::{collections::HashMap, fmt, ops::Range};

use lb_common::tables::RANGES_MAX;
use serde::{Deserialize, de};
use toml::Spanned;

use super::{Error, Source, director::DESTINATIONS_MAX};
use crate::service::ServiceName;

/// The value of `listen`.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Listen(Spanned<Value>);

enum Value {
    One(String),
    Several(Vec<Spanned<String>>),
}

/// A destination's text and its place.
pub(super) struct Named<'s> {
    text: &'s str,
    span: Range<usize>,
}

impl Listen {
    pub(super) fn destinations(&self, source: &Source) -> Result<Vec<Named<'_>>, Error> {
        let span = self.0.span();
        let destinations: Vec<_> = match self.0.get_ref() {
            Value::One(text) => vec![Named { text, span }],
            Value::Several(all) if all.is_empty() => {
                let what = "the list is empty; name what clients connect to";
                return Err(source.error(span, what));
            }
            Value::Several(all) => all.iter().map(Named::of).collect(),
        };
        match destinations.get(DESTINATIONS_MAX) {
            Some(Named { text, span }) => {
                let what = format!(
                    "`{text}` is one too many; a service has {DESTINATIONS_MAX} destinations at the most"
                );
                Err(source.error(span.clone(), what))
            }
            None => Ok(destinations),
        }
    }
}

impl<'s> Named<'s> {
    fn of(value: &'s Spanned<String>) -> Self {
        Self {
            text: value.get_ref(),
            span: value.span(),
        }
    }

    pub(super) fn parsed(&self, source: &Source) -> Result<ServiceName, Error> {
        let parsed = self.text.parse();
        parsed.map_err(|error| source.error(self.span.clone(), error))
    }

    pub(super) fn error(&self, source: &Source, what: String) -> Error {
        source.error(self.span.clone(), what)
    }
}

/// The destinations of all services, as far as they have been read.
#[derive(Default)]
pub(super) struct Destinations {
    /// And where they are.
    pub(super) spans: HashMap<ServiceName, usize>,
    /// Those of a range of ports: one port is within a range, or not in it.
    ranges: Vec<ServiceName>,
}

impl Destinations {
    /// Checks a destination against all that there are, and the others of its service so far.
    pub(super) fn checked(
        &mut self,
        source: &Source,
        named: &Named<'_>,
        others: &[ServiceName],
    ) -> Result<ServiceName, Error> {
        let told = |what: String| named.error(source, what);
        let name = named.parsed(source)?;
        if let Some(first) = self.spans.insert(name, named.span.start) {
            let line = source.line(first);
            return Err(told(format!(
                "service {name} is there already, on line {line}"
            )));
        }
        if let Some(other) = others
            .iter()
            .find(|it| it.vip.is_ipv4() != name.vip.is_ipv4())
        {
            return Err(told(format!(
                "{name} and {other} differ in IP version; make it another service"
            )));
        }
        if name.ports.is_one() {
            return Ok(name);
        }
        if let Some(other) = self.ranges.iter().find(|it| it.conflicts(name)) {
            return Err(told(format!(
                "service {name} has ports of {other}, and is not within it"
            )));
        }
        let is_beside = |it: &&ServiceName| (it.protocol, it.vip) == (name.protocol, name.vip);
        if self.ranges.iter().filter(is_beside).count() == RANGES_MAX {
            return Err(told(format!(
                "service {name} is one too many; a VIP has {RANGES_MAX} ranges of ports of a protocol at the most"
            )));
        }
        self.ranges.push(name);
        Ok(name)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::One(text.to_owned()))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(text) = seq.next_element()? {
            all.push(text);
        }
        Ok(Value::Several(all))
    }
}
