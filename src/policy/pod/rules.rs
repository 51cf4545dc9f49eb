//! A PodPolicy, compiled once and asked often.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::ResourceExt;

use crate::api::Enforcement;
use crate::api::pod_policy::{
    DEFAULT_EVENT_REASON, EventsMode, FailurePolicy, NamedRule, PodPolicy, PodPolicySpec,
    RefusalReason,
};
use crate::cel::{Json, NamedExpression, Place, RuleSources, Rules, ValidationSource};
use crate::policy::selector::Labels;

use super::inject::{InjectFault, Injection};

/// A PodPolicy that is in effect.
#[derive(Debug)]
pub struct PodRules {
    /// The policy's name.
    pub name: String,
    /// Of which type the Events of its findings are.
    pub events: EventsMode,
    /// What an expression that can't be evaluated does.
    pub failure_policy: FailurePolicy,
    /// What holds of each validation beside its expression, in their order.
    pub validations: Vec<ValidationRule>,
    /// What it adds to Pods, if it adds anything.
    pub injection: Option<Injection>,
    /// The expressions.
    pub cel: Rules,
    namespaces: Labels,
    objects: Labels,
}

/// What holds of a validation beside its expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationRule {
    /// Its place in the policy: `validations[0]`.
    pub id: String,
    /// What it does to an object for which it does not hold.
    pub enforcement: Enforcement,
    /// The HTTP reason of a refusal.
    pub reason: RefusalReason,
    /// The reason of the finding.
    pub event_reason: String,
    /// The path of the field that is wrong.
    pub field_path: Option<String>,
}

/// A part of a PodPolicy that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFault {
    /// Which one: `spec.validations[0].expression`.
    pub path: String,
    /// What is wrong with it; of an expression in the API server's words, with the place in it.
    pub message: String,
    /// What to write instead, where that can be told.
    pub hint: Option<String>,
}

/// The field, what is wrong with it, and what to write instead.
impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)?;
        match &self.hint {
            Some(hint) if self.message.contains('\n') => write!(f, "\n | {hint}"),
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl From<InjectFault> for PolicyFault {
    fn from(InjectFault { path, message, hint }: InjectFault) -> Self {
        Self { path, message, hint }
    }
}

impl PodRules {
    /// Compiles a policy.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn compile(policy: &PodPolicy) -> Result<Self, Vec<PolicyFault>> {
        let spec = &policy.spec;
        let mut faults = Vec::new();
        let namespaces =
            labels(spec.matching.namespace_selector.as_ref(), "namespaceSelector", &mut faults);
        let objects = labels(spec.matching.object_selector.as_ref(), "objectSelector", &mut faults);
        let cel = Rules::compile(&sources(spec)).map_err(|refusals| {
            faults.extend(refusals.into_iter().map(|refusal| PolicyFault {
                path: path_of(refusal.place),
                hint: refusal.error.hint().map(str::to_owned),
                message: refusal.error.to_string(),
            }));
        });
        let injection = spec.inject.as_ref().map(Injection::compile).transpose();
        let injection =
            injection.map_err(|wrong| faults.extend(wrong.into_iter().map(PolicyFault::from)));
        match (cel, injection) {
            (Ok(cel), Ok(injection)) if faults.is_empty() => Ok(Self {
                name: policy.name_any(),
                events: spec.events,
                failure_policy: spec.failure_policy,
                validations: validation_rules(spec),
                injection: injection.filter(|injection| !injection.is_empty()),
                cel,
                namespaces,
                objects,
            }),
            _ => Err(faults),
        }
    }

    /// Whether the policy is about the Pods of a namespace, given its labels where they are known.
    pub fn selects_namespace(&self, name: &str, labels: Option<&BTreeMap<String, String>>) -> bool {
        self.namespaces.select_namespace(name, labels)
    }

    /// The labels by which the policy selects namespaces.
    pub fn namespace_labels(&self) -> impl Iterator<Item = &str> {
        self.namespaces.keys()
    }

    /// Whether the policy is about a Pod, by its labels.
    pub fn selects_pod(&self, pod: &Json<'_>) -> bool {
        let labels = pod.get("metadata").and_then(|metadata| metadata.get("labels"));
        self.objects.matches(|key| labels?.get(key)?.as_str())
    }

    /// What becomes of an object of which it can't be told whether a rule holds.
    pub fn enforcement_of_error(&self) -> Enforcement {
        match self.failure_policy {
            FailurePolicy::Ignore => Enforcement::Warn,
            FailurePolicy::Fail => Enforcement::Deny,
        }
    }
}

fn labels(selector: Option<&LabelSelector>, field: &str, faults: &mut Vec<PolicyFault>) -> Labels {
    Labels::compile(selector).unwrap_or_else(|error| {
        let path = format!("spec.match.{field}");
        faults.push(PolicyFault { path, message: error.to_string(), hint: None });
        Labels::default()
    })
}

/// The expressions of a policy.
pub fn sources(spec: &PodPolicySpec) -> RuleSources {
    let named = |rules: &[NamedRule]| -> Vec<NamedExpression> {
        let named = |NamedRule { name, expression }: &NamedRule| NamedExpression {
            name: name.clone(),
            expression: expression.clone(),
        };
        rules.iter().map(named).collect()
    };
    let validations = spec.validations.iter().map(|validation| ValidationSource {
        expression: validation.expression.clone(),
        message: validation.message.clone(),
        message_expression: validation.message_expression.clone(),
    });
    RuleSources {
        variables: named(&spec.variables),
        match_conditions: named(&spec.matching.match_conditions),
        validations: validations.collect(),
    }
}

/// Where a part stands in a PodPolicy; match conditions are elsewhere in a
/// ValidatingAdmissionPolicy.
fn path_of(place: Place) -> String {
    place.to_string().replacen("spec.matchConditions", "spec.match.matchConditions", 1)
}

fn validation_rules(spec: &PodPolicySpec) -> Vec<ValidationRule> {
    let rule = |(index, validation): (usize, &crate::api::pod_policy::Validation)| ValidationRule {
        id: format!("validations[{index}]"),
        enforcement: validation.on_violation.unwrap_or(spec.on_violation).into(),
        reason: validation.reason,
        event_reason: validation
            .event_reason
            .clone()
            .unwrap_or_else(|| DEFAULT_EVENT_REASON.to_owned()),
        // As the definitions of kinds have it, too, where a path begins with a point.
        field_path: validation
            .field_path
            .as_ref()
            .map(|path| path.trim_start_matches('.').to_owned()),
    };
    spec.validations.iter().enumerate().map(rule).collect()
}
