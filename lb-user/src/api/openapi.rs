//! The API's document, made of the types that its handlers read and write.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    Change, Refusal, ServiceReport, Status, Timeouts,
    diff::{Apply, Diff, Text},
    events::Event,
    explain, flows,
};
use crate::service::ServiceName;

/// What can be asked, of a method and a path.
struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    body: Option<Value>,
    query: Option<Value>,
    answer: Value,
    media: &'static str,
}

/// Returns the document, by OpenAPI 3.1.
pub fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    let mut types = settings.into_generator();
    let refusal = of::<Refusal>(&mut types);
    let mut paths = Map::new();
    for operation in operations(&mut types) {
        let methods = paths.entry(operation.path).or_insert_with(|| json!({}));
        methods[operation.method] = described(&operation, &refusal);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Drover",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "JSON over HTTP on the director's unix socket. Root may change things, the group `drover` may read.",
        },
        "paths": paths,
        "components": {"schemas": types.take_definitions(true)},
    })
}

fn of<T: JsonSchema>(types: &mut SchemaGenerator) -> Value {
    types.subschema_for::<T>().to_value()
}

fn operations(types: &mut SchemaGenerator) -> Vec<Operation> {
    let get = |path, summary, answer| Operation {
        method: "get",
        path,
        summary,
        body: None,
        query: None,
        answer,
        media: "application/json",
    };
    let post = |path, summary, body, answer| Operation {
        method: "post",
        body,
        ..get(path, summary, answer)
    };
    let diff = of::<Diff>(types);
    vec![
        Operation {
            query: Some(json!({"properties": {"all": {"type": "boolean"}}})),
            ..get(
                "/v1/services",
                "Services and their real servers; `all`: also those that only drain",
                of::<Vec<ServiceReport>>(types),
            )
        },
        get("/v1/status", "The director itself", of::<Status>(types)),
        Operation {
            query: Some(flows::Query::json_schema(types).to_value()),
            ..get("/v1/flows", "Connections", of::<flows::Report>(types))
        },
        get(
            "/v1/timeouts",
            "How long connections may be idle",
            of::<Timeouts>(types),
        ),
        get(
            "/v1/config",
            "The configuration's text that is in force",
            of::<String>(types),
        ),
        Operation {
            media: "text/event-stream",
            ..get(
                "/v1/events",
                "What happens, as it does, until the client has enough",
                of::<Event>(types),
            )
        },
        get(
            "/v1/events/last",
            "The last that happened, the oldest first",
            of::<Vec<Event>>(types),
        ),
        get(
            "/v1/openapi.json",
            "This document",
            json!({"type": "object"}),
        ),
        post(
            "/v1/explain",
            "What would become of packets, which are not sent; nothing is changed",
            Some(of::<explain::Question>(types)),
            of::<explain::Answer>(types),
        ),
        post(
            "/v1/diff",
            "What a text would change, or, of null, the file",
            Some(of::<Option<Text>>(types)),
            diff.clone(),
        ),
        post(
            "/v1/apply",
            "Puts a text in the place of the file's",
            Some(of::<Apply>(types)),
            diff.clone(),
        ),
        post(
            "/v1/undo",
            "Goes back to what was in force before",
            None,
            diff,
        ),
        post(
            "/v1/confirm",
            "Keeps what waits to be confirmed",
            None,
            json!({"type": "null"}),
        ),
        post(
            "/v1/changes",
            "Changes, all or none, which are written to the file",
            Some(of::<Vec<Change>>(types)),
            json!({"type": "null"}),
        ),
        post(
            "/v1/zero",
            "Has counters begin at zero: a service's, or, of null, all",
            Some(of::<Option<ServiceName>>(types)),
            json!({"type": "null"}),
        ),
        post(
            "/v1/reload",
            "Reads the file again",
            None,
            json!({"type": "null"}),
        ),
    ]
}

fn described(operation: &Operation, refusal: &Value) -> Value {
    let json = |schema: &Value| json!({"application/json": {"schema": schema}});
    let mut described = json!({
        "summary": operation.summary,
        "responses": {
            "200": {
                "description": "done",
                "content": {operation.media: {"schema": operation.answer}},
            },
            "default": {"description": "refused, and why", "content": json(refusal)},
        },
    });
    if let Some(body) = &operation.body {
        described["requestBody"] = json!({"required": true, "content": json(body)});
    }
    let properties = operation
        .query
        .as_ref()
        .and_then(|it| it["properties"].as_object());
    let parameters = properties.into_iter().flatten();
    let parameters =
        parameters.map(|(name, schema)| json!({"name": name, "in": "query", "schema": schema}));
    let parameters: Vec<Value> = parameters.collect();
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    described
}
