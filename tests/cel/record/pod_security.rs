//! Whether the examples that say what the Pod Security Standards say are right: the API server has
//! an admission of its own for those.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::oracle::examples::{self, Example};
use crate::oracle::harness::kubectl::kubectl;
use crate::oracle::{Answer, Outcome, Server};

const POLICY: &str = "pod-security-";
const REFUSAL: &str = "violates PodSecurity ";

/// Has the API server judge the Pods of these examples, and gives how many it judged.
///
/// # Errors
/// Where it refuses one that the policy allows, or the other way round.
pub fn check(server: &Server, recorded: &BTreeMap<String, Answer>) -> Result<usize> {
    let mut judged = 0;
    for example in examples::read()? {
        let Some(level) = example.name.strip_prefix(POLICY) else { continue };
        let namespace = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": example.name,
                "labels": {"pod-security.kubernetes.io/enforce": level},
            },
        });
        let account = format!(
            "wait --namespace={} --for=create --timeout=60s serviceaccount/default",
            example.name
        );
        for (line, input) in [("create -f -", namespace.to_string()), (&account, String::new())] {
            let output = kubectl(&server.cluster, line, &input);
            ensure!(output.success, "{line}: {output:?}");
        }
        for (name, pod) in &example.pods {
            let line = format!("create --dry-run=server --namespace={} -f -", example.name);
            let output = kubectl(&server.cluster, &line, &pod.to_string());
            let refused = output.stderr.contains(REFUSAL);
            ensure!(
                output.success != refused,
                "{}: {name} is refused for another reason: {output:?}",
                example.name
            );
            let ours = is_denied(&example, name, recorded)?;
            ensure!(refused == ours, "{}: {name}: we deny: {ours}; {output:?}", example.name);
            judged += 1;
        }
    }
    Ok(judged)
}

fn is_denied(example: &Example, pod: &str, recorded: &BTreeMap<String, Answer>) -> Result<bool> {
    let mut denied = false;
    for index in 0..example.policies.len() {
        let answer = recorded.get(&example.id(index, pod)).context("no answer")?;
        denied |= answer.outcome == Outcome::Deny;
    }
    Ok(denied)
}
