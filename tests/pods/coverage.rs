//! Whether the Pods have every field that a Pod of Kubernetes 1.36 can have.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use super::corpus;

/// Fields that no Pod has when it is made, by their type.
const EXCEPTIONS: &[(&str, &[&str], &str)] = &[
    ("Pod", &["status"], "it is the node's to say"),
    (
        "ObjectMeta",
        &[
            "creationTimestamp",
            "deletionGracePeriodSeconds",
            "deletionTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "selfLink",
            "uid",
        ],
        "the API server sets it",
    ),
    (
        "EphemeralContainer",
        &[
            "lifecycle",
            "livenessProbe",
            "ports",
            "readinessProbe",
            "resizePolicy",
            "resources",
            "restartPolicy",
            "restartPolicyRules",
            "startupProbe",
        ],
        "it is refused there",
    ),
];

type Field = (String, String);

#[test]
fn together_they_have_every_field_of_a_pod() {
    let schema = schemars::schema_for!(Pod).to_value();
    let mut all = BTreeSet::new();
    let exceptions: BTreeSet<Field> = EXCEPTIONS
        .iter()
        .flat_map(|(kind, fields, _)| {
            fields.iter().map(|field| ((*kind).to_owned(), (*field).to_owned()))
        })
        .collect();
    list("Pod", &schema, &schema, &exceptions, &mut all);
    assert!(all.len() > 400, "the schema was not read: {all:?}");

    let (mut seen, mut unknown) = (BTreeSet::new(), Vec::new());
    for sample in corpus::wild() {
        let mut unknown_here = BTreeSet::new();
        mark("Pod", &schema, &sample.pod(), &schema, &mut seen, &mut unknown_here);
        unknown.extend(unknown_here.into_iter().map(|field| (sample.id.clone(), field)));
    }
    assert!(unknown.is_empty(), "no fields of Kubernetes: {unknown:?}");
    let missing: Vec<_> = all.difference(&seen).collect();
    assert!(missing.is_empty(), "{} of {} are in no Pod: {missing:?}", missing.len(), all.len());
    let needless: Vec<_> = exceptions.intersection(&seen).collect();
    assert!(needless.is_empty(), "excepted, and there: {needless:?}");
}

/// All fields that can be reached from a schema.
fn list(
    kind: &str,
    schema: &Value,
    root: &Value,
    exceptions: &BTreeSet<Field>,
    all: &mut BTreeSet<Field>,
) {
    for (field, schema) in members(schema) {
        let this = (kind.to_owned(), field.clone());
        if exceptions.contains(&this) || !all.insert(this) {
            continue;
        }
        if let Some((kind, schema)) = kind_of(schema, root) {
            list(kind, schema, root, exceptions, all);
        }
    }
}

/// Adds the fields that a value has.
fn mark(
    kind: &str,
    schema: &Value,
    value: &Value,
    root: &Value,
    seen: &mut BTreeSet<Field>,
    unknown: &mut BTreeSet<Field>,
) {
    let Value::Object(value) = value else { return };
    for (field, value) in value {
        let this = (kind.to_owned(), field.clone());
        let Some((_, schema)) = members(schema).find(|(name, _)| *name == field) else {
            unknown.insert(this);
            continue;
        };
        seen.insert(this);
        let Some((kind, schema)) = kind_of(schema, root) else { continue };
        for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
            mark(kind, schema, value, root, seen, unknown);
        }
    }
}

fn members(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// The type of a field's value or of its elements, and its schema, where it has fields itself.
fn kind_of<'s>(schema: &'s Value, root: &'s Value) -> Option<(&'s str, &'s Value)> {
    let schema = match schema.get("items") {
        Some(items) => items,
        None => schema,
    };
    let reference = schema.get("$ref")?.as_str()?;
    let definition = root.pointer(reference.strip_prefix('#')?)?;
    let kind = reference.rsplit('.').next()?;
    definition.get("properties").map(|_| (kind, definition))
}
