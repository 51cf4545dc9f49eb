//! Labels and annotations.

use crate::cel::{Json, Object};
use crate::policy::pki::forms::{is_label_value, is_qualified_name, is_reserved};

use super::super::guards;
use super::super::place::Place;
use super::super::structure::{Report, check_text, did_you_mean, type_of};

/// What else an object's metadata has.
const OTHERS: [&str; 13] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

const KEY_FORM: &str = "is not a key that Kubernetes takes: [DOMAIN/]NAME";

/// Checks the metadata of a partial Pod.
pub(in super::super) fn check(report: &mut Report, metadata: &Object<'_>, place: &Place<'_>) {
    for (key, value) in metadata.iter().filter(|(_, value)| !matches!(value, Json::Null)) {
        let place = place.key(key);
        match (key, value) {
            ("labels", Json::Map(labels)) => {
                check_reserved(report, labels, &place);
                check_labels(report, labels, &place);
            }
            ("annotations", Json::Map(annotations)) => {
                check_reserved(report, annotations, &place);
                check_annotations(report, annotations, &place);
                let size = guards::size_of_annotations(Some(value));
                if let Some(because) = guards::too_many_annotations(size) {
                    report.fault(&place, format!("has {size} bytes: {because}"));
                }
            }
            ("labels" | "annotations", _) => {
                report.fault(&place, format!("is {}; expected is a map", type_of(value)));
            }
            (key, _) if OTHERS.contains(&key) => {
                report.fault(
                    &place,
                    "can't be injected: of the metadata only labels and annotations can",
                );
            }
            _ => {
                let hint = did_you_mean(key, ["labels", "annotations"]);
                report.fault_with(&place, "is no field of a Pod's metadata", hint);
            }
        }
    }
}

fn check_reserved(report: &mut Report, map: &Object<'_>, place: &Place<'_>) {
    for (key, _) in map.iter().filter(|(key, _)| is_reserved(key)) {
        report.fault(&place.key(key), "can't be injected: the key is Portreeve's own");
    }
}

/// Checks keys and values of labels.
pub(super) fn check_labels(report: &mut Report, labels: &Object<'_>, place: &Place<'_>) {
    for (key, value) in labels.iter().filter(|(_, value)| !matches!(value, Json::Null)) {
        let place = place.key(key);
        if !is_qualified_name(key) {
            report.fault(&place, KEY_FORM);
        }
        let Some(value) = check_text(report, value, &place) else { continue };
        if !(value.is_empty() || is_label_value(value)) {
            let message = format!(
                "{value:?} is not a label's value: at most 63 letters, digits, '-', '_' and '.', \
                 beginning and ending with a letter or digit"
            );
            report.fault(&place, message);
        }
    }
}

fn check_annotations(report: &mut Report, annotations: &Object<'_>, place: &Place<'_>) {
    for (key, value) in annotations.iter().filter(|(_, value)| !matches!(value, Json::Null)) {
        let place = place.key(key);
        if !is_qualified_name(&key.to_lowercase()) {
            report.fault(&place, KEY_FORM);
        }
        check_text(report, value, &place);
    }
}
