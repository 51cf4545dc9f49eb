//! What the API server would refuse of a policy by its schema, and kubectl by its strictness: a
//! rule whose name is misspelt must not be a rule that nothing breaks.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::Value;

use crate::api::finding::{listed, shown};
use crate::policy::nearest::nearest;
use crate::policy::types::{named, type_of};

/// What is wrong with a part of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub path: String,
    pub message: String,
}

/// Compares an object's fields with the definition of its kind.
pub(super) fn mistakes(object: &Value, definition: &CustomResourceDefinition) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let version = definition.spec.versions.first();
    let schema = version.and_then(|version| version.schema.as_ref()?.open_api_v3_schema.as_ref());
    let (Some(schema), Value::Object(fields)) = (schema, object) else { return mistakes };
    let known = ["apiVersion", "kind", "metadata", "spec", "status"];
    for key in fields.keys().filter(|key| !known.contains(&key.as_str())) {
        mistakes.push(unknown(key, key, known.into_iter()));
    }
    if let Some(schema) = schema.properties.as_ref().and_then(|fields| fields.get("spec")) {
        match fields.get("spec") {
            Some(spec) => compare(spec, schema, "spec", &mut mistakes),
            None => mistakes.push(missing("spec")),
        }
    }
    mistakes
}

fn compare(value: &Value, schema: &JSONSchemaProps, path: &str, mistakes: &mut Vec<Mistake>) {
    if value.is_null() && schema.nullable == Some(true) {
        return;
    }
    let wanted = schema.type_.as_deref().unwrap_or_default();
    if !has_type(value, wanted) {
        let message = format!("is {}, not {}", type_of(value), named(wanted));
        mistakes.push(Mistake { path: path.to_owned(), message });
        return;
    }
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let properties = schema.properties.as_ref();
                match (properties.and_then(|known| known.get(key)), &schema.additional_properties) {
                    (Some(schema), _) => compare(value, schema, &format!("{path}.{key}"), mistakes),
                    (None, Some(JSONSchemaPropsOrBool::Schema(schema))) => {
                        compare(value, schema, &format!("{path}[{key:?}]"), mistakes);
                    }
                    (None, _) if schema.x_kubernetes_preserve_unknown_fields == Some(true) => {}
                    (None, _) => {
                        let known = properties.into_iter().flat_map(|known| known.keys());
                        let path = format!("{path}.{key}");
                        mistakes.push(unknown(&path, key, known.map(String::as_str)));
                    }
                }
            }
            let required = schema.required.iter().flatten();
            let absent = required.filter(|key| !fields.contains_key(key.as_str()));
            mistakes.extend(absent.map(|key| missing(&format!("{path}.{key}"))));
        }
        Value::Array(elements) => {
            let Some(JSONSchemaPropsOrArray::Schema(schema)) = &schema.items else { return };
            for (index, element) in elements.iter().enumerate() {
                compare(element, schema, &format!("{path}[{index}]"), mistakes);
            }
        }
        Value::String(text) => mistakes.extend(not_listed(text, schema, path)),
        _ => {}
    }
}

fn not_listed(text: &str, schema: &JSONSchemaProps, path: &str) -> Option<Mistake> {
    let values = schema.enum_.as_ref()?;
    let allowed: Vec<String> =
        values.iter().filter_map(|value| value.0.as_str().map(str::to_owned)).collect();
    if allowed.iter().any(|value| value == text) {
        return None;
    }
    let same = allowed.iter().find(|value| value.eq_ignore_ascii_case(text)).map(String::as_str);
    let meant = same.or_else(|| nearest(text, allowed.iter().map(String::as_str)));
    let message = format!("{} is not one of {}{}", shown(text), listed(&allowed), question(meant));
    Some(Mistake { path: path.to_owned(), message })
}

fn unknown<'k>(path: &str, key: &str, known: impl Iterator<Item = &'k str>) -> Mistake {
    let message = format!("there is no such field{}", question(nearest(key, known)));
    Mistake { path: path.to_owned(), message }
}

fn missing(path: &str) -> Mistake {
    Mistake { path: path.to_owned(), message: "is missing".to_owned() }
}

fn question(meant: Option<&str>) -> String {
    meant.map(|meant| format!("; did you mean {meant:?}?")).unwrap_or_default()
}

fn has_type(value: &Value, wanted: &str) -> bool {
    match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{PkiPolicy, PodPolicy};
    use kube::CustomResourceExt;
    use serde_json::json;

    fn told(object: Value, definition: CustomResourceDefinition) -> Vec<String> {
        let told = |Mistake { path, message }| format!("{path}: {message}");
        mistakes(&object, &definition).into_iter().map(told).collect()
    }

    #[test]
    fn all_that_the_schema_would_not_take_is_told() {
        let object = json!({"sepc": {}, "metadata": {"name": "a"}, "spec": {
            "validation": [],
            "onViolation": "deny",
            "match": {"namespaceSelector": {"matchLabels": {"a": 1}}},
            "validations": [{"expression": "true"}, {"expressions": "true"}, "x"],
            "inject": {"spec": {"anything": [1, {"b": null}]}},
        }});
        assert_eq!(
            told(object, PodPolicy::crd()),
            [
                "sepc: there is no such field; did you mean \"spec\"?",
                "spec.match.namespaceSelector.matchLabels[\"a\"]: is a number, not a string",
                "spec.onViolation: deny is not one of [Deny Warn]; did you mean \"Deny\"?",
                "spec.validation: there is no such field; did you mean \"validations\"?",
                "spec.validations[1].expressions: there is no such field; did you mean \"expression\"?",
                "spec.validations[1].expression: is missing",
                "spec.validations[2]: is a string, not a map",
            ]
        );
    }

    #[test]
    fn what_the_schema_takes_is_in_order() {
        let object = json!({"apiVersion": "box.com/v1", "kind": "PkiPolicy", "spec": {
            "namespaceSelector": {"matchLabels": {"team": "apps"}}, "allowedNames": ["a"],
            "maxDuration": null, "issuer": {"ca": {"secretName": "ca", "create": true}},
        }});
        assert_eq!(told(object, PkiPolicy::crd()), [] as [String; 0]);
        assert_eq!(told(json!({}), PkiPolicy::crd()), ["spec: is missing"]);
    }
}
