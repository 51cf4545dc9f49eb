//! The policies of `examples/policies`, and the Pods that stand beside each: those of `good.yaml`
//! pass it, those of `bad.yaml` don't.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::corpus::{Case, Named, Policy};
use super::reviews::Review;

/// The theme of their cases.
pub const THEME: &str = "examples";

/// A Pod of `tests/cel/pods` that each validation is asked about too: it has an ephemeral container,
/// which none can be created with.
const DEBUGGED: &str = "debug";

/// A policy, as it stands in its folder.
#[derive(Clone, Debug)]
pub struct Example {
    /// The name of the policy, and of its folder.
    pub name: String,
    /// Of each validation, in their order: it alone, with all that the policy gives it.
    pub policies: Vec<Policy>,
    /// The Pods: `good-1` is the first of `good.yaml`.
    pub pods: BTreeMap<String, Value>,
}

/// `examples/policies`.
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/policies")
}

/// All examples, sorted by name.
///
/// # Errors
/// Where a file is missing, or is not of an example.
pub fn read() -> Result<Vec<Example>> {
    let mut examples = Vec::new();
    for entry in fs::read_dir(directory())? {
        let path = entry?.path();
        if path.is_dir() {
            examples.push(read_one(&path).with_context(|| path.display().to_string())?);
        }
    }
    examples.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(examples)
}

impl Example {
    /// Each validation, asked about each Pod: `examples/NAME/validations[0]/bad-1`.
    pub fn cases(&self) -> Vec<Case> {
        let reviews = self.pods.keys().map(|pod| (pod.as_str(), self.review(pod)));
        let reviews: Vec<_> = reviews.chain([(DEBUGGED, DEBUGGED.to_owned())]).collect();
        let mut cases = Vec::new();
        for (index, policy) in self.policies.iter().enumerate() {
            for (pod, review) in &reviews {
                let id = self.id(index, pod);
                cases.push(Case { id, policy: policy.clone(), pod: review.clone() });
            }
        }
        cases
    }

    /// The id of a case.
    pub fn id(&self, validation: usize, pod: &str) -> String {
        format!("{THEME}/{}/validations[{validation}]/{pod}", self.name)
    }

    /// The creations of the Pods.
    pub fn reviews(&self) -> Vec<Review> {
        let review = |(pod, object): (&String, &Value)| Review {
            name: self.review(pod),
            new: Some(object.clone()),
            old: None,
            subresource: None,
        };
        self.pods.iter().map(review).collect()
    }

    fn review(&self, pod: &str) -> String {
        format!("{}-{pod}", self.name)
    }
}

#[derive(Deserialize)]
struct File {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

/// What of a PodPolicy is of CEL.
#[derive(Deserialize)]
struct Spec {
    #[serde(default, rename = "match")]
    matching: Match,
    #[serde(default)]
    variables: Vec<Named>,
    validations: Vec<Validation>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    #[serde(default)]
    match_conditions: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Validation {
    expression: String,
    message: Option<String>,
    message_expression: Option<String>,
}

fn read_one(folder: &Path) -> Result<Example> {
    let text = fs::read_to_string(folder.join("policy.yaml")).context("policy.yaml")?;
    let File { metadata: Metadata { name }, spec } = serde_saphyr::from_str(&text)?;
    ensure!(folder.ends_with(&name), "the policy in it has another name: {name}");
    let policy = |validation: Validation| Policy {
        expression: validation.expression,
        message: validation.message,
        message_expression: validation.message_expression,
        variables: spec.variables.clone(),
        match_conditions: spec.matching.match_conditions.clone(),
    };
    let policies = spec.validations.into_iter().map(policy).collect();
    let mut pods = BTreeMap::new();
    for kind in ["good", "bad"] {
        let file = format!("{kind}.yaml");
        let text = fs::read_to_string(folder.join(&file)).context(file.clone())?;
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).context(file.clone())?;
        ensure!(!documents.is_empty(), "{file} has no Pod");
        for (index, pod) in documents.into_iter().enumerate() {
            pods.insert(format!("{kind}-{}", index + 1), pod);
        }
    }
    Ok(Example { name, policies, pods })
}
