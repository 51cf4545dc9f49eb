//! The webhook, asked as the API server asks it, whose answer is applied as the API server does.

use std::sync::Arc;

use portreeve::admission::{self, Admitter, review};
use portreeve::api::{Finding, PodPolicy};
use portreeve::policy::Snapshot;
use portreeve::policy::pod::{PodRules, Workload};
use portreeve::policy::snapshot::KnownPodPolicy;
use serde_json::{Value, json};

use super::corpus::{self, numbers};

/// The annotation that every object gets.
pub const ADMITTED_BY: &str = "box.com/admitted-by";

/// The policies in effect.
pub struct Policies {
    snapshot: Snapshot,
    policies: Vec<PodPolicy>,
}

impl Policies {
    pub fn none() -> Self {
        Self::of(&[])
    }

    /// Those of files of `policies`.
    pub fn of(files: &[&str]) -> Self {
        let mut snapshot =
            Snapshot { own_namespace: "portreeve".to_owned(), ..Snapshot::default() };
        snapshot.namespaces.insert("shop".to_owned(), Default::default());
        let policies: Vec<PodPolicy> = files.iter().map(|file| corpus::policy(file)).collect();
        for policy in &policies {
            let rules = PodRules::compile(policy).unwrap();
            let name = rules.name.clone();
            let known = KnownPodPolicy {
                uid: name.clone(),
                generation: None,
                is_refused: false,
                rules: Some(Arc::new(rules)),
            };
            snapshot.pod_policies.insert(name, known);
        }
        Self { snapshot, policies }
    }

    /// What the first of them injects.
    pub fn inject(&self) -> Value {
        self.policies[0].spec.inject.clone().unwrap()
    }
}

/// The object as it is sent, and as it is after admission; numbers are marked in both.
pub fn admit(object: &str, workload: Workload, policies: &Policies) -> (Value, Value) {
    let (group, kind) = (workload.group(), workload.kind());
    let mut request = json!({
        "uid": "u", "operation": "CREATE", "namespace": "shop", "name": "",
        "kind": {"group": group, "version": "v1", "kind": kind},
        "resource": {"group": group, "version": "v1", "resource": workload.resource()},
        "userInfo": {"username": "owner"}, "oldObject": null, "dryRun": false,
    })
    .to_string();
    request.truncate(request.len() - 1);
    let body = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{request},"object":{object}}}}}"#
    );
    let request = review::parse(body.as_bytes()).unwrap();
    let admitter = Admitter("test".to_owned());
    let answer = admission::mutate(&request, &policies.snapshot, &admitter).unwrap();
    assert!(answer.allowed, "{:?}", answer.status);
    let patch: json_patch::Patch = serde_json::from_value(json!(answer.patch)).unwrap();
    let marked = numbers::mark(object);
    let mut new = marked.clone();
    if let Err(error) = json_patch::patch(&mut new, &patch) {
        panic!("the patch can't be applied: {error}: {patch:#?}");
    }
    (marked, new)
}

/// What is said of the findings, and whether the label says that there are some.
pub fn findings(object: &Value) -> (Vec<String>, bool) {
    let metadata = &object["metadata"];
    let text = metadata["annotations"]["box.com/findings"].as_str().unwrap_or("[]");
    let findings: Vec<Finding> = serde_json::from_str(text).unwrap();
    let label = &metadata["labels"]["box.com/findings"];
    (findings.iter().map(|finding| finding.fault.clone()).collect(), label == "true")
}
