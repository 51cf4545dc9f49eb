//! The Pods of `tests/pods/wild`: the API server takes each, and stores it with what a policy adds
//! and otherwise as it would without.

// What is read here by nobody is read by the tests of `tests/pods`.
#[allow(dead_code)]
#[path = "../../pods/corpus/mod.rs"]
mod corpus;

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, future, stream};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::ApiResource;
use serde_json::{Value, json};

use super::set_policy;
use crate::harness::{Space, eventually};

use corpus::{additions, expected};

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// The Pods as they can be made: debuggers come later.
fn wild() -> Vec<Value> {
    let mut pods: Vec<Value> = corpus::wild().iter().map(corpus::Sample::pod).collect();
    for pod in &mut pods {
        pod["spec"].as_object_mut().unwrap().remove("ephemeralContainers");
        pod["metadata"].as_object_mut().unwrap().remove("namespace");
    }
    pods
}

/// A namespace with the accounts that the Pods name, and with what a policy of `tests/pods` injects.
async fn space_for(pods: &[Value], policy: Option<&str>) -> Space {
    let space = Space::bare().await;
    let name = |pod: &Value| pod["spec"]["serviceAccountName"].as_str().map(str::to_owned);
    let accounts: BTreeSet<String> = pods.iter().filter_map(name).collect();
    let list: Vec<Value> = accounts
        .iter()
        .map(|name| json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}))
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": list}).to_string();
    if !accounts.is_empty() {
        space.apply(&list).ok();
    }
    let accounts = space.api::<ServiceAccount>();
    eventually("the namespace has its own account", async || {
        accounts.get("default").await.map_err(|error| error.to_string())
    })
    .await;
    if let Some(policy) = policy {
        set_policy(&space, json!({"inject": corpus::policy(policy).spec.inject})).await;
    }
    space
}

/// The classes that Pods name, made under names that nobody else has, and removed in the end.
struct Classes<'s> {
    space: &'s Space,
    names: Vec<String>,
}

impl<'s> Classes<'s> {
    /// Makes them; the Pods name these then.
    fn of(pods: &mut [Value], space: &'s Space) -> Self {
        let mut classes = BTreeMap::new();
        for pod in pods {
            let spec = &mut pod["spec"];
            if let Some(name) = own_name(spec, "priorityClassName", space) {
                let value = spec["priority"].as_i64().unwrap_or(1000);
                let preemption = spec["preemptionPolicy"].as_str();
                let class = json!({
                    "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                    "metadata": {"name": name}, "value": value,
                    "preemptionPolicy": preemption.unwrap_or("PreemptLowerPriority"),
                });
                classes.insert(format!("priorityclass/{name}"), class);
            }
            if let Some(name) = own_name(spec, "runtimeClassName", space) {
                let mut class = json!({
                    "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass",
                    "metadata": {"name": name}, "handler": "sandbox",
                });
                if let Some(overhead) = spec.get("overhead") {
                    class["overhead"] = json!({"podFixed": overhead});
                }
                classes.insert(format!("runtimeclass/{name}"), class);
            }
        }
        let (names, classes): (Vec<_>, Vec<_>) = classes.into_iter().unzip();
        let made = Self { space, names };
        let list = json!({"apiVersion": "v1", "kind": "List", "items": classes});
        space.kubectl_anywhere("apply -f -", &list.to_string()).ok();
        made
    }
}

impl Drop for Classes<'_> {
    fn drop(&mut self) {
        let delete = format!("delete --ignore-not-found {}", self.names.join(" "));
        // Whoever looks at the cluster sees what could not be removed.
        let _ = self.space.kubectl_anywhere(&delete, "");
    }
}

/// Renames the class that a Pod names in this field, unless it is one of the cluster's own.
fn own_name(spec: &mut Value, field: &str, space: &Space) -> Option<String> {
    let name = spec.get(field)?.as_str()?;
    if name.starts_with("system-") {
        return None;
    }
    let own = format!("{}-{name}", space.name);
    spec[field] = json!(own);
    Some(own)
}

/// The Pods of a namespace, with whatever is in them.
fn pods_of(space: &Space) -> Api<DynamicObject> {
    Api::namespaced_with(space.client.clone(), &space.name, &ApiResource::erase::<Pod>(&()))
}

/// What would be stored, but for what differs from one creation to the next.
async fn would_be_stored(pod: &Value, space: &Space) -> Result<Value, String> {
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    let object = serde_json::from_value(pod.clone()).unwrap();
    let stored =
        pods_of(space).create(&dry_run, &object).await.map_err(|error| error.to_string())?;
    Ok(comparable(serde_json::to_value(stored).unwrap()))
}

fn comparable(mut stored: Value) -> Value {
    let metadata = stored["metadata"].as_object_mut().unwrap();
    if metadata.contains_key("generateName") {
        metadata.remove("name");
    }
    for field in ["uid", "namespace", "creationTimestamp", "managedFields", "resourceVersion"] {
        metadata.remove(field);
    }
    metadata["annotations"].as_object_mut().unwrap().remove("box.com/admitted-by");
    // It counts all containers.
    stored.as_object_mut().unwrap().remove("status");
    let mut text = stored.to_string();
    let token = stored["spec"]["volumes"].as_array().into_iter().flatten().find_map(|volume| {
        volume["name"].as_str().filter(|name| name.starts_with("kube-api-access-"))
    });
    if let Some(token) = token {
        text = text.replace(token, "kube-api-access");
    }
    serde_json::from_str(&text).unwrap()
}

/// What the policy adds is added, with the defaults that the API server has for it, and nothing
/// else.
fn assert_only_additions(plain: &Value, injected: &Value) -> Result<(), String> {
    let inject = corpus::policy("inject").spec.inject.unwrap();
    let mut wanted: BTreeMap<String, Value> = expected(plain, &inject).added.into_iter().collect();
    for (path, value) in additions(plain, injected)? {
        if path.ends_with(".box.com/findings") {
            continue;
        }
        let Some(wanted) = wanted.remove(&path) else {
            return Err(format!("{path} was added: {value}"));
        };
        // An element of a list is this one, whatever it is called.
        additions(&wanted, &value).map_err(|why| format!("{path} is {value}: {why}"))?;
    }
    if wanted.is_empty() { Ok(()) } else { Err(format!("not added: {wanted:?}")) }
}

/// All Pods for which this does not hold, and why.
async fn failures(pods: &[Value], check: impl AsyncFn(&Value) -> Result<(), String>) -> String {
    let check = &check;
    let of_pod = async |pod| {
        let why = check(pod).await.err()?;
        Some(format!("{}: {why}\n", pod["metadata"]["name"]))
    };
    stream::iter(pods)
        .map(of_pod)
        .buffer_unordered(AT_ONCE)
        .filter_map(future::ready)
        .collect()
        .await
}

#[tokio::test]
async fn each_wild_pod_is_taken_and_only_what_a_policy_adds_is_added() {
    let mut pods = wild();
    let plain = space_for(&pods, None).await;
    let injected = space_for(&pods, Some("inject")).await;
    let _classes = Classes::of(&mut pods, &plain);
    let failures = failures(&pods, async |pod| {
        let without = would_be_stored(pod, &plain).await?;
        let with = would_be_stored(pod, &injected).await?;
        assert_only_additions(&without, &with)
    });
    assert_eq!(failures.await, "");
}

#[tokio::test]
async fn each_wild_pod_is_taken_whatever_a_policy_adds_and_keeps_all_that_it_has() {
    let mut pods = wild();
    let plain = space_for(&pods, None).await;
    let heavy = space_for(&pods, Some("heavy")).await;
    let _classes = Classes::of(&mut pods, &plain);
    let failures = failures(&pods, async |pod| {
        let without = would_be_stored(pod, &plain).await?;
        let with = would_be_stored(pod, &heavy).await?;
        additions(&without, &with).map(drop)
    });
    assert_eq!(failures.await, "");
}

#[tokio::test]
async fn the_debuggers_of_wild_pods_are_taken_as_they_are() {
    let debugged: Vec<Value> = corpus::wild()
        .iter()
        .map(corpus::Sample::pod)
        .filter(|pod| !pod["spec"]["ephemeralContainers"].is_null())
        .collect();
    assert!(!debugged.is_empty());
    let space = space_for(&debugged, Some("inject")).await;
    for mut pod in debugged {
        let debuggers = pod["spec"].as_object_mut().unwrap().remove("ephemeralContainers").unwrap();
        let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        space.apply(&pod.to_string()).ok();
        let patch = json!({"spec": {"ephemeralContainers": debuggers}});
        let dry_run = PatchParams { dry_run: true, ..PatchParams::default() };
        let api = pods_of(&space);
        let patched = api
            .patch_subresource("ephemeralcontainers", &name, &dry_run, &Patch::Strategic(&patch))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let stored = &patched.data["spec"]["ephemeralContainers"];
        let added = additions(&debuggers, stored).unwrap();
        let is_default = |(path, _): &(String, Value)| {
            let field = path.rsplit('.').next().unwrap();
            ["terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy", "apiVersion"]
                .contains(&field)
        };
        assert!(added.iter().all(is_default), "{name}: {added:?}");
    }
}
