//! Injection: a partial Pod, merged into Pods.
//!
//! What the owner wrote wins: what is absent is added, what is there and different is told as a
//! [`Clash`] and stays as it is. Lists are merged by the keys by which Kubernetes merges them; an
//! element of the owner's stays as she wrote it. Nothing is added that would make a valid Pod
//! invalid. [`inject`] changes the Pod in place and makes a patch of what it changes; on its own
//! result it changes nothing, and tells the same clashes.

mod checks;
mod compare;
mod compile;
mod containers;
mod env;
mod filling;
mod guards;
mod host;
mod lists;
mod merge;
mod place;
mod resources;
mod run;
mod structure;
mod surroundings;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::cel::{Json, Object};
use crate::policy::patch::PatchOp;

use self::containers::{Containers, List};
use self::place::Place;
use self::run::Run;

/// More passes than any injection needs: all but the last add what the one before made possible.
const MOST_PASSES: usize = 16;

/// A partial Pod, compiled.
#[derive(Clone, Debug, Default)]
pub struct Injection {
    labels: Vec<(String, Json<'static>)>,
    annotations: Vec<(String, Json<'static>)>,
    /// The members of the spec, but for the containers.
    spec: Vec<(String, Json<'static>)>,
    /// What goes into containers, of both lists.
    entries: Vec<Entry>,
    doubts: Vec<InjectFault>,
}

/// What goes into one container, or into every one of a list.
#[derive(Clone, Debug)]
struct Entry {
    list: List,
    /// The container's name, or [`EVERY`].
    name: String,
    /// The image, of a container that is added where it is not there.
    image: Option<String>,
    /// All other members.
    fields: Vec<(String, Json<'static>)>,
}

/// The name that means every container.
const EVERY: &str = "*";

impl Entry {
    fn is_for_all(&self) -> bool {
        self.name == EVERY
    }

    fn brings(&self) -> bool {
        self.image.is_some()
    }

    /// The container, as the policy has it.
    fn whole(&self) -> Json<'static> {
        let mut whole = self.essence();
        for (key, value) in &self.fields {
            whole.insert(key.clone().into(), value.clone());
        }
        Json::Map(whole)
    }

    /// What is wanted of it on Windows.
    fn windows_options(&self) -> Option<&Json<'static>> {
        let (_, context) = self.fields.iter().find(|(key, _)| key == "securityContext")?;
        context.get("windowsOptions")
    }

    /// What others must know of the container before it is filled.
    fn essence(&self) -> Object<'static> {
        let text = |text: &str| Json::String(text.to_owned().into());
        let mut essence = Object::default();
        essence.insert("name".into(), text(&self.name));
        if let Some(image) = &self.image {
            essence.insert("image".into(), text(image));
        }
        if let Some((key, value)) = self.fields.iter().find(|(key, _)| key == "restartPolicy") {
            essence.insert(key.clone().into(), value.clone());
        }
        // All containers of a Pod are processes of its host, or none.
        if let Some(options) = self.windows_options()
            && options.get("hostProcess") == Some(&Json::Bool(true))
        {
            let context = [("windowsOptions".into(), options.clone())].into_iter().collect();
            essence.insert("securityContext".into(), Json::Map(context));
        }
        essence
    }
}

impl Injection {
    /// Compiles the `spec.inject` of a policy.
    ///
    /// # Errors
    /// All that is wrong with it at once.
    pub fn compile(inject: &serde_json::Value) -> Result<Self, Vec<InjectFault>> {
        compile::compile(inject)
    }

    /// What is taken, and may be a slip: fields that no Pod of Kubernetes 1.36 has, and what can't
    /// have an effect.
    pub fn doubts(&self) -> &[InjectFault] {
        &self.doubts
    }

    /// Whether it adds nothing.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
            && self.annotations.is_empty()
            && self.spec.is_empty()
            && self.entries.is_empty()
    }
}

/// What is wrong with an injection, or may be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub struct InjectFault {
    /// Where, in the policy: `spec.inject.spec.containers[0].env[1].name`.
    pub path: String,
    /// What is wrong, and what is expected.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl fmt::Display for InjectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// What has come of injections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Injected {
    /// The changes, which make the Pod as it was into the Pod as it is.
    pub patch: Vec<PatchOp>,
    /// What is wanted and was not done, in the order of the policies.
    pub clashes: Vec<Clash>,
    /// What was added.
    pub added: Vec<Addition>,
}

/// Something that a policy wants and a Pod has otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The policy.
    pub policy: String,
    /// Where, in the Pod: `spec.containers[0].env[1].value`. Of an element that is not there, its
    /// list.
    pub path: String,
    /// What it is, for people, of what has a name: `env LOG_LEVEL`.
    pub key: Option<String>,
    /// What is there, as JSON; `null` where nothing is.
    pub found: String,
    /// What is wanted, as JSON.
    pub wanted: String,
    /// What stands in the way, where nothing is there: `spec.containers[0].ports[1].name is "web"`.
    pub because: Option<String>,
    /// What was not added either, since it would use this: the mounts of a volume, as
    /// `spec.containers[0].volumeMounts: /certs`.
    pub left_out: Vec<String>,
}

/// Something that a policy has added to a Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The policy.
    pub policy: String,
    /// Where. Of variables, the environment: others may come before them.
    pub path: String,
    /// What it is, for people, of what has a name: `env LOG_LEVEL`.
    pub key: Option<String>,
}

/// Merges injections, each with the name of its policy, into a Pod, in the order in which they are
/// given: what an earlier one has set, a later one leaves.
pub fn inject<'a>(pod: &mut Json<'a>, injections: &[(&str, &Injection)]) -> Injected {
    let mut run = Run::default();
    if injections.iter().all(|(_, injection)| injection.is_empty()) {
        return Injected::default();
    }
    let mut containers = match pod.get_mut("spec") {
        Some(Json::Map(spec)) => Containers::take(spec),
        _ => Containers::default(),
    };
    for _ in 0..MOST_PASSES {
        run.again();
        merge::pass(pod, &mut containers, injections, &mut run);
        // What was missing for something may be there now, and what was told may have moved.
        if !run.changed {
            break;
        }
    }
    if let Some(Json::Map(spec)) = pod.get_mut("spec") {
        containers.put_back(spec, &mut run, &Place::Root.key("spec"));
    }
    Injected { patch: run.patch, clashes: run.clashes, added: run.added }
}
