use std::path::Path;

use serde_json::json;

use super::{super::director::Config, *};

const EXAMPLE: &str = include_str!("../../../../packaging/etc/director.toml");
const README: &str = include_str!("../../../../README.md");

/// The example, with each key that it shows in a comment.
fn example() -> String {
    let shown = |line: &'static str| {
        let Some(rest) = line.strip_prefix('#') else {
            return line;
        };
        match rest.strip_prefix("   ") {
            Some(key) => key,
            None if rest.starts_with(' ') => "",
            None => rest,
        }
    };
    EXAMPLE.lines().map(shown).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_is_right_by_it_and_mistakes_are_not() {
    // Of persistence and `passive` a service has one.
    let example = example().replacen("\npersistence", "\n# persistence", 2);
    Config::parse(Path::new("f"), &example).expect("the daemon takes it");
    assert_eq!(found(&example), Vec::<String>::new());
    for (right, wrong, want) in [
        ("weight = 1", "wieght = 1", "/service/0/real/0: wieght"),
        ("weight = 1", "weight = 65536", "/service/0/real/0/weight"),
        ("weight = 1", "weight = \"1\"", "/service/0/real/0/weight"),
        (
            "interval = 2",
            "intervall = 2",
            "/service/0/check: intervall",
        ),
        (
            "interval = 2",
            "interval = 0.01",
            "/service/0/check/interval",
        ),
        ("kind = \"http\"", "kind = \"htp\"", "/service/0/check/kind"),
        ("kind = \"http\"\n", "", "/service/0/check: kind is missing"),
        (
            "scheduler = \"wrr\"",
            "scheduler = \"wr\"",
            "/service/0/scheduler",
        ),
        ("flags = []", "flags = [\"sh-prt\"]", "/service/0/flags/0"),
        (
            "listen = \"tcp/192.0.2.100:80\"",
            "listen = []",
            "/service/0/listen",
        ),
        (
            "listen = \"tcp/192.0.2.100:80\"",
            "listen = 80",
            "/service/0/listen",
        ),
        ("xdp = \"auto\"", "xdp = \"driver\"", "/director/xdp"),
        (
            "services_max = 4095",
            "services_max = 16384",
            "/director/services_max",
        ),
        (
            "members_max = 16383",
            "members_max = 0",
            "/director/members_max",
        ),
        (
            "timeouts.udp = 300",
            "timeouts.dup = 300",
            "/director/timeouts: dup",
        ),
        (
            "interfaces = [\"eth0\"]",
            "interfaces = []",
            "/director/interfaces",
        ),
        (
            "interfaces = [\"eth0\"]",
            "",
            "/director: interfaces is missing",
        ),
        ("[director]", "[dierctor]", ": dierctor"),
    ] {
        assert!(example.contains(right), "{right}");
        let text = example.replace(right, wrong);
        assert!(Config::parse(Path::new("f"), &text).is_err(), "{wrong}");
        let found = found(&text);
        assert!(found.contains(&want.to_owned()), "{wrong}: {found:?}");
    }
}

#[test]
fn a_list_of_destinations_is_right_by_it() {
    let list = "listen = [\"tcp/192.0.2.1:80\", \"udp/192.0.2.1:8000-8099\", \"tcp/192.0.2.1:*\"]";
    let text = format!("[director]\ninterfaces = [\"eth0\"]\n[[service]]\n{list}\n");
    Config::parse(Path::new("f"), &text).expect("the daemon takes it");
    assert_eq!(found(&text), Vec::<String>::new());
}

#[test]
fn each_key_of_the_manual_is_in_it() {
    let schema = director().to_string();
    let manual = README.split("### `/etc/drover/director.toml`").nth(1);
    let manual = manual.and_then(|it| it.split("### `/etc/drover/realserver.toml`").next());
    let mut keys = 0;
    let mut is_of_keys = false;
    for line in manual.expect("its chapter").lines() {
        is_of_keys = line.starts_with("| key |") || is_of_keys && line.starts_with('|');
        let cell = line.split('|').nth(1).filter(|_| is_of_keys);
        let quoted = cell
            .into_iter()
            .flat_map(|it| it.split('`').skip(1).step_by(2));
        for key in quoted.filter(|it| !it.starts_with('[')) {
            assert!(schema.contains(&format!("\"{key}\":")), "{key}");
            keys += 1;
        }
    }
    assert!(keys > 50, "{keys} keys");
}

/// Where a file is not as the schema has it.
fn found(text: &str) -> Vec<String> {
    let table: toml::Table = toml::from_str(text).expect("TOML");
    let value = serde_json::to_value(table).expect("JSON");
    let root = director();
    let mut found = Vec::new();
    check(&root, &root, &value, "", &mut found);
    found
}

/// As much of JSON Schema as there is in it; another keyword is not passed over.
fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let number = |it: &Value| it.as_f64().expect("a number");
    let characters = || value.as_str().map_or(0, |it| it.chars().count());
    let len = value.as_array().map_or_else(characters, Vec::len) as f64;
    for (keyword, wanted) in schema.as_object().into_iter().flatten() {
        let is_right = match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "format" | "definitions" => true,
            "type" => is_of(wanted, value),
            "enum" => wanted.as_array().is_some_and(|it| it.contains(value)),
            "const" => wanted == value,
            "minimum" => value.as_f64().is_none_or(|it| it >= number(wanted)),
            "maximum" => value.as_f64().is_none_or(|it| it <= number(wanted)),
            "minItems" => len >= number(wanted),
            "maxItems" | "maxLength" => len <= number(wanted),
            "pattern" => {
                let pattern = regex::Regex::new(wanted.as_str().expect("text"));
                value
                    .as_str()
                    .is_none_or(|it| pattern.expect("a pattern").is_match(it))
            }
            "$ref" => {
                let path = wanted.as_str().expect("text").trim_start_matches('#');
                check(root, root.pointer(path).expect(path), value, at, found);
                true
            }
            "allOf" => {
                for schema in wanted.as_array().into_iter().flatten() {
                    check(root, schema, value, at, found);
                }
                true
            }
            "anyOf" | "oneOf" => wanted.as_array().into_iter().flatten().any(|schema| {
                let mut of_one = Vec::new();
                check(root, schema, value, at, &mut of_one);
                of_one.is_empty()
            }),
            "items" => {
                for (i, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, wanted, item, &format!("{at}/{i}"), found);
                }
                true
            }
            "required" => {
                let all = wanted.as_array().into_iter().flatten();
                for key in all
                    .filter_map(Value::as_str)
                    .filter(|&key| value.get(key).is_none())
                {
                    found.push(format!("{at}: {key} is missing"));
                }
                true
            }
            "properties" => {
                for (key, schema) in wanted.as_object().into_iter().flatten() {
                    if let Some(value) = value.get(key) {
                        check(root, schema, value, &format!("{at}/{key}"), found);
                    }
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(wanted, &json!(false));
                for key in value.as_object().into_iter().flat_map(|it| it.keys()) {
                    if schema["properties"].get(key).is_none() {
                        found.push(format!("{at}: {key}"));
                    }
                }
                true
            }
            other => panic!("{at}: {other}"),
        };
        if !is_right {
            found.push(at.to_owned());
        }
    }
}

fn is_of(wanted: &Value, value: &Value) -> bool {
    match wanted.as_str() {
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => {
            let several = wanted.as_array().expect("a type, or several");
            several.iter().any(|it| is_of(it, value))
        }
    }
}
