//! The types of JSON, in the words of YAML's users.

use serde_json::Value;

/// The type of a value.
pub fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// A type as a schema names it.
pub fn named(schema_type: &str) -> &'static str {
    match schema_type {
        "boolean" => "a boolean",
        "string" => "a string",
        "array" => "a list",
        "integer" => "a whole number",
        "number" => "a number",
        _ => "a map",
    }
}
