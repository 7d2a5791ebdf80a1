//! The JSON Schema of `director.toml`, made of the types that read it: for editors, which complete keys by it and mark
//! what is mistyped. What needs more than one value to be seen is told by the daemon alone.

use std::borrow::Cow;

use schemars::{
    JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema,
    transform::RecursiveTransform,
};
use serde_json::Value;

use super::{destinations::Listen, director::DESTINATIONS_MAX, file::File};
use crate::service::ServiceName;

pub fn director() -> Value {
    // Of draft 7: what taplo and its kin read.
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(without_null));
    let mut schema = settings.into_generator().into_root_schema_for::<File>();
    schema.insert("title".into(), "director.toml of Drover".into());
    schema.to_value()
}

/// A key that may be left out is never null: TOML has none.
fn without_null(schema: &mut Schema) {
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|it| it != "null");
        if let [one] = &mut types[..] {
            let one = one.take();
            schema.insert("type".into(), one);
        }
    }
    if let Some(Value::Array(all)) = schema.get_mut("anyOf") {
        all.retain(|it| it["type"] != "null");
        // What is wrong is then told of the one that is left, not that none of them fits.
        if all.len() == 1 {
            let one = schema.remove("anyOf").unwrap_or_default();
            schema.insert("allOf".into(), one);
        }
    }
}

impl JsonSchema for Listen {
    fn schema_name() -> Cow<'static, str> {
        "Listen".into()
    }

    fn json_schema(types: &mut SchemaGenerator) -> Schema {
        let one = types.subschema_for::<ServiceName>();
        let list = json_schema!({
            "type": "array",
            "items": one,
            "minItems": 1,
            "maxItems": DESTINATIONS_MAX,
        });
        json_schema!({"anyOf": [one, list]})
    }
}

#[cfg(test)]
mod tests;
