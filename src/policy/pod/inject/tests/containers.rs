//! Which containers are added, and which are filled.

use serde_json::json;

use super::*;

#[test]
fn a_container_with_an_image_is_added_and_one_without_is_filled_where_it_is() {
    let outcome = one(
        pod(json!({})),
        json!({"spec": {
            "containers": [
                {"name": "proxy", "image": "proxy:1", "args": ["-v"]},
                {"name": "app", "workingDir": "/w"}, {"name": "absent", "workingDir": "/w"},
            ],
            "initContainers": [{"name": "sidecar", "image": "s:1", "restartPolicy": "Always"}],
        }}),
    );
    assert_eq!(
        *outcome.spec(),
        json!({
            "containers": [
                {"name": "app", "image": "app:1", "workingDir": "/w"},
                {"name": "proxy", "image": "proxy:1", "args": ["-v"]},
            ],
            "initContainers": [{"name": "sidecar", "image": "s:1", "restartPolicy": "Always"}],
        })
    );
    assert_eq!(outcome.operations(), 3);
    let added: Vec<_> = outcome.injected.added.iter().map(|added| added.path.as_str()).collect();
    assert_eq!(
        added,
        ["spec.containers[1]", "spec.initContainers[0]", "spec.containers[0].workingDir"]
    );
}

#[test]
fn a_name_taken_in_the_other_list_is_a_clash() {
    let outcome =
        one(pod(json!({})), json!({"spec": {"initContainers": [{"name": "app", "image": "x"}]}}));
    assert_eq!(
        outcome.clashes(),
        [
            r#"p: spec.initContainers (container app): null, not {"name":"app","image":"x"} because spec.containers[0].name is "app""#
        ]
    );
    assert_eq!(outcome.operations(), 0);
}

#[test]
fn a_container_that_runs_another_image_is_another_container() {
    let outcome = one(
        pod(json!({})),
        json!({"spec": {"containers": [{"name": "app", "image": "app:2", "tty": true}]}}),
    );
    assert_eq!(
        outcome.clashes(),
        [r#"p: spec.containers[0].image (container app): "app:1", not "app:2""#]
    );
    assert_eq!(outcome.operations(), 0);
}

#[test]
fn every_container_means_also_those_that_another_policy_brings() {
    let every = |value: &str| json!({"spec": {"containers": [{"name": "*", "env": [{"name": "A", "value": value}]}]}});
    let brings = json!({"spec": {"containers": [{"name": "proxy", "image": "p"}]}});
    let outcome = merged(
        &pod(json!({})),
        &[("p", &compiled(every("1"))), ("q", &compiled(brings)), ("r", &compiled(every("2")))],
    );
    for index in [0, 1] {
        let env = &outcome.spec()["containers"][index]["env"];
        assert_eq!(*env, json!([{"name": "A", "value": "1"}]));
    }
    assert_eq!(outcome.clashes().len(), 2);
    // The new container is added whole, with what another policy put into it.
    assert_eq!(outcome.operations(), 2);
}

#[test]
fn what_is_named_comes_before_what_is_for_all() {
    let env = |name: &str, value: &str| json!({"spec": {"containers": [{"name": name, "env": [{"name": "A", "value": value}]}]}});
    let outcome = two(pod(json!({})), env("*", "all"), env("app", "one"));
    assert_eq!(outcome.spec()["containers"][0]["env"][0]["value"], "one");
    assert_eq!(
        outcome.clashes(),
        [r#"p: spec.containers[0].env[0].value (env A): "one", not "all""#]
    );
}

#[test]
fn every_init_container_is_meant_by_the_star_of_its_list_only() {
    let outcome = one(
        json!({"spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "i"}, {"name": "j"}]}}),
        json!({"spec": {"initContainers": [{"name": "*", "workingDir": "/w"}]}}),
    );
    assert_eq!(
        *outcome.spec(),
        json!({"containers": [{"name": "a"}], "initContainers": [
            {"name": "i", "workingDir": "/w"}, {"name": "j", "workingDir": "/w"}]})
    );
}

#[test]
fn a_container_that_a_later_policy_brings_is_filled_by_an_earlier_one() {
    let outcome = two(
        pod(json!({})),
        json!({"spec": {"containers": [{"name": "proxy", "args": ["-v"]}]}}),
        json!({"spec": {"containers": [{"name": "proxy", "image": "p", "args": ["-q"]}]}}),
    );
    assert_eq!(outcome.spec()["containers"][1]["args"], json!(["-v"]));
    assert_eq!(outcome.clashes(), [r#"q: spec.containers[1].args: ["-v"], not ["-q"]"#]);
}

#[test]
fn commands_probes_and_hooks_are_values() {
    let http = json!({"httpGet": {"path": "/", "port": 80}});
    let outcome = one(
        pod(
            json!({"command": ["a"], "livenessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 10},
            "readinessProbe": {"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}, "timeoutSeconds": 1},
            "lifecycle": {"preStop": {"exec": {"command": ["x"]}}}}),
        ),
        into_app(
            json!({"command": ["b"], "livenessProbe": http, "readinessProbe": http, "startupProbe": http,
            "lifecycle": {"preStop": http, "postStart": http}}),
        ),
    );
    let clashes = outcome.clashes();
    let paths: Vec<_> = clashes.iter().map(|line| line.split(": ").nth(1).unwrap()).collect();
    assert_eq!(
        paths,
        [
            "spec.containers[0].command",
            "spec.containers[0].lifecycle.preStop",
            "spec.containers[0].livenessProbe",
        ]
    );
    let app = &outcome.spec()["containers"][0];
    assert_eq!((&app["startupProbe"], &app["lifecycle"]["postStart"]), (&http, &http));
    assert_eq!(app["livenessProbe"], json!({"tcpSocket": {"port": 80}, "periodSeconds": 10}));
}

#[test]
fn the_defaults_of_the_api_server_are_no_clash() {
    let inject = json!({"spec": {
        "volumes": [{"name": "v", "configMap": {"name": "c"}}],
        "containers": [{"name": "proxy", "image": "p", "ports": [{"containerPort": 80}], "stdin": false,
            "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": false}],
            "env": [{"name": "N", "value": ""}, {"name": "F", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
            "resources": {"limits": {"cpu": "1000m"}},
            "livenessProbe": {"httpGet": {"port": 80}}}],
    }});
    let stored = json!({"spec": {
        "securityContext": {}, "dnsPolicy": "ClusterFirst",
        "volumes": [{"name": "v", "configMap": {"name": "c", "defaultMode": 420}}],
        "containers": [{"name": "app", "image": "a"}, {"name": "proxy", "image": "p",
            "imagePullPolicy": "Always", "terminationMessagePath": "/dev/termination-log",
            "ports": [{"containerPort": 80, "protocol": "TCP"}],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            "env": [{"name": "N"}, {"name": "F", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}}],
            "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}},
            "livenessProbe": {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
                "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}}],
    }});
    let outcome = one(stored, inject);
    assert_eq!((outcome.operations(), outcome.clashes()), (0, vec![]));
}
