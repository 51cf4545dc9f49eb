//! Metadata, the spec, and how lists and maps are merged.

use serde_json::{Value, json};

use super::*;

const NONE: [&str; 0] = [];

#[test]
fn nothing_wanted_changes_nothing() {
    let outcome = one(pod(json!({})), json!({}));
    assert_eq!(outcome.injected, Injected::default());
    assert!(compiled(json!({"spec": {"tolerations": []}, "metadata": null})).is_empty());
}

#[test]
fn an_absent_map_is_added_whole_and_a_present_one_is_filled() {
    let inject = json!({"metadata": {"labels": {"a/b": "1", "c": "2"}}});
    for absent in
        [json!({"spec": {}}), json!({"metadata": null}), json!({"metadata": {"labels": null}})]
    {
        let outcome = one(absent, inject.clone());
        assert_eq!(outcome.pod["metadata"]["labels"], json!({"a/b": "1", "c": "2"}));
        assert_eq!(outcome.operations(), 1);
    }
    let outcome = one(json!({"metadata": {"labels": {"c": "2", "d": "3"}}}), inject);
    assert_eq!(outcome.pod["metadata"]["labels"], json!({"a/b": "1", "c": "2", "d": "3"}));
    let Injected { patch, added, .. } = outcome.injected;
    assert_eq!(
        serde_json::to_value(patch).unwrap(),
        json!([{"op": "add", "path": "/metadata/labels/a~1b", "value": "1"}])
    );
    assert_eq!(added[0].path, "metadata.labels[\"a/b\"]");
    assert_eq!(added[0].key.as_deref(), Some("label a/b"));
}

#[test]
fn what_the_owner_wrote_wins_and_the_clash_is_told() {
    let outcome = one(
        json!({"metadata": {"annotations": {"a": "hers"}}, "spec": {"hostname": "h", "nodeSelector": {"d": "hdd"}}}),
        json!({"metadata": {"annotations": {"a": "ours", "b": ""}},
            "spec": {"hostname": "g", "nodeSelector": {"d": "ssd", "e": ""}}}),
    );
    assert_eq!(
        outcome.clashes(),
        [
            r#"p: metadata.annotations.a (annotation a): "hers", not "ours""#,
            r#"p: spec.hostname: "h", not "g""#,
            r#"p: spec.nodeSelector.d (node selector d): "hdd", not "ssd""#,
        ]
    );
    assert_eq!(outcome.pod["metadata"]["annotations"], json!({"a": "hers", "b": ""}));
    assert_eq!(outcome.spec()["nodeSelector"], json!({"d": "hdd", "e": ""}));
}

#[test]
fn what_an_earlier_policy_set_wins_over_a_later_one() {
    let label = |value: &str| json!({"metadata": {"labels": {"tier": value}}});
    let outcome = two(json!({"spec": {}}), label("a"), label("b"));
    assert_eq!(outcome.pod["metadata"]["labels"]["tier"], "a");
    assert_eq!(outcome.clashes(), [r#"q: metadata.labels.tier (label tier): "a", not "b""#]);
}

#[test]
fn what_an_earlier_policy_wants_absent_stays_absent() {
    let host = |is_on: bool| json!({"spec": {"hostNetwork": is_on}});
    let outcome = two(json!({"spec": {}}), host(false), host(true));
    assert_eq!(outcome.pod, json!({"spec": {}}));
    assert_eq!(outcome.clashes(), ["q: spec.hostNetwork: false, not true"]);
}

#[test]
fn maps_are_merged_deep_and_other_lists_are_values() {
    let terms = |zone: &str| json!({"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]}]});
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let outcome = one(
        json!({"spec": {"affinity": {"nodeAffinity": {required: terms("a")}}, "dnsConfig": {"searches": ["x"]}}}),
        json!({"spec": {
            "affinity": {"nodeAffinity": {required: terms("b")}, "podAntiAffinity": {required: []}},
            "dnsConfig": {"searches": ["x"], "nameservers": ["10.0.0.1"]},
        }}),
    );
    assert_eq!(outcome.spec()["affinity"]["nodeAffinity"][required], terms("a"));
    assert_eq!(
        outcome.spec()["dnsConfig"],
        json!({"searches": ["x"], "nameservers": ["10.0.0.1"]})
    );
    assert_eq!(outcome.clashes().len(), 1);
    assert!(outcome.clashes()[0].starts_with(
        "p: spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: [{"
    ));
}

#[test]
fn keyed_lists_are_appended_to_in_the_order_of_the_policy() {
    let outcome = one(
        json!({"spec": {"imagePullSecrets": [{"name": "hers"}]}}),
        json!({"spec": {
            "imagePullSecrets": [{"name": "b"}, {"name": "hers"}, {"name": "a"}],
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["x"]}],
            "readinessGates": [{"conditionType": "example.com/ready"}],
            "schedulingGates": [{"name": "example.com/quota"}],
        }}),
    );
    assert_eq!(
        outcome.spec()["imagePullSecrets"],
        json!([{"name": "hers"}, {"name": "b"}, {"name": "a"}])
    );
    assert_eq!(outcome.operations(), 5);
    assert_eq!(outcome.clashes(), NONE);
}

#[test]
fn an_element_of_hers_stays_as_it_is() {
    let spread = |skew: u32, unsatisfiable: &str| json!({"topologyKey": "zone", "whenUnsatisfiable": unsatisfiable, "maxSkew": skew});
    let outcome = one(
        json!({"spec": {
            "topologySpreadConstraints": [spread(1, "DoNotSchedule")],
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["x"]}],
        }}),
        json!({"spec": {
            "topologySpreadConstraints": [spread(2, "DoNotSchedule"), spread(3, "ScheduleAnyway")],
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["y"]}],
        }}),
    );
    assert_eq!(
        outcome.clashes(),
        [
            r#"p: spec.hostAliases[0].hostnames (host alias 10.0.0.1): ["x"], not ["y"]"#,
            "p: spec.topologySpreadConstraints[0].maxSkew (topology spread constraint zone/DoNotSchedule): 1, not 2",
        ]
    );
    assert_eq!(outcome.spec()["topologySpreadConstraints"][1], spread(3, "ScheduleAnyway"));
}

#[test]
fn a_toleration_is_added_that_none_covers() {
    let outcome = one(
        json!({"spec": {"tolerations": [{"key": "gpu", "operator": "Exists"}]}}),
        json!({"spec": {"tolerations": [
            {"key": "gpu", "value": "a", "effect": "NoSchedule"}, {"key": "spot", "operator": "Exists"},
        ]}}),
    );
    assert_eq!(
        outcome.spec()["tolerations"],
        json!([{"key": "gpu", "operator": "Exists"}, {"key": "spot", "operator": "Exists"}])
    );
    assert_eq!(outcome.injected.added[0].key.as_deref(), Some("toleration spot"));
}

#[test]
fn a_volume_of_another_source_is_a_clash_and_its_mounts_are_left_out() {
    let mut pod = pod(json!({"volumeDevices": []}));
    pod["spec"]["volumes"] = json!([{"name": "certs", "secret": {"secretName": "hers"}}]);
    let outcome = one(
        pod,
        json!({"spec": {
            "volumes": [{"name": "certs", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
            "containers": [
                {"name": "app", "volumeMounts": [
                    {"name": "certs", "mountPath": "/certs"}, {"name": "tmp", "mountPath": "/tmp"},
                ]},
                {"name": "proxy", "image": "proxy:1", "volumeMounts": [{"name": "certs", "mountPath": "/certs"}]},
            ],
        }}),
    );
    assert_eq!(
        outcome.clashes(),
        [
            r#"p: spec.volumes[0] (volume certs): {"name":"certs","secret":{"secretName":"hers"}}, not {"emptyDir":{},"name":"certs"} without spec.containers[0].volumeMounts: /certs, spec.containers[1].volumeMounts: /certs"#
        ]
    );
    let containers = &outcome.spec()["containers"];
    assert_eq!(containers[0]["volumeMounts"], json!([{"name": "tmp", "mountPath": "/tmp"}]));
    assert_eq!(containers[1], json!({"name": "proxy", "image": "proxy:1"}));
}

#[test]
fn a_volume_is_the_same_in_whatever_notation_and_with_its_defaults() {
    let outcome = one(
        json!({"spec": {"volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "certs", "secret": {"secretName": "s", "defaultMode": 420}},
        ]}}),
        json!({"spec": {"volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "1024Mi"}},
            {"name": "certs", "secret": {"secretName": "s"}},
        ]}}),
    );
    assert_eq!((outcome.operations(), outcome.clashes().len()), (0, 0));
}

#[test]
fn fields_that_nobody_knows_are_kept_and_merged() {
    let outcome = one(
        json!({"spec": {"newThing": {"a": 1}, "other": [1]}, "status": {"x": 1}}),
        json!({"spec": {"newThing": {"a": 1, "b": {"c": 2}}}}),
    );
    assert_eq!(
        outcome.pod,
        json!({"spec": {"newThing": {"a": 1, "b": {"c": 2}}, "other": [1]}, "status": {"x": 1}})
    );
}

#[test]
fn a_pod_that_is_none_is_left_as_it_is() {
    let inject = json!({
        "metadata": {"labels": {"a": "b"}},
        "spec": {"volumes": [{"name": "v", "emptyDir": {}}],
            "containers": [{"name": "c", "image": "i"}, {"name": "*", "env": [{"name": "A", "value": "1"}]}]},
    });
    for broken in [
        json!(null),
        json!([]),
        json!({"metadata": [], "spec": 7}),
        json!({"metadata": {"labels": 1}, "spec": {"volumes": 1, "containers": {}}}),
        json!({"metadata": {"labels": {"a": 5}}, "spec": {"volumes": [1, null], "containers": [null, {"env": [3, {"name": 4}]}]}}),
    ] {
        one(broken, inject.clone());
    }
}

#[test]
fn many_variables_cost_little() {
    let variable = |prefix: &str, n: usize| json!({"name": format!("{prefix}{n}"), "value": format!("$(H{n})")});
    let env = |prefix: &str| (0..3000).map(|n| variable(prefix, n)).collect::<Vec<Value>>();
    let outcome = one(pod(json!({"env": env("H")})), into_app(json!({"env": env("P")})));
    assert_eq!(outcome.operations(), 3000);
    assert_eq!(outcome.spec()["containers"][0]["env"][1]["name"], "P0");
}
