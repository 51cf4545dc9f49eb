//! `PodPolicy`: what is added to Pods, and what is wrong with them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pki_policy::OnViolation;

/// The reason of a finding whose validation names none.
pub const DEFAULT_EVENT_REASON: &str = "PodPolicyViolation";

/// The reason of a policy whose expressions Kubernetes itself would not take.
pub const REFUSED_BY_KUBERNETES: &str = "PodPolicyRefusedByKubernetes";

/// A word in CamelCase, as reasons are.
const CAMEL_CASE_PATTERN: &str = "^[A-Z][A-Za-z0-9]*$";

/// The longest expression, in characters, that Kubernetes takes.
const MAX_EXPRESSION: u32 = 100_000;

/// What is added to the Pods that it matches, and what is wrong with them.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "box.com",
    version = "v1",
    kind = "PodPolicy",
    plural = "podpolicies",
    status = "PodPolicyStatus",
    derive = "PartialEq",
    shortname = "pop",
    category = "portreeve",
    doc = "What is added to the Pods that it matches, and what is wrong with them. Workloads are judged by their templates.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "OnViolation", type_ = "string", json_path = ".spec.onViolation"),
    printcolumn(name = "Matched", type_ = "integer", json_path = ".status.matched"),
    printcolumn(name = "Findings", type_ = "integer", json_path = ".status.findings"),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct PodPolicySpec {
    /// Which Pods it is about. Default: all, but for those of the cluster's own namespaces and of
    /// Portreeve's.
    #[serde(default, rename = "match", skip_serializing_if = "PodMatch::is_empty")]
    pub matching: PodMatch,

    /// A partial Pod, of which each part is added that is not there: merged by the keys by which
    /// Kubernetes merges lists. What the owner wrote wins, and she is told. A container of the name
    /// `"*"` means every container of its list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "partial_pod")]
    pub inject: Option<Value>,

    /// Expressions that those after them and the validations can use as `variables.NAME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub variables: Vec<NamedRule>,

    /// What has to hold of each Pod, with the fields of a ValidatingAdmissionPolicy. `object` is
    /// the Pod also where the template of a workload is judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub validations: Vec<Validation>,

    /// What happens to an object for which a validation does not hold: refused, or let through with
    /// a warning and an Event. Default: Deny.
    #[serde(default)]
    pub on_violation: OnViolation,

    /// What an expression that can't be evaluated does: `Ignore` lets the object through, with a
    /// finding; `Fail` refuses it. Default: Ignore.
    #[serde(default)]
    pub failure_policy: FailurePolicy,

    /// Of which type the Events are that tell of its findings; `None`: it makes none, and tells at
    /// `kubectl apply` only. Default: Warning.
    #[serde(default)]
    pub events: EventsMode,
}

fn partial_pod(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// Which Pods a policy is about; all of it has to hold.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodMatch {
    /// The namespaces, by their labels. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("!has(self.matchExpressions) || self.matchExpressions.all(e, e.operator in ['In', 'NotIn', 'Exists', 'DoesNotExist'] && (e.operator in ['In', 'NotIn']) == (has(e.values) && e.values.size() > 0))").message("each operator must be In or NotIn, with values, or Exists or DoesNotExist, without")
    )]
    pub namespace_selector: Option<LabelSelector>,

    /// The Pods, by their labels, which whoever makes a Pod can set. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("!has(self.matchExpressions) || self.matchExpressions.all(e, e.operator in ['In', 'NotIn', 'Exists', 'DoesNotExist'] && (e.operator in ['In', 'NotIn']) == (has(e.values) && e.values.size() > 0))").message("each operator must be In or NotIn, with values, or Exists or DoesNotExist, without")
    )]
    pub object_selector: Option<LabelSelector>,

    /// Expressions that all have to hold for the policy to be applied, as in a
    /// ValidatingAdmissionPolicy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub match_conditions: Vec<NamedRule>,
}

impl PodMatch {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A CEL expression that has a name.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedRule {
    /// Its name.
    #[schemars(length(min = 1, max = 317))]
    pub name: String,
    /// The expression.
    #[schemars(length(min = 1, max = MAX_EXPRESSION))]
    pub expression: String,
}

/// What has to hold.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// A CEL expression that is true of a Pod that is in order.
    #[schemars(length(min = 1, max = MAX_EXPRESSION))]
    pub expression: String,

    /// What the owner is told otherwise: what is wrong, and what to write instead. One line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 5120))]
    pub message: Option<String>,

    /// A CEL expression that makes that text from the Pod; it goes before `message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_EXPRESSION))]
    pub message_expression: Option<String>,

    /// The reason that the answer of a refusal has, and its code with it.
    #[serde(default)]
    pub reason: RefusalReason,

    /// The reason of the finding and of its Events, in CamelCase. Default: PodPolicyViolation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = CAMEL_CASE_PATTERN))]
    pub event_reason: Option<String>,

    /// The path of the field that is wrong, such as `spec.hostNetwork`. Default: found from the
    /// expression. The path of an element that fails goes before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub field_path: Option<String>,

    /// What happens to an object for which this does not hold. Default: the policy's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_violation: Option<OnViolation>,
}

/// The reason of a refusal, as Kubernetes has them for policies.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusalReason {
    /// Code 403.
    #[default]
    Forbidden,
    /// Code 401.
    Unauthorized,
    /// Code 422.
    Invalid,
    /// Code 413.
    RequestEntityTooLarge,
}

impl RefusalReason {
    /// The HTTP code that goes with it, and the word as the API spells it.
    pub fn code(self) -> (u16, &'static str) {
        match self {
            Self::Forbidden => (403, "Forbidden"),
            Self::Unauthorized => (401, "Unauthorized"),
            Self::Invalid => (422, "Invalid"),
            Self::RequestEntityTooLarge => (413, "RequestEntityTooLarge"),
        }
    }
}

/// What an expression that can't be evaluated does to the object.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailurePolicy {
    /// It is let through, with a finding that names policy, rule and cause.
    #[default]
    Ignore,
    /// It is refused.
    Fail,
}

/// Of which type the Events are that tell of a policy's findings.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventsMode {
    /// There are none.
    None,
    /// For information.
    Normal,
    /// Somebody should act.
    #[default]
    Warning,
}

/// Whether the policy is in effect, and what it has found.
#[derive(JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodPolicyStatus {
    /// `Ready`: whether the policy compiles and is in effect, and if not, why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that was judged last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many Pods and workloads it matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<i64>,
    /// How many findings stand on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<i64>,
    /// The findings that stand, by the rule that makes them; rules without any are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["rule", "reason"]))]
    pub findings_by_rule: Vec<RuleFindings>,
}

/// The findings of one rule.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFindings {
    /// The part of the spec that makes them: `validations[0]`, `inject`, `matchConditions`.
    pub rule: String,
    /// The reason that they have.
    pub reason: String,
    /// How many stand.
    pub findings: i64,
}
