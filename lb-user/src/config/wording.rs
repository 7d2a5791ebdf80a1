//! The words of serde and of the TOML parser, in ours.

/// How far a name may be from the one that was meant.
const LIKENESS_MIN: f64 = 0.7;

/// Says in one line what `message` says, and which name may have been meant.
pub(super) fn reworded(message: &str) -> String {
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match names.as_slice() {
        [unknown, known @ ..] if message.starts_with("unknown field") => {
            format!("unknown key `{unknown}`; {}", suggested(unknown, known))
        }
        [unknown, known @ ..] if message.starts_with("unknown variant") => {
            format!("unknown value `{unknown}`; {}", suggested(unknown, known))
        }
        [missing] if message.starts_with("missing field") => {
            format!("the key `{missing}` is missing; add it")
        }
        _ => in_toml(&message.trim_end().replace('\n', "; ")),
    }
}

/// Calls types as TOML does, not as Rust does.
fn in_toml(message: &str) -> String {
    let Some((found, expected)) = message.split_once(", expected ") else {
        return message.replace("wanted string or table", "invalid type: expected a string");
    };
    let found = found.replace("invalid type: map", "invalid type: table");
    let found = found.replace("invalid type: sequence", "invalid type: array");
    let expected = match expected {
        "a sequence" => "an array",
        "a map" => "a table",
        "i64" => "a whole number",
        "f64" => "a number",
        "usize" | "u32" => "a whole number from 0",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    format!("{found}, expected {expected}")
}

/// The names that may stand instead, or the nearest.
pub fn suggested(unknown: &str, known: &[&str]) -> String {
    let likeness = |name: &&&str| strsim::jaro_winkler(unknown, name);
    let nearest = known
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .filter(|nearest| likeness(nearest) >= LIKENESS_MIN);
    match (nearest, known) {
        (Some(nearest), _) => format!("did you mean `{nearest}`?"),
        (None, []) => "there are none here".into(),
        (None, known) => format!("one of: {}", known.join(", ")),
    }
}
