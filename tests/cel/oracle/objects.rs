//! The policies and bindings that are made of a question.

use serde_json::{Value, json};

use super::corpus::{Named, Policy};
use super::reviews::Review;

/// The group and version of policies and bindings.
const API_VERSION: &str = "admissionregistration.k8s.io/v1";

/// The label of all policies and bindings of a batch.
pub const BATCH: &str = "portreeve.example.com/batch";

/// What the witness says when it refuses.
pub const WITNESS: &str = "the witness is in force";

/// The index of the validation that is asked about.
pub const ASKED: usize = 0;

/// The index of the validation that fails whenever the policy is matched.
pub const MARKER: usize = 1;

/// What a binding makes of a failure.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// An audit annotation.
    Audit,
    /// A refusal of the request.
    Deny,
}

/// A policy that applies to some reviews and to no other Pod.
///
/// Behind the validation that is asked about comes one that is always false: where it fails, the
/// policy was in force and was matched. Its cost is none, so it takes nothing from the budget.
pub fn policy(batch: &str, name: &str, policy: &Policy, reviews: &[&Review]) -> Value {
    let mut asked = json!({"expression": policy.expression});
    if let Some(message) = &policy.message {
        asked["message"] = json!(message);
    }
    if let Some(expression) = &policy.message_expression {
        asked["messageExpression"] = json!(expression);
    }
    let marker = json!({"expression": "false", "message": "marker"});
    object(
        "ValidatingAdmissionPolicy",
        batch,
        name,
        json!({
            "failurePolicy": "Fail",
            "matchConstraints": constraints(reviews),
            "matchConditions": named(&policy.match_conditions),
            "variables": named(&policy.variables),
            "validations": [asked, marker],
        }),
    )
}

/// The binding of the policy of this name, which has the same name.
pub fn binding(batch: &str, name: &str, action: Action) -> Value {
    let spec = json!({"policyName": name, "validationActions": [format!("{action:?}")]});
    object("ValidatingAdmissionPolicyBinding", batch, name, spec)
}

/// A policy that refuses the ConfigMap of its own name.
pub fn witness(batch: &str, name: &str) -> Value {
    object(
        "ValidatingAdmissionPolicy",
        batch,
        name,
        json!({
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["configmaps"], "resourceNames": [name],
            }]},
            "validations": [{"expression": "false", "message": WITNESS}],
        }),
    )
}

fn object(kind: &str, batch: &str, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "labels": {BATCH: batch}},
        "spec": spec,
    })
}

fn named(expressions: &[Named]) -> Value {
    let object = |named: &Named| json!({"name": named.name, "expression": named.expression});
    expressions.iter().map(object).collect()
}

/// A Pod without a name is told by its namespace, in which it is alone. Beside the reviews that are
/// meant, Pods of the same name in the namespaces of others may match, which does no harm.
fn constraints(reviews: &[&Review]) -> Value {
    let namespaces: Vec<_> = reviews.iter().map(|review| review.namespace()).collect();
    let names: Option<Vec<_>> = reviews.iter().map(|review| review.pod_name()).collect();
    json!({
        "namespaceSelector": {"matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces},
        ]},
        "resourceRules": [{
            "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE", "DELETE"],
            "resources": ["pods", "pods/status", "pods/ephemeralcontainers", "pods/resize"],
            "resourceNames": names.unwrap_or_default(),
        }],
    })
}
