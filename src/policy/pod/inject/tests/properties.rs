//! What holds of every injection into every Pod.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::generate::{injection, pod};
use super::*;
use crate::cel::compare_quantities;

/// A Pod and partial Pods that compile: the generator makes some that contradict themselves.
#[derive(Clone)]
struct Meeting {
    pod: Value,
    partial: Vec<(Value, Injection)>,
}

impl std::fmt::Debug for Meeting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.pod)?;
        self.partial.iter().try_for_each(|(partial, _)| writeln!(f, "{partial}"))
    }
}

impl Meeting {
    fn policies(&self) -> Vec<(&'static str, &Injection)> {
        let injections = self.partial.iter().map(|(_, injection)| injection);
        ["p", "q", "r"].into_iter().zip(injections).collect()
    }
}

fn meeting() -> impl Strategy<Value = Meeting> {
    (pod(), proptest::collection::vec(injection(), 1..4)).prop_map(|(pod, partial)| {
        let compiled = |partial: Value| Some((Injection::compile(&partial).ok()?, partial));
        let partial = partial.into_iter().filter_map(compiled);
        Meeting { pod, partial: partial.map(|(injection, partial)| (partial, injection)).collect() }
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whether all that was written is there still, and in its order.
fn is_kept(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Null, _) => true,
        (Value::Object(before), Value::Object(after)) => before
            .iter()
            .all(|(key, before)| after.get(key).is_some_and(|after| is_kept(before, after))),
        (Value::Array(before), Value::Array(after)) => {
            let mut after = after.iter();
            before.iter().all(|before| after.any(|after| is_kept(before, after)))
        }
        _ => before == after,
    }
}

/// Whether Kubernetes would take the Pod, as far as the generators can make it refuse one.
fn is_valid(pod: &Value) -> Result<(), String> {
    let spec = &pod["spec"];
    let on_host = spec["hostNetwork"] == true;
    let volumes: HashSet<_> = list(&spec["volumes"]).iter().map(|volume| &volume["name"]).collect();
    let ensure = |holds: bool, what: &str, value: &Value| {
        if holds { Ok(()) } else { Err(format!("{what}: {value}")) }
    };
    ensure(volumes.len() == list(&spec["volumes"]).len(), "volumes", &spec["volumes"])?;
    ensure(
        !(spec["hostPID"] == true && spec["shareProcessNamespace"] == true),
        "namespaces",
        spec,
    )?;
    let of_host = on_host || spec["hostPID"] == true;
    is_valid_context(&spec["securityContext"], &json!({}))?;
    ensure(!(spec["hostUsers"] == false && of_host), "users", spec)?;
    let mut names = HashSet::new();
    let mut host_ports = HashSet::new();
    for field in ["containers", "initContainers"] {
        for container in list(&spec[field]) {
            ensure(names.insert(&container["name"]), "name", container)?;
            let may_probe = field == "containers" || container["restartPolicy"] == "Always";
            ensure(may_probe || container["livenessProbe"].is_null(), "probe", container)?;
            let mut paths = HashSet::new();
            for mount in list(&container["volumeMounts"]) {
                ensure(paths.insert(&mount["mountPath"]), "path", mount)?;
                ensure(volumes.contains(&mount["name"]), "volume of mount", mount)?;
            }
            let mut port_names = HashSet::new();
            for port in list(&container["ports"]) {
                let name = &port["name"];
                ensure(name.is_null() || port_names.insert(name), "name of port", port)?;
                let mut on = port["hostPort"].as_i64().unwrap_or(0);
                let number = port["containerPort"].as_i64().unwrap();
                ensure(!on_host || on == 0 || on == number, "port of host", port)?;
                if on_host {
                    on = number;
                }
                ensure(on == 0 || host_ports.insert(on), "taken port of host", port)?;
            }
            for variable in list(&container["env"]) {
                let has_value = variable["value"].as_str().is_some_and(|value| !value.is_empty());
                ensure(!has_value || variable["valueFrom"].is_null(), "variable", variable)?;
            }
            is_valid_context(&container["securityContext"], &spec["securityContext"])?;
            is_valid_amount(&container["resources"])?;
        }
    }
    Ok(())
}

fn is_valid_context(context: &Value, of_pod: &Value) -> Result<(), String> {
    let effective = |key: &str| match &context[key] {
        Value::Null => of_pod[key].clone(),
        value => value.clone(),
    };
    let contained = context["allowPrivilegeEscalation"] == false;
    let adds = list(&context["capabilities"]["add"]).contains(&json!("SYS_ADMIN"));
    let profile = &context["seccompProfile"];
    let is_bad = (contained && (adds || context["privileged"] == true))
        || (effective("runAsNonRoot") == true && effective("runAsUser") == 0)
        || (profile["localhostProfile"].is_string() && profile["type"] != "Localhost");
    if is_bad { Err(format!("{context} in {of_pod}")) } else { Ok(()) }
}

fn is_valid_amount(resources: &Value) -> Result<(), String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for (name, request) in resources["requests"].as_object().into_iter().flatten() {
        let limit = &resources["limits"][name];
        let order = compare_quantities(&text(request), &text(limit));
        let is_bad = match limit {
            Value::Null => name.contains('/'),
            _ if name.contains('/') => !order.unwrap().is_eq(),
            _ => order.unwrap().is_gt(),
        };
        if is_bad {
            return Err(format!("{name} of {resources}"));
        }
    }
    Ok(())
}

/// What the API server adds to a Pod that it stores, and what it leaves out.
fn with_defaults(pod: &Value) -> Value {
    fn without_what_says_nothing(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.values_mut().for_each(without_what_says_nothing);
                let kept = ["emptyDir", "securityContext", "nodeAffinity", "x"];
                members.retain(|key, value| {
                    let is_empty = value.is_null() || *value == json!([]) || *value == json!({});
                    let is_zero = *value == json!("") && key == "value"
                        || *value == json!(0) && key == "hostPort";
                    let is_false = *value == json!(false)
                        && ["hostNetwork", "hostPID", "readOnly"].contains(&key.as_str());
                    kept.contains(&key.as_str()) && !value.is_null()
                        || !(is_empty || is_zero || is_false)
                });
            }
            Value::Array(items) => items.iter_mut().for_each(without_what_says_nothing),
            _ => {}
        }
    }
    let mut pod = pod.clone();
    without_what_says_nothing(&mut pod);
    let spec = &mut pod["spec"];
    for (key, value) in [("dnsPolicy", json!("ClusterFirst")), ("restartPolicy", json!("Always"))] {
        spec[key] = value;
    }
    let on_host = spec["hostNetwork"] == true;
    for volume in spec["volumes"].as_array_mut().into_iter().flatten() {
        if let Some(secret) = volume["secret"].as_object_mut() {
            secret.insert("defaultMode".to_owned(), json!(420));
        }
        volume.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    }
    for field in ["containers", "initContainers"] {
        for container in spec[field].as_array_mut().into_iter().flatten() {
            container["imagePullPolicy"] = json!("IfNotPresent");
            container["terminationMessagePath"] = json!("/dev/termination-log");
            for port in container["ports"].as_array_mut().into_iter().flatten() {
                port["protocol"] = json!("TCP");
                if on_host && port["hostPort"].is_null() {
                    port["hostPort"] = port["containerPort"].clone();
                }
            }
            if let Some(probe) = container["livenessProbe"].as_object_mut() {
                probe.insert("timeoutSeconds".to_owned(), json!(1));
                probe.entry("periodSeconds").or_insert_with(|| json!(10));
            }
            for (name, limit) in
                container["resources"]["limits"].clone().as_object().into_iter().flatten()
            {
                let requests = &mut container["resources"]["requests"];
                if requests[name].is_null() {
                    requests[name] = limit.clone();
                }
            }
            without_what_says_nothing(container);
        }
    }
    without_what_says_nothing(spec);
    pod
}

/// What a clash is about, whatever the words: where the API server has put a default, the value
/// that is in the way may be another.
fn topics(injected: &Injected) -> HashSet<(String, String, String)> {
    let topic = |clash: &Clash| {
        let field = |depth| clash.path.split('.').take(depth).collect::<Vec<_>>().join(".");
        let key = clash.key.clone().unwrap_or_else(|| field(3));
        (clash.policy.clone(), field(2), key)
    };
    injected.clashes.iter().map(topic).collect()
}

/// Whether what a policy wants of lists and texts is there or told.
fn is_there_or_told(outcome: &Outcome, policy: &str, injection: &Injection) -> Result<(), String> {
    let is_told = |key: &str| {
        outcome.injected.clashes.iter().any(|clash| {
            clash.policy == policy
                && (clash.key.as_deref() == Some(key)
                    || clash.path.contains(key)
                    || clash
                        .left_out
                        .iter()
                        .any(|what| what.split(' ').next_back() == key.split(' ').next_back()))
        })
    };
    let there = |is_there: bool, key: &str| {
        if is_there || is_told(key) {
            Ok(())
        } else {
            Err(format!("{policy}: {key} of {:#?}", outcome.injected))
        }
    };
    for (field, noun, wanted) in [
        ("labels", "label", &injection.labels),
        ("annotations", "annotation", &injection.annotations),
    ] {
        for (key, value) in wanted {
            let found = &outcome.pod["metadata"][field][key];
            there(*found == Value::from(value), &format!("{noun} {key}"))?;
        }
    }
    for entry in &injection.entries {
        let list_field = entry.list.field();
        for container in list(&outcome.spec()[list_field]) {
            let is_it = entry.is_for_all() || container["name"] == entry.name.as_str();
            if !is_it
                || entry.image.as_ref().is_some_and(|image| container["image"] != image.as_str())
            {
                continue;
            }
            for (field, wanted) in &entry.fields {
                let (noun, key) = match field.as_str() {
                    "env" => ("env", "name"),
                    "volumeMounts" => ("mount", "mountPath"),
                    _ => {
                        let is_there = !container[field].is_null();
                        there(is_there, field)?;
                        continue;
                    }
                };
                for wanted in list(&Value::from(wanted)) {
                    let mut found = list(&container[field]).iter();
                    let is_there = found.any(|found| is_kept(wanted, found));
                    let is_there = is_there || wanted["value"] == "";
                    there(is_there, &format!("{noun} {}", wanted[key].as_str().unwrap()))?;
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        max_shrink_iters: 2000,
        max_global_rejects: 100_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_patch_does_what_was_done_and_a_second_time_does_nothing(meeting in meeting()) {
        merged(&meeting.pod, &meeting.policies());
    }

    #[test]
    fn all_that_the_owner_wrote_is_there_in_her_order(meeting in meeting()) {
        let outcome = once(&meeting.pod, &meeting.policies());
        prop_assert!(is_kept(&meeting.pod, &outcome.pod), "{}", outcome.pod);
    }

    #[test]
    fn all_that_is_wanted_is_there_or_told(meeting in meeting()) {
        let outcome = once(&meeting.pod, &meeting.policies());
        for (policy, injection) in meeting.policies() {
            prop_assert_eq!(is_there_or_told(&outcome, policy, injection), Ok(()));
        }
    }

    #[test]
    fn a_valid_pod_stays_valid(meeting in meeting()) {
        prop_assume!(is_valid(&meeting.pod).is_ok());
        let outcome = once(&meeting.pod, &meeting.policies());
        prop_assert_eq!(is_valid(&outcome.pod), Ok(()), "{}", outcome.pod);
    }

    #[test]
    fn what_the_api_server_adds_changes_nothing(meeting in meeting()) {
        let outcome = once(&with_defaults(&meeting.pod), &meeting.policies());
        let again = once(&with_defaults(&outcome.pod), &meeting.policies());
        prop_assert_eq!(&again.injected.patch, &[], "{}", outcome.pod);
        prop_assert_eq!(topics(&again.injected), topics(&outcome.injected));
    }
}
