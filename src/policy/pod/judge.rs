//! The judgement: what the policies add to a Pod, and what they find.

use std::sync::Arc;

use crate::api::pod_policy::{EventsMode, RefusalReason};
use crate::api::{Enforcement, Finding};
use crate::cel::{Inputs, Json, Outcome, Verdict};
use crate::policy::Snapshot;
use crate::policy::patch::PatchOp;

use super::inject::{Injected, Injection, inject};
use super::{PodRules, Workload, certificates, findings};

/// The annotation of a Pod that a node made by itself, and only mirrors in the API server
/// (<https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-config-mirror>).
pub const MIRROR_ANNOTATION: &str = "kubernetes.io/config.mirror";

/// How far a Pod has come, which says what becomes of what a policy would add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It is being made: what policies add is added.
    Made,
    /// It is a workload's template: what policies would add to its Pods is taken for added.
    Template,
    /// Its spec is final: what is not there is told.
    Final,
}

/// A Pod, or the Pod that a workload's template makes, to be judged.
#[derive(Debug)]
pub struct Subject<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// What the Pod is, or is the template of.
    pub workload: Workload,
    /// The Pod.
    pub pod: Json<'a>,
    /// What mounts the certificate that it asks for by annotation, see
    /// [`certificates::injection`].
    pub certificate: Option<&'a Injection>,
    /// The Pod as it was; `null` when it is made.
    pub old: &'a Json<'a>,
    /// The admission request, as expressions see it.
    pub request: &'a Json<'a>,
    /// How far it has come.
    pub stage: Stage,
    /// Of a stored object, of which nobody knows who made it: the policies of which it carries
    /// findings. One that asks who makes the request is about no other.
    pub carried: Option<&'a [String]>,
}

/// What is found, and what follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What is wrong.
    pub finding: Finding,
    /// The HTTP reason of a refusal for it.
    pub refusal: RefusalReason,
    /// Of which type its Events are.
    pub events: EventsMode,
}

/// What has come of a judgement.
#[derive(Debug, Default)]
pub struct Judgement<'a> {
    /// The Pod with what was added.
    pub pod: Json<'a>,
    /// What was added, at [`Stage::Made`]; elsewhere empty.
    pub patch: Vec<PatchOp>,
    /// All that is wrong, the worst first.
    pub found: Vec<Found>,
    /// The policies that are about the Pod, in the order of their names.
    pub matched: Vec<&'a str>,
}

/// Judges a Pod by all policies at once.
pub fn judge<'a>(subject: Subject<'a>, snapshot: &'a Snapshot) -> Judgement<'a> {
    let Subject { namespace, workload, mut pod, certificate, old, request, stage, carried } =
        subject;
    // At admission the nodes themselves are left out, and nobody else may say so.
    if carried.is_some() && annotation(&pod, MIRROR_ANNOTATION).is_some() {
        return Judgement { pod, ..Judgement::default() };
    }
    let namespace_object =
        snapshot.namespaces.get(namespace).map_or(&Json::Null, |known| &known.object);
    let world = World { old, request, namespace_object, carried };
    let rules: Vec<&Arc<PodRules>> = snapshot.pod_rules_for(namespace).collect();

    let mut found: Vec<Found> = Vec::new();
    let is_added_to = certificate.is_some() || rules.iter().any(|rules| rules.injection.is_some());
    let injected = match stage {
        _ if !is_added_to => Injected::default(),
        Stage::Final => add(&mut pod.clone(), &rules, certificate, &world),
        Stage::Made | Stage::Template => add(&mut pod, &rules, certificate, &world),
    };
    found.extend(findings::clashes(&injected, workload, &rules));
    if stage == Stage::Final {
        found.extend(findings::not_injected(&injected, workload, &rules));
    }
    let is_new = !snapshot.namespaces.contains_key(namespace);
    let mut matched = Vec::new();
    for rules in rules {
        if !rules.selects_pod(&pod) {
            continue;
        }
        let inputs = world.inputs(&pod);
        let verdict = match world.is_known_to_be_about(rules) {
            None => rules.cel.evaluate(inputs),
            Some(true) => rules.cel.evaluate_matched(inputs),
            Some(false) => continue,
        };
        match verdict {
            Verdict::Unmatched => continue,
            Verdict::Error(cause) => found.push(findings::undecided(rules, workload, &cause)),
            Verdict::Outcomes(outcomes) => {
                for (index, outcome) in outcomes.iter().enumerate() {
                    match outcome {
                        Outcome::Allow => {}
                        Outcome::Deny(message) => {
                            found.extend(findings::violations(
                                rules, index, message, inputs, workload,
                            ));
                        }
                        Outcome::Error(cause) => {
                            found.extend(findings::unjudged(rules, index, workload, cause));
                        }
                    }
                }
            }
        }
        matched.push(rules.name.as_str());
    }
    if is_new {
        // Of a namespace so new that nothing is known of it, what can't be evaluated refuses nobody.
        let errors = found.iter_mut().filter(|found| found.finding.reason == findings::ERROR);
        errors.for_each(|found| found.finding.enforcement = Enforcement::Warn);
    }
    found.extend(certificates::findings(&pod, namespace, workload, snapshot));
    // Stable: within one enforcement they keep the order of the policies and of their rules.
    found.sort_by_key(|found| found.finding.enforcement);
    let patch = if stage == Stage::Made { injected.patch } else { Vec::new() };
    Judgement { pod, patch, found, matched }
}

/// What expressions see beside the Pod.
struct World<'a> {
    old: &'a Json<'a>,
    request: &'a Json<'a>,
    namespace_object: &'a Json<'a>,
    carried: Option<&'a [String]>,
}

impl World<'_> {
    /// Whether a policy is about the object, where that can't be found from its match conditions.
    fn is_known_to_be_about(&self, rules: &PodRules) -> Option<bool> {
        let carried = self.carried.filter(|_| rules.cel.are_matched_by_request())?;
        Some(carried.contains(&rules.name))
    }

    fn inputs<'b>(&'b self, pod: &'b Json<'b>) -> Inputs<'b> {
        Inputs {
            object: pod,
            old_object: self.old,
            request: self.request,
            namespace_object: self.namespace_object,
        }
    }
}

/// Adds what the policies add. What one adds can bring the Pod under another: so it is asked again
/// until no policy more is about it.
fn add<'a>(
    pod: &mut Json<'a>,
    rules: &[&'a Arc<PodRules>],
    certificate: Option<&'a Injection>,
    world: &World<'_>,
) -> Injected {
    let mut chosen: Vec<(&'a str, &'a Injection)> = Vec::new();
    let mut total = Injected::default();
    loop {
        let known = chosen.len();
        for &rules in rules {
            let Some(injection) = &rules.injection else { continue };
            let name = rules.name.as_str();
            let is_new = !chosen.iter().any(|(chosen, _)| *chosen == name);
            if is_new
                && rules.selects_pod(pod)
                && world.is_known_to_be_about(rules) != Some(false)
                && rules.cel.are_matched(world.inputs(pod)) == Ok(true)
            {
                chosen.push((name, injection));
            }
        }
        chosen.sort_by_key(|(name, _)| *name);
        if known == 0 {
            let own = certificate.map(|certificate| (findings::BY_ANNOTATION, certificate));
            chosen.splice(0..0, own);
        }
        if chosen.len() == known {
            return total;
        }
        let Injected { patch, clashes, added } = inject(pod, &chosen);
        total.patch.extend(patch);
        total.added.extend(added);
        // Those of before are found again.
        total.clashes = clashes;
    }
}

/// An annotation of a Pod.
pub fn annotation<'p>(pod: &'p Json<'_>, key: &str) -> Option<&'p str> {
    pod.get("metadata")?.get("annotations")?.get(key)?.as_str()
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
