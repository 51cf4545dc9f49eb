//! What is measured: what answers a review, and what the answer must be.

use std::sync::{PoisonError, RwLock};

use anyhow::{Context, Result, anyhow, bail, ensure};
use k8s_openapi::ByteString;
use portreeve::admission::review::{self, Answer, Request};
use portreeve::admission::{Admitter, mutate};
use portreeve::api::PodPolicy;
use portreeve::cel::Json;
use portreeve::policy::Snapshot;
use portreeve::policy::pod::PodRules;
use portreeve::policy::snapshot::{KnownNamespace, KnownPodPolicy};
use portreeve::server::Undecided;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::rules::RULES;

const NAMESPACE: &str = "shop";
const UID: &str = "6e8e2f5d-51a4-4f43-9a1f-0b1f3d6f2a77";

/// The container without a readiness probe is given one, so that all ten rules hold.
const PROBES: [&str; 2] = [
    r#""livenessProbe":{"failureThreshold":3,"httpGet":{"path":"/livez","#,
    r#""readinessProbe":{"httpGet":{"path":"/readyz","port":9901}},"#,
];

/// The review that is sent.
pub fn review() -> String {
    let [liveness, readiness] = PROBES;
    include_str!("../pod-review.json").replace(liveness, &format!("{readiness}{liveness}"))
}

/// What answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// A server that answers a constant.
    NoOp,
    /// Portreeve, where there is no policy.
    NoRules,
    /// Portreeve, with a policy of ten rules that hold, and one variable for each container.
    TenRulesOneInject,
}

impl Case {
    /// All, that with which the others are compared first.
    pub const ALL: [Self; 3] = [Self::NoOp, Self::NoRules, Self::TenRulesOneInject];

    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoOp => "admission-no-op",
            Self::NoRules => "admission-no-rules",
            Self::TenRulesOneInject => "admission-10-cel-1-inject",
        }
    }

    /// The case of a name.
    pub fn named(name: &str) -> Result<Self> {
        let case = Self::ALL.into_iter().find(|case| case.name() == name);
        case.with_context(|| format!("there is no case {name}"))
    }

    /// What Portreeve decides from, as `portreeve serve` does.
    pub fn decision(self) -> Result<impl Fn(&Request<'_>) -> Result<Answer, Undecided>> {
        let snapshot = RwLock::new(self.snapshot()?);
        let admitter = Admitter("portreeve/0.1.0 portreeve-7c9d8b6f5-x2x7k".to_owned());
        Ok(move |request: &Request<'_>| {
            let snapshot = snapshot.read().unwrap_or_else(PoisonError::into_inner);
            mutate(request, &snapshot, &admitter)
                .map_err(|unknown| Undecided::NotOurs(unknown.to_string()))
        })
    }

    fn snapshot(self) -> Result<Snapshot> {
        let labels = [("kubernetes.io/metadata.name".to_owned(), NAMESPACE.to_owned())];
        let object = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": {"kubernetes.io/metadata.name": NAMESPACE}},
        });
        let namespace = KnownNamespace { labels: labels.into(), object: Json::from(&object) };
        let mut snapshot = Snapshot {
            own_namespace: "portreeve".to_owned(),
            namespaces: [(NAMESPACE.to_owned(), namespace)].into(),
            ..Snapshot::default()
        };
        if self == Self::TenRulesOneInject {
            let policy = policy()?;
            let rules = PodRules::compile(&policy).map_err(|faults| anyhow!("{faults:?}"))?;
            let known = KnownPodPolicy {
                uid: UID.to_owned(),
                generation: Some(1),
                is_refused: false,
                rules: Some(rules.into()),
            };
            snapshot.pod_policies.insert("everyday".to_owned(), known);
        }
        Ok(snapshot)
    }

    /// Whether an answer is what the case is about.
    pub fn check(self, answer: &[u8]) -> Result<()> {
        let answer: Value = serde_json::from_slice(answer)?;
        let response = &answer["response"];
        ensure!(response["uid"] == UID && response["allowed"] == true, "{answer}");
        let (injected, ours) = match self {
            Self::NoOp => (0, 0),
            Self::NoRules => (0, 1),
            Self::TenRulesOneInject => (2, 1),
        };
        let places = places(&response["patch"])?;
        let annotates = |place: &&String| place.starts_with("/metadata/annotations/box.com~1");
        let injects = |place: &&String| place.contains("/env");
        ensure!(places.iter().filter(annotates).count() == ours, "{places:?} are changed");
        ensure!(places.iter().filter(injects).count() == injected, "{places:?} are changed");
        ensure!(places.len() == ours + injected, "{places:?} are changed");
        Ok(())
    }
}

/// One review answered without a server.
pub fn answer(
    decision: &impl Fn(&Request<'_>) -> Result<Answer, Undecided>,
    body: &[u8],
) -> Result<Vec<u8>> {
    let request = review::parse(body)?;
    match decision(&request) {
        Ok(answer) => Ok(answer.to_json(&request.uid)),
        Err(undecided) => bail!("{undecided:?}"),
    }
}

/// The answer that is always the same.
pub fn constant() -> Vec<u8> {
    Answer::allow().to_json(UID)
}

fn policy() -> Result<PodPolicy> {
    let validations = RULES.map(|expression| json!({"expression": expression}));
    let variable = json!({"name": "REGION", "value": "eu-central-1"});
    Ok(serde_json::from_value(json!({
        "apiVersion": "box.com/v1",
        "kind": "PodPolicy",
        "metadata": {"name": "everyday"},
        "spec": {
            "inject": {"spec": {"containers": [{"name": "*", "env": [variable]}]}},
            "validations": validations,
            "onViolation": "Deny",
        },
    }))?)
}

/// The paths of the operations of a patch, as it travels.
fn places(patch: &Value) -> Result<Vec<String>> {
    let Some(ByteString(patch)) = Option::deserialize(patch)? else { return Ok(Vec::new()) };
    let operations: Vec<Value> = serde_json::from_slice(&patch)?;
    let place = |operation: &Value| operation["path"].as_str().unwrap_or_default().to_owned();
    Ok(operations.iter().map(place).collect())
}
