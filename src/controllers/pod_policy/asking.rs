//! Asks the API server whether it would take a policy's expressions: a ValidatingAdmissionPolicy of
//! the same expressions is made, and never stored. What our compiler takes and Kubernetes' does not
//! shows here, and never to whoever applies a Pod.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, MatchResources, NamedRuleWithOperations, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicySpec, Validation, Variable,
};
use kube::api::{ObjectMeta, PostParams};
use kube::core::Status;
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;

use crate::api::names::MANAGER;
use crate::api::pod_policy::{NamedRule, PodPolicy, PodPolicySpec};
use crate::controllers::Error;

/// How soon it is asked again where it could not be told.
const ASK_AGAIN: Duration = Duration::from_secs(10 * 60);

/// What Kubernetes says of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::controllers) enum Answer {
    /// It would take it.
    Taken,
    /// It would not, and why.
    Refused(String),
    /// It can't be asked, and why.
    Unknown(String),
}

/// The answers, by the policies' uids: each generation is asked of once.
#[derive(Default)]
pub(in crate::controllers) struct Asked(Mutex<HashMap<String, Known>>);

struct Known {
    generation: Option<i64>,
    answer: Answer,
    since: Instant,
}

impl Asked {
    /// What Kubernetes says of a policy.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub(super) async fn ask(&self, policy: &PodPolicy, client: &Client) -> Result<Answer, Error> {
        let (uid, generation) = (policy.uid().unwrap_or_default(), policy.metadata.generation);
        let is_current = |known: &&Known| {
            let may_change = matches!(known.answer, Answer::Unknown(_));
            known.generation == generation && !(may_change && known.since.elapsed() > ASK_AGAIN)
        };
        let known = self.known().get(&uid).filter(is_current).map(|known| known.answer.clone());
        if let Some(answer) = known {
            return Ok(answer);
        }
        let answer = ask(&policy.spec, client).await?;
        let known = Known { generation, answer: answer.clone(), since: Instant::now() };
        self.known().insert(uid, known);
        Ok(answer)
    }

    pub(in crate::controllers) fn forget(&self, uid: &str) {
        self.known().remove(uid);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(spec: &PodPolicySpec, client: &Client) -> Result<Answer, Error> {
    let Some(asked) = as_kubernetes_has_it(spec) else { return Ok(Answer::Taken) };
    let api: Api<ValidatingAdmissionPolicy> = Api::all(client.clone());
    let parameters = PostParams { dry_run: true, field_manager: Some(MANAGER.to_owned()) };
    match api.create(&parameters, &asked).await {
        Ok(_) => Ok(Answer::Taken),
        Err(kube::Error::Api(status)) if status.code == 422 => Ok(Answer::Refused(words(&status))),
        // No right, no such API, or a webhook of somebody else's that does not let it pass, or fails.
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 403..=405 | 500) => {
            let message = one_line(&status.message);
            Ok(Answer::Unknown(message.trim_end_matches('.').to_owned()))
        }
        Err(error) => Err(Error::api("can't ask whether Kubernetes takes the expressions")(error)),
    }
}

/// The same expressions as a ValidatingAdmissionPolicy over Pods; none where there are no
/// expressions.
fn as_kubernetes_has_it(spec: &PodPolicySpec) -> Option<ValidatingAdmissionPolicy> {
    let conditions = &spec.matching.match_conditions;
    if conditions.is_empty() && spec.variables.is_empty() && spec.validations.is_empty() {
        return None;
    }
    let texts = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
    let pods = NamedRuleWithOperations {
        api_groups: texts(&[""]),
        api_versions: texts(&["v1"]),
        operations: texts(&["CREATE"]),
        resources: texts(&["pods"]),
        ..NamedRuleWithOperations::default()
    };
    let validation = |validation: &crate::api::pod_policy::Validation| Validation {
        expression: validation.expression.clone(),
        message: validation.message.clone().filter(|message| !message.is_empty()),
        message_expression: validation.message_expression.clone().filter(|text| !text.is_empty()),
        reason: Some(validation.reason.code().1.to_owned()),
    };
    let mut validations: Vec<Validation> = spec.validations.iter().map(validation).collect();
    if validations.is_empty() {
        // There has to be one.
        validations.push(Validation { expression: "true".to_owned(), ..Validation::default() });
    }
    let condition = |NamedRule { name, expression }: &NamedRule| MatchCondition {
        name: name.clone(),
        expression: expression.clone(),
    };
    let variable = |NamedRule { name, expression }: &NamedRule| Variable {
        name: name.clone(),
        expression: expression.clone(),
    };
    Some(ValidatingAdmissionPolicy {
        metadata: ObjectMeta {
            generate_name: Some("portreeve-check-".to_owned()),
            ..ObjectMeta::default()
        },
        spec: Some(ValidatingAdmissionPolicySpec {
            match_constraints: Some(MatchResources {
                resource_rules: Some(vec![pods]),
                ..MatchResources::default()
            }),
            match_conditions: Some(conditions.iter().map(condition).collect()),
            variables: Some(spec.variables.iter().map(variable).collect()),
            validations: Some(validations),
            ..ValidatingAdmissionPolicySpec::default()
        }),
        ..ValidatingAdmissionPolicy::default()
    })
}

/// What the API server says is wrong, with the paths of a PodPolicy.
fn words(status: &Status) -> String {
    let causes = status.details.as_ref().map(|details| details.causes.as_slice());
    let cause = |cause: &kube::core::response::StatusCause| {
        let field = cause.field.replacen("spec.matchConditions", "spec.match.matchConditions", 1);
        format!("{field}: {}", one_line(&cause.message))
    };
    let texts: Vec<String> = causes.unwrap_or_default().iter().map(cause).collect();
    let text = if texts.is_empty() { one_line(&status.message) } else { texts.join(". ") };
    text.trim_end_matches('.').to_owned()
}

/// A message of a compiler without the lines that repeat the expression and point into it.
pub(super) fn one_line(message: &str) -> String {
    let lines = message.lines().map(str::trim).filter(|line| !line.starts_with('|'));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use serde_json::json;

    fn asked(spec: serde_json::Value) -> Option<serde_json::Value> {
        let spec = serde_json::from_value(spec).unwrap();
        as_kubernetes_has_it(&spec).map(|asked| serde_json::to_value(asked.spec).unwrap())
    }

    #[test]
    fn the_same_expressions_are_asked_about() {
        let asked = asked(json!({
            "match": {"matchConditions": [{"name": "c", "expression": "true"}]},
            "variables": [{"name": "v", "expression": "1"}],
            "validations": [{"expression": "variables.v == 1", "message": "m", "reason": "Invalid"}],
        }))
        .unwrap();
        assert_eq!(asked["matchConditions"], json!([{"name": "c", "expression": "true"}]));
        assert_eq!(asked["variables"], json!([{"name": "v", "expression": "1"}]));
        assert_eq!(
            asked["validations"],
            json!([{"expression": "variables.v == 1", "message": "m", "reason": "Invalid"}])
        );
    }

    #[test]
    fn where_there_is_nothing_to_validate_something_that_holds_is_put() {
        let variables = json!({"variables": [{"name": "v", "expression": "1"}]});
        assert_eq!(asked(variables).unwrap()["validations"], json!([{"expression": "true"}]));
        assert_eq!(asked(json!({"inject": {}})), None);
    }

    #[test]
    fn the_words_are_the_api_servers_and_the_paths_those_of_a_pod_policy() {
        let status: Status = serde_json::from_value(json!({
            "code": 422, "message": "long", "reason": "Invalid", "status": "Failure",
            "details": {"causes": [
                {"reason": "FieldValueInvalid", "field": "spec.matchConditions[0].expression",
                 "message": "Invalid value: \"x\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'x'\n | x\n | ^"},
                {"reason": "FieldValueInvalid", "field": "spec.variables[0].name", "message": "Invalid value"},
            ]},
        }))
        .unwrap();
        assert_eq!(
            words(&status),
            "spec.match.matchConditions[0].expression: Invalid value: \"x\": compilation failed: \
             ERROR: <input>:1:1: undeclared reference to 'x'. spec.variables[0].name: Invalid value"
        );
    }

    /// An API server that answers with this code, and how often it was asked.
    fn answering(code: u16) -> (Client, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let answer = move |request: http::Request<kube::client::Body>| {
            assert!(request.uri().query().unwrap_or_default().contains("dryRun=All"));
            counted.fetch_add(1, Ordering::Relaxed);
            let body = match code {
                201 => json!({"metadata": {"name": "portreeve-check-x"}}),
                code => {
                    json!({"kind": "Status", "code": code, "message": "no.", "reason": "R", "status": "Failure"})
                }
            };
            let body = kube::client::Body::from(body.to_string().into_bytes());
            let response = http::Response::builder().status(code).body(body).unwrap();
            std::future::ready(Ok::<_, std::convert::Infallible>(response))
        };
        (Client::new(tower::service_fn(answer), "default"), asked)
    }

    fn policy(generation: i64) -> PodPolicy {
        serde_json::from_value(json!({
            "apiVersion": "box.com/v1", "kind": "PodPolicy",
            "metadata": {"name": "a", "uid": "u", "generation": generation},
            "spec": {"validations": [{"expression": "true"}]},
        }))
        .unwrap()
    }

    #[tokio::test]
    async fn each_generation_is_asked_of_once() {
        let (client, times) = answering(201);
        let asked = Asked::default();
        for generation in [1, 1, 2, 2] {
            assert_eq!(asked.ask(&policy(generation), &client).await.unwrap(), Answer::Taken);
        }
        assert_eq!(times.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn where_it_cannot_be_asked_it_is_asked_again_after_a_while() {
        for code in [403, 404] {
            let (client, times) = answering(code);
            let asked = Asked::default();
            for _ in 0..2 {
                let answer = asked.ask(&policy(1), &client).await.unwrap();
                assert_eq!(answer, Answer::Unknown("no".into()));
            }
            tokio::time::advance(ASK_AGAIN * 2).await;
            let _ = asked.ask(&policy(1), &client).await.unwrap();
            assert_eq!(times.load(Ordering::Relaxed), 2);
        }
    }

    #[tokio::test]
    async fn a_refusal_is_told_and_a_failure_is_tried_again() {
        let refused = Asked::default().ask(&policy(1), &answering(422).0).await.unwrap();
        assert_eq!(refused, Answer::Refused("no".into()));
        assert!(Asked::default().ask(&policy(1), &answering(503).0).await.is_err());
    }
}
