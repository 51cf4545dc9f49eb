//! A Pki as it arrives, before any schema has seen it: what has the wrong type is told with all
//! other faults, and what is left is read.
//!
//! The rules are those of the CRD's own schema, so that they are the same; what the schema says by
//! patterns and CEL is told, in better words, by [`super::syntax`].

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use crate::api::finding::{clipped, listed, shown};
use crate::api::{Enforcement, Finding, Pki, PkiSpec};
use crate::policy::Snapshot;
use crate::policy::nearest::nearest;
use crate::policy::types::{named, type_of};

use super::{Subject, judge};

/// The schema of `spec`, from the CRD.
static SPEC_SCHEMA: LazyLock<Option<JSONSchemaProps>> = LazyLock::new(|| {
    let version = Pki::crd().spec.versions.into_iter().next()?;
    version.schema?.open_api_v3_schema?.properties?.remove("spec")
});

/// A Pki's `spec` as far as it can be read, and what can't be.
#[derive(Debug)]
pub struct Reading {
    /// The values that have the right types; the rest as if it were not there.
    pub spec: PkiSpec,
    /// What has the wrong type or is missing.
    pub faults: Vec<Finding>,
}

impl Reading {
    /// All that is wrong with the Pki that this is the `spec` of: what can't be read, and what is
    /// found of the rest.
    pub fn findings(&self, subject: &Subject<'_>, snapshot: &Snapshot) -> Vec<Finding> {
        let mut findings = self.faults.clone();
        let judged = judge(subject, snapshot).findings;
        findings.extend(judged.into_iter().filter(|finding| !covers(&self.faults, finding)));
        findings
    }
}

/// Reads the schema, which takes milliseconds, before the first request has to wait for it.
pub fn prepare() {
    LazyLock::force(&SPEC_SCHEMA);
}

/// Reads the `spec` of a Pki that no schema has seen.
pub fn read(name: &str, spec: Option<&Value>) -> Reading {
    let mut spec = spec.filter(|spec| !spec.is_null()).cloned().unwrap_or_else(|| json!({}));
    let mut reader = Reader { name, faults: Vec::new() };
    if let Some(schema) = SPEC_SCHEMA.as_ref() {
        reader.check(&mut spec, schema, "spec");
    }
    if !spec.is_object() {
        spec = Value::Object(serde_json::Map::new());
    }
    if let Some(fields) = spec.as_object_mut() {
        // The only field that has to be there; its absence is told already.
        fields.entry("serviceName").or_insert_with(|| Value::String(String::new()));
    }
    let mut faults = reader.faults;
    let spec = serde_json::from_value(spec).unwrap_or_else(|error| {
        faults.push(fault(name, "spec", None, &format!("can't be read: {error}")));
        PkiSpec::default()
    });
    Reading { spec, faults }
}

/// Whether a finding is about a field that could not be read, so that only that is told of it.
fn covers(faults: &[Finding], finding: &Finding) -> bool {
    faults.iter().any(|fault| {
        finding
            .field
            .strip_prefix(fault.field.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with('['))
    })
}

struct Reader<'a> {
    name: &'a str,
    faults: Vec<Finding>,
}

impl Reader<'_> {
    /// Checks a value and takes out of it what is wrong. Says whether the value itself can stay.
    fn check(&mut self, value: &mut Value, schema: &JSONSchemaProps, path: &str) -> bool {
        let wanted = schema.type_.as_deref().unwrap_or("object");
        if !has_type(value, wanted) {
            let problem = format!("is {}, not {}", type_of(value), named(wanted));
            self.tell(path, Some(value.to_string()), &problem);
            if let Some(fault) = self.faults.last_mut() {
                fault.fix.push_str(&right_type(value, wanted));
            }
            return false;
        }
        match value {
            Value::Object(fields) => self.check_fields(fields, schema, path),
            Value::Array(items) => self.check_items(items, schema, path),
            Value::String(text) => return self.check_text(text, schema, path),
            _ => {}
        }
        true
    }

    fn check_fields(
        &mut self,
        fields: &mut Map<String, Value>,
        schema: &JSONSchemaProps,
        path: &str,
    ) {
        for (key, schema) in schema.properties.iter().flatten() {
            let remove = match fields.get_mut(key) {
                None => false,
                Some(Value::Null) if schema.nullable == Some(true) => true,
                Some(value) => !self.check(value, schema, &format!("{path}.{key}")),
            };
            if remove {
                fields.remove(key);
            }
        }
        for key in schema.required.iter().flatten() {
            let path = format!("{path}.{key}");
            let told = self.faults.iter().any(|fault| fault.field == path);
            if !told && !fields.contains_key(key) {
                self.tell(&path, None, "is missing");
            }
        }
        if self.is_too_many(fields.len(), schema.max_properties, path) {
            fields.clear();
        }
        if let Some(JSONSchemaPropsOrBool::Schema(schema)) = &schema.additional_properties {
            fields.retain(|key, value| self.check(value, schema, &format!("{path}[{key:?}]")));
        }
    }

    fn check_items(&mut self, items: &mut Vec<Value>, schema: &JSONSchemaProps, path: &str) {
        if self.is_too_many(items.len(), schema.max_items, path) {
            items.clear();
        }
        let Some(JSONSchemaPropsOrArray::Schema(schema)) = &schema.items else { return };
        for (index, item) in items.iter_mut().enumerate() {
            if !self.check(item, schema, &format!("{path}[{index}]")) {
                // Its place is kept, so that the paths of those after it stay right.
                let first_allowed = schema.enum_.iter().flatten().next();
                *item = first_allowed.map_or_else(|| json!(""), |allowed| allowed.0.clone());
            }
        }
    }

    fn check_text(&mut self, text: &str, schema: &JSONSchemaProps, path: &str) -> bool {
        let length = text.chars().count();
        if let Some(most) = schema.max_length
            && i64::try_from(length).unwrap_or(i64::MAX) > most
        {
            let problem = format!("has {length} characters, and at most {most} are allowed");
            self.tell(path, Some(text.to_owned()), &problem);
            return false;
        }
        self.check_enum(text, schema, path)
    }

    fn check_enum(&mut self, text: &str, schema: &JSONSchemaProps, path: &str) -> bool {
        let Some(values) = &schema.enum_ else { return true };
        let allowed: Vec<String> =
            values.iter().filter_map(|value| value.0.as_str().map(str::to_owned)).collect();
        if allowed.iter().any(|value| value == text) {
            return true;
        }
        let same = allowed.iter().find(|value| value.eq_ignore_ascii_case(text)).cloned();
        let near = || nearest(text, allowed.iter().map(String::as_str)).map(str::to_owned);
        let nearest = same.or_else(near);
        let problem = format!("is not one of {}", listed(&allowed));
        let finding = fault(self.name, path, Some(text.to_owned()), &problem);
        self.faults.push(Finding { allowed, nearest, ..finding });
        false
    }

    /// Whether there are more entries than the schema takes. Then only that is told of them: who
    /// sends a million must not have a million read.
    fn is_too_many(&mut self, count: usize, most: Option<i64>, path: &str) -> bool {
        let Some(most) = most.filter(|most| i64::try_from(count).unwrap_or(i64::MAX) > *most)
        else {
            return false;
        };
        let problem = format!("has {count} entries, and at most {most} are allowed");
        self.tell(path, None, &problem);
        true
    }

    fn tell(&mut self, path: &str, value: Option<String>, problem: &str) {
        self.faults.push(fault(self.name, path, value, problem));
    }
}

/// A fault of a field's type, or of its absence.
fn fault(name: &str, path: &str, value: Option<String>, problem: &str) -> Finding {
    let subject = value
        .as_deref()
        .map_or_else(|| path.to_owned(), |value| format!("{path}: {}", shown(value)));
    Finding {
        reason: "PkiFieldError".to_owned(),
        field: path.to_owned(),
        value: value.map(|value| clipped(&value)),
        allowed: Vec::new(),
        policy: None,
        rule: None,
        enforcement: Enforcement::Deny,
        fault: format!("{subject} in pki: {name} {problem}"),
        nearest: None,
        fix: format!("Set {path} of Pki {name}"),
        consequence: "nothing is issued until then".to_owned(),
        past_webhook: false,
    }
}

fn has_type(value: &Value, wanted: &str) -> bool {
    match wanted {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        wanted => type_of(value) == named(wanted),
    }
}

/// How to write what was meant, where that can be told.
fn right_type(value: &Value, wanted: &str) -> String {
    let simple = value.is_number() || value.is_boolean() || value.is_string();
    match wanted {
        "string" if simple => format!(" to {named}, in quotes", named = named(wanted)),
        "array" if simple => format!(" to a list: [{}]", shown(&plain(value))),
        "integer" if value.is_string() => format!(" to {}, without quotes", named(wanted)),
        _ => format!(" to {}", named(wanted)),
    }
}

/// A value without the quotes of JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(spec: Value) -> Vec<String> {
        read("p", Some(&spec)).faults.into_iter().map(|finding| finding.fault).collect()
    }

    #[test]
    fn every_wrong_type_is_told_and_the_rest_is_read() {
        let reading = read(
            "p",
            Some(&json!({
                "serviceName": 7, "duration": 720, "dnsNames": ["a.example", 5, "b.example"],
                "privateKey": {"algorithm": "ecdsa", "size": "256"}, "usages": "server auth",
                "secretTemplate": {"labels": {"a": 1, "b": "x"}},
            })),
        );
        let fields: Vec<_> = reading.faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "spec.dnsNames[1]",
                "spec.duration",
                "spec.privateKey.algorithm",
                "spec.privateKey.size",
                "spec.secretTemplate.labels[\"a\"]",
                "spec.serviceName",
                "spec.usages",
            ]
        );
        assert_eq!(reading.spec.dns_names, ["a.example", "", "b.example"]);
        assert_eq!(reading.faults[2].nearest.as_deref(), Some("ECDSA"));
    }

    #[test]
    fn a_missing_spec_or_field_is_told_once() {
        assert_eq!(told(json!({})), ["spec.serviceName in pki: p is missing"]);
        assert_eq!(told(json!({"serviceName": null})).len(), 1);
        assert_eq!(told(json!([])), ["spec: [] in pki: p is a list, not a map"]);
        assert_eq!(read("p", None).faults.len(), 1);
    }

    #[test]
    fn what_the_schema_takes_is_read_whole() {
        let reading =
            read("p", Some(&json!({"serviceName": "a", "duration": null, "dnsNames": ["b"]})));
        assert!(reading.faults.is_empty(), "{:?}", reading.faults);
        assert_eq!(reading.spec.dns_names, ["b"]);
    }

    #[test]
    fn a_list_that_is_too_long_is_told_by_its_length() {
        let names: Vec<String> = (0..101).map(|n| format!("n{n}.example")).collect();
        assert_eq!(
            told(json!({"serviceName": "a", "dnsNames": names})),
            ["spec.dnsNames in pki: p has 101 entries, and at most 100 are allowed"]
        );
    }

    #[test]
    fn a_finding_within_a_faulty_field_is_covered() {
        let faults = read("p", Some(&json!({"serviceName": "a", "dnsNames": [5]}))).faults;
        let at = |field: &str| fault("p", field, None, "x");
        assert!(covers(&faults, &at("spec.dnsNames[0]")));
        assert!(!covers(&faults, &at("spec.dnsNames[1]")));
        assert!(!covers(&faults, &at("spec.dnsNamesX")));
    }
}
