//! A policy's partial Pod, checked and made ready to be merged.

use serde_json::Value;

use crate::cel::{Json, Object};

use super::checks::{self, metadata};
use super::compare::elements;
use super::containers::List;
use super::place::Place;
use super::structure::{Report, check_spec, did_you_mean, is_too_deep, type_of};
use super::{Entry, InjectFault, Injection};

/// Maps that say nothing where they are empty.
const NOTHING_IF_EMPTY: [&str; 6] =
    ["lifecycle", "limits", "overhead", "requests", "resources", "securityContext"];

/// Texts that stand for a default where they are empty.
const DEFAULT_IF_EMPTY: [&str; 6] = [
    "apiVersion",
    "imagePullPolicy",
    "protocol",
    "scheme",
    "terminationMessagePath",
    "terminationMessagePolicy",
];

/// Compiles the `spec.inject` of a policy.
pub(super) fn compile(inject: &Value) -> Result<Injection, Vec<InjectFault>> {
    let mut report = Report::default();
    let spec = Place::Root.key("spec");
    let place = spec.key("inject");
    if is_too_deep(inject) {
        report.fault(&place, "is nested deeper than any Pod");
        return Err(report.faults);
    }
    let inject = Json::from(inject);
    let Json::Map(members) = &inject else {
        let message =
            format!("is {}; expected is a partial Pod: metadata and spec", type_of(&inject));
        report.fault(&place, message);
        return Err(report.faults);
    };
    for (key, value) in members.iter().filter(|(_, value)| !matches!(value, Json::Null)) {
        let place = place.key(key);
        match (key, value) {
            ("metadata", Json::Map(members)) => metadata::check(&mut report, members, &place),
            ("spec", Json::Map(members)) => {
                check_spec(&mut report, members, &place);
                checks::check_spec(&mut report, members, &place);
            }
            ("metadata" | "spec", _) => {
                report.fault(&place, format!("is {}; expected is a map", type_of(value)));
            }
            _ => {
                let hint = did_you_mean(key, ["metadata", "spec"]);
                report.fault_with(&place, "can't be injected: only metadata and spec can", hint);
            }
        }
    }
    if !report.faults.is_empty() {
        return Err(report.faults);
    }
    let mut injection = Injection { doubts: report.doubts, ..Injection::default() };
    let metadata = members.get("metadata");
    injection.labels = texts(metadata.and_then(|metadata| metadata.get("labels")));
    injection.annotations = texts(metadata.and_then(|metadata| metadata.get("annotations")));
    if let Some(Json::Map(spec)) = members.get("spec") {
        let is_list = |key: &str| List::BOTH.iter().any(|list| list.field() == key);
        injection.spec = sorted(spec).filter(|(key, _)| !is_list(key)).collect();
        for list in List::BOTH {
            let entries = elements(spec.get(list.field())).iter();
            injection.entries.extend(entries.filter_map(|entry| compiled(list, entry)));
        }
    }
    Ok(injection)
}

fn compiled(list: List, entry: &Json<'static>) -> Option<Entry> {
    let Json::Map(members) = entry else { return None };
    let text = |key: &str| members.get(key).and_then(Json::as_str).map(str::to_owned);
    let fields = sorted(members).filter(|(key, _)| !matches!(key.as_str(), "name" | "image"));
    Some(Entry { list, name: text("name")?, image: text("image"), fields: fields.collect() })
}

/// Labels or annotations.
fn texts(map: Option<&Json<'static>>) -> Vec<(String, Json<'static>)> {
    match map {
        Some(Json::Map(map)) => {
            let said = map.iter().filter(|(_, value)| !matches!(value, Json::Null));
            let mut said: Vec<_> =
                said.map(|(key, value)| (key.to_owned(), value.clone())).collect();
            said.sort_by(|(a, _), (b, _)| a.cmp(b));
            said
        }
        _ => Vec::new(),
    }
}

/// The members that say something, in the order in which they are merged: by name, but for those
/// that decide what others may be.
fn sorted(members: &Object<'static>) -> impl Iterator<Item = (String, Json<'static>)> {
    let said =
        members.iter().filter_map(|(key, value)| Some((key.to_owned(), pruned(key, value)?)));
    let mut said: Vec<_> = said.collect();
    said.sort_by(|(a, _), (b, _)| {
        let rank =
            |key: &str| (!matches!(key, "restartPolicy" | "hostUsers"), key != "securityContext");
        (rank(a), a).cmp(&(rank(b), b))
    });
    said.into_iter()
}

/// A value without what says nothing; nothing where the whole says nothing.
fn pruned(key: &str, value: &Json<'static>) -> Option<Json<'static>> {
    match value {
        Json::Null => None,
        Json::Int(0) if key == "hostPort" => None,
        Json::String(text) if text.is_empty() && DEFAULT_IF_EMPTY.contains(&key) => None,
        // Whatever the keys of labels are, they are no fields.
        Json::Map(labels) if matches!(key, "nodeSelector" | "matchLabels") => {
            (!labels.is_empty()).then(|| value.clone())
        }
        Json::List(items) => {
            let items: Vec<_> = items.iter().filter_map(|item| pruned("", item)).collect();
            (!items.is_empty()).then_some(Json::List(items))
        }
        Json::Map(members) => {
            let members: Object<'static> = members
                .iter()
                .filter_map(|(key, value)| Some((key.to_owned().into(), pruned(key, value)?)))
                .collect();
            let is_nothing = members.is_empty() && NOTHING_IF_EMPTY.contains(&key);
            (!is_nothing).then_some(Json::Map(members))
        }
        value => Some(value.clone()),
    }
}
