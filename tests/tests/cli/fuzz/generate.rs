//! Requests as a document by OpenAPI has them, more or less.

use serde_json::{Map, Value, json};
use tests::Chance;

use crate::CONFIG;

/// One value of so many is not of its type.
const WRONG: usize = 24;
/// One request of so many is broken somewhere.
const BROKEN: usize = 8;
/// Its answer has no end.
const EVENTS: &str = "/v1/events";
/// It takes the program to be loaded.
const EXPLAIN: &str = "/v1/explain";
const DEPTH_MAX: usize = 8;

/// Words that mean something somewhere.
const WORDS: [&str; 22] = [
    "tcp/10.2.0.100:80",
    "udp/10.2.0.100:53",
    "tcp/10.2.0.100:81",
    "sctp/10.2.0.101:*",
    "tcp/[2001:db8::100]:80-90",
    "fwmark/1",
    "10.2.0.2",
    "10.2.0.3",
    "10.2.0.100",
    "127.0.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "2001:db8::2",
    "::ffff:10.2.0.2",
    "10.2.0.0/24",
    "rr",
    "mh",
    "twos",
    "1s",
    "",
    "\u{0}",
    "ž\n\r\t\u{202e}",
];

pub(super) struct Request {
    pub(super) octets: Vec<u8>,
    pub(super) is_broken: bool,
}

pub(super) struct Api {
    document: Value,
    /// Method, path and what is said of it.
    operations: Vec<(String, String, Value)>,
}

impl Api {
    pub(super) fn new(document: Value) -> Self {
        let mut operations = Vec::new();
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            let methods = methods.as_object().into_iter().flatten();
            operations.extend(methods.map(|(method, operation)| {
                (method.to_uppercase(), path.clone(), operation.clone())
            }));
        }
        Self {
            document,
            operations,
        }
    }

    pub(super) fn request(&self, chance: &mut Chance) -> Request {
        let (method, path, operation) = loop {
            let operation = &self.operations[chance.below(self.operations.len())];
            if ![EVENTS, EXPLAIN].contains(&operation.1.as_str()) || chance.one_in(16) {
                break operation;
            }
        };
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = match schema.is_null() {
            true => String::new(),
            false => self.value(schema, DEPTH_MAX, chance).to_string(),
        };
        let query = self.query(&operation["parameters"], chance);
        // An answer without an end is not waited for.
        let method = match path == EVENTS {
            true => "HEAD",
            false => method,
        };
        let length = body.len();
        let request = format!(
            "{method} {path}{query} HTTP/1.1\r\nhost: drover\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let mut octets = request.into_bytes();
        let is_broken = chance.one_in(BROKEN);
        if is_broken {
            break_somewhere(&mut octets, chance);
        }
        Request { octets, is_broken }
    }

    fn query(&self, parameters: &Value, chance: &mut Chance) -> String {
        let mut query = String::new();
        for parameter in parameters.as_array().into_iter().flatten() {
            if chance.one_in(3) {
                let name = parameter["name"].as_str().unwrap_or_default();
                let value = self.value(&parameter["schema"], DEPTH_MAX, chance);
                let value = value.as_str().map_or(value.to_string(), str::to_owned);
                let value: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
                query += &format!(
                    "{}{name}={value}",
                    ['?', '&'][usize::from(!query.is_empty())]
                );
            }
        }
        query
    }

    /// Returns a value of this schema, or, seldom, another.
    fn value(&self, schema: &Value, depth: usize, chance: &mut Chance) -> Value {
        if depth == 0 || chance.one_in(WRONG) {
            return wrong(chance);
        }
        if let Some(name) = schema["$ref"].as_str() {
            let pointer = name.trim_start_matches('#');
            let schema = self.document.pointer(pointer).unwrap_or(&Value::Null);
            return self.value(schema, depth, chance);
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            if let Some(all) = schema[key].as_array().filter(|all| !all.is_empty()) {
                let mut value = self.value(&all[chance.below(all.len())], depth - 1, chance);
                // A variant's own keys stand beside those that all have.
                if let (Some(value), true) =
                    (value.as_object_mut(), schema["properties"].is_object())
                {
                    value.extend(self.object(schema, depth, chance));
                }
                return value;
            }
        }
        if !schema["const"].is_null() {
            return schema["const"].clone();
        }
        if let Some(all) = schema["enum"].as_array().filter(|all| !all.is_empty()) {
            return all[chance.below(all.len())].clone();
        }
        let kind = &schema["type"];
        let kinds = kind.as_array().filter(|all| !all.is_empty());
        let kind = kinds.map_or(kind, |all| &all[chance.below(all.len())]);
        match kind.as_str() {
            Some("object") => self.object(schema, depth, chance).into(),
            Some("array") => (0..chance.below(4))
                .map(|_| self.value(&schema["items"], depth - 1, chance))
                .collect(),
            Some("integer" | "number") => number(chance),
            Some("boolean") => chance.one_in(2).into(),
            Some("string") => text(chance).into(),
            Some("null") => Value::Null,
            _ => wrong(chance),
        }
    }

    fn object(&self, schema: &Value, depth: usize, chance: &mut Chance) -> Map<String, Value> {
        let required = schema["required"].as_array();
        let is_required = |key: &str| required.is_some_and(|all| all.iter().any(|it| it == key));
        let mut object = Map::new();
        for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
            let is_in = if is_required(key) {
                !chance.one_in(WRONG)
            } else {
                chance.one_in(6)
            };
            if is_in {
                object.insert(key.clone(), self.value(schema, depth - 1, chance));
            }
        }
        object
    }
}

fn number(chance: &mut Chance) -> Value {
    let some = [
        0,
        1,
        2,
        31,
        32,
        33,
        80,
        300,
        65_535,
        65_536,
        1 << 31,
        (1 << 32) - 1,
        1 << 32,
        u64::MAX,
    ];
    some[chance.below(some.len())].into()
}

/// A word, or a file, whole or with a hole.
fn text(chance: &mut Chance) -> String {
    if !chance.one_in(8) {
        return chance.of(&WORDS).to_owned();
    }
    let mut lines: Vec<&str> = CONFIG.lines().collect();
    if chance.one_in(2) {
        lines.remove(chance.below(lines.len()));
    }
    if chance.one_in(2) {
        let (from, to) = (chance.below(lines.len()), chance.below(lines.len()));
        lines.swap(from, to);
    }
    lines.join("\n") + "\n"
}

fn wrong(chance: &mut Chance) -> Value {
    let deep = |open: &str, close: &str| open.repeat(64) + &close.repeat(64);
    match chance.below(9) {
        0 => Value::Null,
        1 => json!(-1),
        2 => json!(1e308),
        3 => json!({}),
        4 => json!([]),
        5 => json!("x".repeat(5000)),
        6 => serde_json::from_str(&deep("[", "]")).unwrap_or_default(),
        7 => json!({"op": "clear", "op2": [true]}),
        _ => text(chance).into(),
    }
}

/// Cuts it short, changes some octets, or says some twice.
fn break_somewhere(request: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(request.len());
    match chance.below(3) {
        0 => request.truncate(at),
        1 => {
            for _ in 0..=chance.below(4) {
                let at = chance.below(request.len());
                request[at] = chance.below(256) as u8;
            }
        }
        _ => {
            let again = request[at..].to_vec();
            request.extend(again);
        }
    }
}
