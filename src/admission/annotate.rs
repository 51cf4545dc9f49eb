//! What admission writes onto an object: its findings, the label to select it by, and who
//! admitted it. Nothing else is changed, so that a GitOps tool sees no drift.

use serde_json::{Map, Value};

use crate::api::Finding;
use crate::api::finding::annotation;
use crate::api::names::{ADMITTED_BY_ANNOTATION, FINDINGS_ANNOTATION, FINDINGS_LABEL};

use super::Admitter;
use crate::cel::Json;
use crate::policy::patch::{PatchOp, Pointer};

/// The value of the label on an object that has findings.
const LABELLED: &str = "true";

/// The operations that make an object of this metadata say what was found; none for what it says
/// already.
///
/// `admitted_by` is what stood there before, if it may stay: an update that changes nothing has to
/// stay one, whichever replica sees it.
pub fn patch(
    metadata: Option<&Json<'_>>,
    findings: &[Finding],
    admitter: &Admitter,
    admitted_by: Option<&str>,
) -> Vec<PatchOp> {
    let annotations = [
        (FINDINGS_ANNOTATION, annotation(findings)),
        (ADMITTED_BY_ANNOTATION, Some(admitted_by.unwrap_or(&admitter.0).to_owned())),
    ];
    let labels = [(FINDINGS_LABEL, (!findings.is_empty()).then(|| LABELLED.to_owned()))];
    let mut operations = set(metadata, "annotations", &annotations);
    operations.extend(set(metadata, "labels", &labels));
    operations
}

/// Sets and removes keys of a map in `metadata`, which may not be there.
fn set(
    metadata: Option<&Json<'_>>,
    field: &str,
    wanted: &[(&str, Option<String>)],
) -> Vec<PatchOp> {
    let path = Pointer::root().key("metadata").key(field);
    let Some(Json::Map(present)) = metadata.and_then(|metadata| metadata.get(field)) else {
        let fresh: Map<String, Value> = wanted
            .iter()
            .filter_map(|(key, value)| Some(((*key).to_owned(), value.clone()?.into())))
            .collect();
        return if fresh.is_empty() { Vec::new() } else { vec![PatchOp::add(path, fresh)] };
    };
    let operation = |(key, value): &(&str, Option<String>)| {
        let path = path.key(key);
        match (present.get(key), value) {
            (None, None) => None,
            (Some(_), None) => Some(PatchOp::remove(path)),
            (Some(now), Some(value)) if now.as_str() == Some(value.as_str()) => None,
            (Some(_), Some(value)) => Some(PatchOp::replace(path, value.clone())),
            (None, Some(value)) => Some(PatchOp::add(path, value.clone())),
        }
    };
    wanted.iter().filter_map(operation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Enforcement;
    use serde_json::json;

    fn finding() -> Finding {
        Finding {
            reason: "R".into(),
            field: "spec.x".into(),
            value: None,
            allowed: vec![],
            policy: None,
            rule: None,
            enforcement: Enforcement::Warn,
            fault: "x is wrong".into(),
            nearest: None,
            fix: "Set it".into(),
            consequence: "nothing is done".into(),
            past_webhook: false,
        }
    }

    /// The object after admission, and whether a second admission leaves it alone.
    fn admitted(mut object: Value, findings: &[Finding]) -> Value {
        let apply = |object: &mut Value| {
            let metadata = Json::from(&object["metadata"]);
            let patch = patch(Some(&metadata), findings, &Admitter("me".into()), None);
            let patch: json_patch::Patch = serde_json::from_value(json!(patch)).unwrap();
            json_patch::patch(object, &patch).unwrap();
        };
        apply(&mut object);
        let once = object.clone();
        apply(&mut object);
        assert_eq!(object, once, "a second admission changes nothing");
        object
    }

    #[test]
    fn findings_are_written_where_there_are_no_maps_yet() {
        let object = admitted(json!({"metadata": {"name": "a"}}), &[finding()]);
        assert_eq!(object["metadata"]["labels"]["box.com/findings"], "true");
        assert_eq!(object["metadata"]["annotations"]["box.com/admitted-by"], "me");
    }

    #[test]
    fn what_anyone_else_wrote_there_is_replaced_and_the_rest_stays() {
        let forged = json!({"metadata": {
            "labels": {"box.com/findings": "true", "app": "x"},
            "annotations": {"box.com/findings": "[]", "box.com/admitted-by": "nobody", "a/b~c": "d"},
        }});
        let object = admitted(forged, &[]);
        assert_eq!(
            object["metadata"],
            json!({"labels": {"app": "x"}, "annotations": {"box.com/admitted-by": "me", "a/b~c": "d"}})
        );
    }

    #[test]
    fn who_admitted_it_stays_where_it_may() {
        let object = json!({"metadata": {"annotations": {"box.com/admitted-by": "another"}}});
        let metadata = Json::from(&object["metadata"]);
        assert_eq!(patch(Some(&metadata), &[], &Admitter("me".into()), Some("another")), []);
    }
}
