//! Tests of what injections do to Pods; of each it is proved that the patch does what was done in
//! place, and that a second time does nothing.

mod compile;
mod containers;
mod environments;
mod generate;
mod host;
mod merge;
mod properties;
mod validity;

use serde_json::{Value, json};

use super::{Clash, Injected, Injection, inject};
use crate::cel::Json;

/// What has come of a merge.
struct Outcome {
    pod: Value,
    injected: Injected,
}

impl Outcome {
    /// The clashes, one a line: where, what was found, what is in the way, what was left out.
    fn clashes(&self) -> Vec<String> {
        self.injected.clashes.iter().map(line).collect()
    }

    fn operations(&self) -> usize {
        self.injected.patch.len()
    }

    fn spec(&self) -> &Value {
        &self.pod["spec"]
    }
}

fn line(clash: &Clash) -> String {
    let Clash { policy, path, key, found, wanted, because, left_out } = clash;
    let key = key.as_ref().map_or_else(String::new, |key| format!(" ({key})"));
    let mut line = format!("{policy}: {path}{key}: {found}, not {wanted}");
    if let Some(because) = because {
        line.push_str(&format!(" because {because}"));
    }
    if !left_out.is_empty() {
        line.push_str(&format!(" without {}", left_out.join(", ")));
    }
    line
}

fn compiled(inject: Value) -> Injection {
    Injection::compile(&inject).unwrap_or_else(|faults| panic!("{faults:?} in {inject}"))
}

fn applied(pod: &Value, injected: &Injected) -> Value {
    let patch: json_patch::Patch =
        serde_json::from_value(serde_json::to_value(&injected.patch).unwrap()).unwrap();
    let mut pod = pod.clone();
    json_patch::patch(&mut pod, &patch).unwrap();
    pod
}

fn once(pod: &Value, policies: &[(&str, &Injection)]) -> Outcome {
    let text = pod.to_string();
    let mut json = Json::parse(&text).unwrap();
    let injected = inject(&mut json, policies);
    Outcome { pod: Value::from(&json), injected }
}

/// Merges, and proves what holds of every merge.
fn merged(pod: &Value, policies: &[(&str, &Injection)]) -> Outcome {
    let outcome = once(pod, policies);
    assert_eq!(applied(pod, &outcome.injected), outcome.pod, "{:#?}", outcome.injected.patch);
    let again = once(&outcome.pod, policies);
    assert_eq!(again.injected.patch, [], "of {}", outcome.pod);
    assert_eq!(again.injected.clashes, outcome.injected.clashes);
    assert_eq!(again.injected.added, []);
    outcome
}

/// Merges one partial Pod, of the policy `p`.
fn one(pod: Value, inject: Value) -> Outcome {
    merged(&pod, &[("p", &compiled(inject))])
}

/// Merges two, of the policies `p` and `q`.
fn two(pod: Value, first: Value, second: Value) -> Outcome {
    merged(&pod, &[("p", &compiled(first)), ("q", &compiled(second))])
}

/// A Pod of one container, `app`, with these members.
fn pod(container: Value) -> Value {
    let mut app = json!({"name": "app", "image": "app:1"});
    for (key, value) in container.as_object().unwrap() {
        app[key] = value.clone();
    }
    json!({"metadata": {"name": "x"}, "spec": {"containers": [app]}})
}

/// An injection into the container `app`.
fn into_app(container: Value) -> Value {
    let mut entry = container;
    entry["name"] = json!("app");
    json!({"spec": {"containers": [entry]}})
}
