//! Whether a partial Pod has the structure of a Pod of Kubernetes 1.36: each value the type that
//! its field has.

use std::sync::LazyLock;

use k8s_openapi::api::core::v1::PodSpec;
use serde_json::Value;

use crate::cel::{Json, Object, compare_quantities};
use crate::policy::nearest::nearest;
use crate::policy::types::named;

use super::InjectFault;
use super::compare::{member, scalar};
use super::place::Place;
use super::run::text;

/// The schema of the spec of a Pod, with all definitions that it refers to.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(PodSpec).to_value());

/// How deep a value may be nested: nothing in a Pod is nearly so deep.
const DEEPEST: usize = 64;

/// Fields that take one of these texts only.
const CHOICES: [(&str, &[&str]); 10] = [
    ("dnsPolicy", &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]),
    ("effect", &["NoSchedule", "PreferNoSchedule", "NoExecute"]),
    ("fsGroupChangePolicy", &["OnRootMismatch", "Always"]),
    ("imagePullPolicy", &["Always", "IfNotPresent", "Never"]),
    ("mountPropagation", &["None", "HostToContainer", "Bidirectional"]),
    ("protocol", &["TCP", "UDP", "SCTP"]),
    (RESIZE_POLICY, &["NotRequired", "RestartContainer"]),
    ("restartPolicy", &["Always", "OnFailure", "Never"]),
    ("terminationMessagePolicy", &["File", "FallbackToLogsOnError"]),
    ("whenUnsatisfiable", &["DoNotSchedule", "ScheduleAnyway"]),
];

/// A list whose elements have a restartPolicy of another sort than containers.
const RESIZE_POLICY: &str = "resizePolicy";

/// What is wrong, and what may be.
#[derive(Default)]
pub(super) struct Report {
    pub(super) faults: Vec<InjectFault>,
    pub(super) doubts: Vec<InjectFault>,
}

impl Report {
    pub(super) fn fault(&mut self, place: &Place<'_>, message: impl Into<String>) {
        self.faults.push(fault(place, message, None));
    }

    pub(super) fn fault_with(
        &mut self,
        place: &Place<'_>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.faults.push(fault(place, message, hint));
    }

    pub(super) fn doubt(
        &mut self,
        place: &Place<'_>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.doubts.push(fault(place, message, hint));
    }
}

fn fault(place: &Place<'_>, message: impl Into<String>, hint: Option<String>) -> InjectFault {
    InjectFault { path: place.to_string(), message: message.into(), hint }
}

/// The question whether another name was meant.
pub(super) fn did_you_mean<'n>(
    name: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<String> {
    // Names of fields have capitals, which `nearest` takes for slips.
    let names: Vec<_> = names.into_iter().map(|name| (name.to_lowercase(), name)).collect();
    let meant = nearest(name, names.iter().map(|(lower, _)| lower.as_str()))?;
    let (_, meant) = names.iter().find(|(lower, _)| lower == meant)?;
    Some(format!("did you mean {meant:?}?"))
}

/// Checks the spec of a partial Pod.
pub(super) fn check_spec(report: &mut Report, spec: &Object<'_>, place: &Place<'_>) {
    check_members(report, spec, &SCHEMA, place, true);
}

/// The text of a value that has to be one; of another it is told.
pub(super) fn check_text<'j>(
    report: &mut Report,
    value: &'j Json<'_>,
    place: &Place<'_>,
) -> Option<&'j str> {
    if value.as_str().is_none() {
        wrong_type(report, value, "string", place);
    }
    value.as_str()
}

fn wrong_type(report: &mut Report, value: &Json<'_>, wanted: &str, place: &Place<'_>) {
    let (is, expected) = (type_of(value), named(wanted));
    let message = format!("is {is}, {}; expected is {expected}", clipped(value));
    report.fault_with(place, message, right_type(value, wanted));
}

/// Whether a value is nested deeper than anything in a Pod.
pub(super) fn is_too_deep(value: &Value) -> bool {
    fn exceeds(value: &Value, left: usize) -> bool {
        let Some(left) = left.checked_sub(1) else { return true };
        match value {
            Value::Array(items) => items.iter().any(|item| exceeds(item, left)),
            Value::Object(members) => members.values().any(|member| exceeds(member, left)),
            _ => false,
        }
    }
    exceeds(value, DEEPEST)
}

fn check(report: &mut Report, value: &Json<'_>, schema: &Value, field: &str, place: &Place<'_>) {
    let (schema, is_quantity) = resolved(schema);
    let Some(wanted) = schema.get("type").and_then(Value::as_str) else {
        return check_scalar(report, value, is_quantity, place);
    };
    match (wanted, value) {
        ("object", Json::Map(members)) => check_members(report, members, schema, place, false),
        ("array", Json::List(items)) => {
            let Some(schema) = schema.get("items") else { return };
            for (index, item) in items.iter().enumerate() {
                check(report, item, schema, "", &place.index(index));
            }
        }
        ("integer", Json::Int(number)) => {
            let is_short = schema.get("format").and_then(Value::as_str) == Some("int32");
            if is_short && i32::try_from(*number).is_err() {
                report.fault(place, format!("{number} is out of range for a number of 32 bits"));
            }
        }
        ("string", Json::String(text)) => check_choice(report, text, field, place),
        ("boolean", Json::Bool(_)) | ("number", Json::Int(_) | Json::Double(_)) => {}
        _ => wrong_type(report, value, wanted, place),
    }
}

fn check_members(
    report: &mut Report,
    members: &Object<'_>,
    schema: &Value,
    place: &Place<'_>,
    is_partial: bool,
) {
    let known = schema.get("properties").and_then(Value::as_object);
    let others = schema.get("additionalProperties").filter(|others| others.is_object());
    for (key, value) in members.iter().filter(|(_, value)| !matches!(value, Json::Null)) {
        let place = place.key(key);
        match (known.and_then(|known| known.get(key)), others) {
            (Some(schema), _) | (None, Some(schema)) => check(report, value, schema, key, &place),
            (None, None) => {
                // Without either the schema takes anything.
                let Some(known) = known else { continue };
                let hint = did_you_mean(key, known.keys().map(String::as_str));
                let message = "is no field of Kubernetes 1.36; it is injected as it is";
                report.doubt(&place, message, hint);
            }
        }
    }
    let required = schema.get("required").and_then(Value::as_array).filter(|_| !is_partial);
    for key in required.into_iter().flatten().filter_map(Value::as_str) {
        let is_missing = members.get(key).is_none_or(|value| matches!(value, Json::Null));
        if is_missing {
            report.fault(&place.key(key), "is missing");
        }
    }
}

/// Checks what is text or number: a quantity, or a port.
fn check_scalar(report: &mut Report, value: &Json<'_>, is_quantity: bool, place: &Place<'_>) {
    let found = scalar(value).filter(|_| is_quantity || !matches!(value, Json::Double(_)));
    let Some(found) = found else {
        let expected =
            if is_quantity { "a quantity such as 500m or 1Gi" } else { "a number or a name" };
        let message = format!("is {}, {}; expected is {expected}", type_of(value), clipped(value));
        return report.fault(place, message);
    };
    if is_quantity && compare_quantities(&found, "0").is_none() {
        let message = format!("{} is not a quantity such as 500m or 1Gi", clipped(value));
        report.fault(place, message);
    }
}

fn check_choice(report: &mut Report, text: &str, field: &str, place: &Place<'_>) {
    let field = match place {
        Place::Key(Place::Index(Place::Key(_, RESIZE_POLICY), _), "restartPolicy") => RESIZE_POLICY,
        _ => field,
    };
    let Some((_, choices)) = CHOICES.iter().find(|(name, _)| *name == field) else { return };
    if !choices.contains(&text) && !text.is_empty() {
        let message = format!("{text:?} is not one of {}", choices.join(", "));
        report.fault_with(place, message, did_you_mean(text, choices.iter().copied()));
    }
}

/// The schema that another refers to, and whether that is the one of quantities.
fn resolved(schema: &Value) -> (&Value, bool) {
    let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
        return (schema, false);
    };
    let definition = reference.strip_prefix('#').and_then(|pointer| SCHEMA.pointer(pointer));
    (definition.unwrap_or(schema), reference.ends_with(".Quantity"))
}

/// How to write what was meant, where that can be told.
fn right_type(value: &Json<'_>, wanted: &str) -> Option<String> {
    let plain = || scalar(value).map_or_else(|| text(value), |text| text.into_owned());
    match (wanted, value) {
        ("string", Json::Int(_) | Json::Double(_) | Json::Bool(_)) => {
            Some(format!("write it in quotes: {:?}", plain()))
        }
        ("integer" | "boolean" | "number", Json::String(_)) => {
            Some("write it without quotes".to_owned())
        }
        ("array", Json::String(_) | Json::Int(_)) => Some(format!("write a list: [{}]", plain())),
        _ => None,
    }
}

/// A value as JSON, so long as a message can be.
fn clipped(value: &Json<'_>) -> String {
    crate::api::finding::shown(&text(value))
}

/// The type of a value, as YAML's users know it.
pub(super) fn type_of(value: &Json<'_>) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Int(_) => "a whole number",
        Json::Double(_) => "a number",
        Json::String(_) => "a string",
        Json::List(_) => "a list",
        Json::Map(_) => "a map",
    }
}

/// The text of a member that is one, and not empty.
pub(super) fn text_of<'j>(value: &'j Json<'_>, key: &str) -> Option<&'j str> {
    member(value, key).and_then(Json::as_str).filter(|text| !text.is_empty())
}
