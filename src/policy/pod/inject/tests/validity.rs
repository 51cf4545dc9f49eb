//! A Pod that was valid stays valid.

use serde_json::json;

use super::*;

/// What stands in the way, of a Pod with one container `app` and an injection into it.
fn because(container: Value, wanted: Value) -> Vec<String> {
    reasons(&one(pod(container), into_app(wanted)))
}

pub(super) fn reasons(outcome: &Outcome) -> Vec<String> {
    let clashes = outcome.injected.clashes.iter();
    clashes.map(|clash| clash.because.clone().unwrap_or_else(|| line(clash))).collect()
}

pub(super) fn spec(spec: Value, wanted: Value) -> Vec<String> {
    reasons(&one(json!({"spec": spec}), json!({"spec": wanted})))
}

#[test]
fn a_port_whose_name_or_host_port_is_taken_is_not_added() {
    assert_eq!(
        because(
            json!({"ports": [{"containerPort": 80, "name": "web"}, {"containerPort": 81, "hostPort": 81}]}),
            json!({"ports": [
                {"containerPort": 90, "name": "web"}, {"containerPort": 91, "hostPort": 81},
                {"containerPort": 92, "hostPort": 81, "protocol": "UDP"},
                {"containerPort": 80, "name": "other"},
            ]}),
        ),
        [
            r#"spec.containers[0].ports[0].name is "web""#,
            "spec.containers[0].ports[1] has port 81 of the host",
            r#"p: spec.containers[0].ports[0].name (port 80/TCP): "web", not "other""#,
        ]
    );
}

#[test]
fn in_the_network_of_the_host_each_port_is_one_of_the_host() {
    let pod = json!({"spec": {"hostNetwork": true, "containers": [
        {"name": "a", "ports": [{"containerPort": 80}]}, {"name": "b"}]}});
    let wanted = json!({"spec": {"containers": [{"name": "b", "ports": [
        {"containerPort": 80}, {"containerPort": 81, "hostPort": 82}, {"containerPort": 83}]}]}});
    assert_eq!(
        reasons(&one(pod, wanted)),
        [
            "spec.containers[0].ports[0] has port 80 of the host",
            "spec.hostNetwork is true, and hostPort is not containerPort",
        ]
    );
    let ports = |first: Value, second: Value| json!({"containers": [{"name": "a", "ports": [first]}, {"name": "b", "ports": [second]}]});
    let eighty = json!({"containerPort": 80});
    assert_eq!(
        spec(ports(eighty.clone(), eighty.clone()), json!({"hostNetwork": true})),
        ["spec.containers[0].ports[0] and spec.containers[1].ports[0] are the same port"]
    );
    assert_eq!(
        spec(
            ports(eighty, json!({"containerPort": 81, "hostPort": 82})),
            json!({"hostNetwork": true})
        ),
        ["spec.containers[1].ports[0].hostPort is not its containerPort"]
    );
}

#[test]
fn a_mount_has_a_volume_and_a_path_of_its_own() {
    let mut pod = pod(json!({
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        "volumeDevices": [{"name": "d", "devicePath": "/dev/d"}],
    }));
    pod["spec"]["volumes"] = json!([
        {"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}},
        {"name": "d", "persistentVolumeClaim": {"claimName": "d"}},
        {"name": "e", "persistentVolumeClaim": {"claimName": "e"}},
    ]);
    let outcome = two(
        pod,
        into_app(json!({"volumeMounts": [
            {"name": "w", "mountPath": "/v"}, {"name": "gone", "mountPath": "/g"},
            {"name": "d", "mountPath": "/d"}, {"name": "w", "mountPath": "/dev/d"},
            {"name": "w", "mountPath": "/b", "mountPropagation": "Bidirectional"},
        ]})),
        into_app(json!({"volumeDevices": [
            {"name": "w", "devicePath": "/dev/w"}, {"name": "e", "devicePath": "/v"},
            {"name": "x", "devicePath": "/dev/x"}, {"name": "d", "devicePath": "/dev/e"},
        ]})),
    );
    assert_eq!(
        reasons(&outcome),
        [
            r#"p: spec.containers[0].volumeMounts[0].name (mount /v): "v", not "w""#,
            "spec.volumes has no gone",
            r#"spec.containers[0].volumeDevices[0].name is "d""#,
            r#"spec.containers[0].volumeDevices[0].devicePath is "/dev/d""#,
            "spec.containers[0].securityContext.privileged is not true",
            "volume w is not of a persistent volume claim",
            r#"spec.containers[0].volumeMounts[0].mountPath is "/v""#,
            "spec.volumes has no x",
            r#"spec.containers[0].volumeDevices[0].name is "d""#,
        ]
    );
}

#[test]
fn security_contexts_do_not_contradict_themselves() {
    let of = |hers: Value, ours: Value| {
        because(json!({"securityContext": hers}), json!({"securityContext": ours}))
    };
    for (hers, ours, expected) in [
        (
            json!({"allowPrivilegeEscalation": false}),
            json!({"privileged": true}),
            "spec.containers[0].securityContext.allowPrivilegeEscalation is false",
        ),
        (
            json!({"privileged": true}),
            json!({"allowPrivilegeEscalation": false}),
            "spec.containers[0].securityContext.privileged is true",
        ),
        (
            json!({"capabilities": {"add": ["CAP_SYS_ADMIN"]}}),
            json!({"allowPrivilegeEscalation": false}),
            "spec.containers[0].securityContext.capabilities.add has CAP_SYS_ADMIN",
        ),
        (json!({"runAsUser": 0}), json!({"runAsNonRoot": true}), "its runAsUser is 0"),
        (json!({"runAsNonRoot": true}), json!({"runAsUser": 0}), "its runAsNonRoot is true"),
        (json!({}), json!({"procMount": "Unmasked"}), "spec.hostUsers is not false"),
    ] {
        assert_eq!(of(hers.clone(), ours.clone()), [expected], "{hers} {ours}");
    }
    assert_eq!(of(json!({"runAsUser": 0}), json!({"runAsNonRoot": true, "runAsUser": 5})).len(), 2);
    assert_eq!(of(json!({}), json!({"runAsNonRoot": true, "runAsUser": 5})), [""; 0]);
}

#[test]
fn the_context_of_the_pod_does_not_contradict_its_containers() {
    assert_eq!(
        spec(
            json!({"containers": [{"name": "a", "securityContext": {"runAsUser": 0}}]}),
            json!({"securityContext": {"runAsNonRoot": true, "fsGroup": 1}})
        ),
        ["spec.containers[0].securityContext.runAsUser is 0"]
    );
    assert_eq!(
        spec(
            json!({"securityContext": {"runAsNonRoot": true}}),
            json!({"securityContext": {"runAsUser": 0}})
        ),
        ["spec.securityContext.runAsNonRoot is true"]
    );
}

#[test]
fn profiles_are_not_merged_into_others() {
    let hers = json!({"seccompProfile": {"type": "RuntimeDefault"}});
    let ours = json!({"seccompProfile": {"type": "Localhost", "localhostProfile": "x"}});
    let outcome =
        one(pod(json!({"securityContext": hers})), into_app(json!({"securityContext": ours})));
    assert_eq!((outcome.operations(), outcome.clashes().len()), (0, 1));
}

#[test]
fn no_request_is_more_than_its_limit() {
    let of =
        |hers: Value, ours: Value| because(json!({"resources": hers}), json!({"resources": ours}));
    for (hers, ours, expected) in [
        (
            json!({"limits": {"cpu": "500m"}}),
            json!({"requests": {"cpu": 1}}),
            r#"spec.containers[0].resources.limits.cpu is "500m""#,
        ),
        (
            json!({"requests": {"cpu": "2"}}),
            json!({"limits": {"cpu": "1500m"}}),
            r#"spec.containers[0].resources.requests.cpu is "2""#,
        ),
        (
            json!({"limits": {"example.com/gpu": 2}}),
            json!({"requests": {"example.com/gpu": 1}}),
            r#"spec.containers[0].resources.limits["example.com/gpu"] is 2"#,
        ),
        (
            json!({}),
            json!({"requests": {"hugepages-2Mi": "2Mi"}}),
            r#"spec.containers[0].resources.limits["hugepages-2Mi"] is absent"#,
        ),
        (
            json!({"limits": {"cpu": "1"}}),
            json!({"limits": {"cpu": "2"}}),
            r#"p: spec.containers[0].resources.limits.cpu: "1", not "2""#,
        ),
        (json!({}), json!({"claims": [{"name": "gpu"}]}), "spec.resourceClaims has no gpu"),
    ] {
        assert_eq!(of(hers.clone(), ours.clone()), [expected], "{hers} {ours}");
    }
    let outcome = one(
        pod(json!({"resources": {"limits": {"cpu": "1"}}})),
        into_app(
            json!({"resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}, "requests": {"cpu": "100m"}}}),
        ),
    );
    assert_eq!(
        outcome.spec()["containers"][0]["resources"],
        json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}})
    );
    assert_eq!((outcome.operations(), outcome.clashes().len()), (2, 0));
}

#[test]
fn what_the_whole_pod_has_of_a_resource_is_not_shared_out_anew() {
    let mut pod = pod(json!({}));
    pod["spec"]["resources"] = json!({"limits": {"cpu": "1"}});
    let wanted = into_app(json!({"resources": {"requests": {"cpu": "1", "memory": "1Mi"}}}));
    let outcome = one(pod, wanted);
    assert_eq!(reasons(&outcome), [r#"spec.resources.limits.cpu is "1""#]);
    assert_eq!(
        outcome.spec()["containers"][0]["resources"],
        json!({"requests": {"memory": "1Mi"}})
    );
}

#[test]
fn fields_that_exclude_each_other_do_not_come_together() {
    for (hers, ours, expected) in [
        (json!({"hostPID": true}), json!({"shareProcessNamespace": true}), "spec.hostPID is true"),
        (json!({"hostNetwork": true}), json!({"hostUsers": false}), "spec.hostNetwork is true"),
        (json!({"hostUsers": false}), json!({"hostIPC": true}), "spec.hostUsers is false"),
        (json!({"priority": 0}), json!({"priorityClassName": "high"}), "spec.priority is 0"),
        (
            json!({"nodeName": "n"}),
            json!({"schedulingGates": [{"name": "g"}]}),
            r#"spec.nodeName is "n""#,
        ),
        (
            json!({"os": {"name": "windows"}}),
            json!({"securityContext": {"runAsUser": 5}}),
            r#"spec.os.name is "windows""#,
        ),
        (
            json!({"os": {"name": "linux"}}),
            json!({"securityContext": {"windowsOptions": {"runAsUserName": "x"}}}),
            r#"spec.os.name is "linux""#,
        ),
    ] {
        assert_eq!(spec(hers.clone(), ours.clone()), [expected], "{hers} {ours}");
    }
    assert_eq!(spec(json!({"hostUsers": false}), json!({"hostIPC": false})), [""; 0]);
}

#[test]
fn an_init_container_that_ends_has_no_probe() {
    let hers = |policy: Value| json!({"initContainers": [{"name": "i", "restartPolicy": policy}]});
    let ours =
        json!({"initContainers": [{"name": "i", "livenessProbe": {"tcpSocket": {"port": 1}}}]});
    assert_eq!(
        spec(hers(json!(null)), ours.clone()),
        [r#"spec.initContainers[0].restartPolicy is not "Always""#]
    );
    assert_eq!(spec(hers(json!("Always")), ours), [""; 0]);
}

#[test]
fn what_becomes_possible_by_a_later_policy_is_done_at_once() {
    let outcome = two(
        {
            let mut pod = pod(json!({}));
            pod["spec"]["volumes"] = json!([{"name": "v", "emptyDir": {}}]);
            pod
        },
        into_app(
            json!({"volumeMounts": [{"name": "v", "mountPath": "/v", "mountPropagation": "Bidirectional"}]}),
        ),
        into_app(json!({"securityContext": {"privileged": true}})),
    );
    assert_eq!(outcome.clashes(), [""; 0]);
    assert_eq!(outcome.spec()["containers"][0]["volumeMounts"][0]["name"], "v");
}

#[test]
fn annotations_are_not_added_beyond_what_an_object_may_have() {
    let outcome = one(
        json!({"metadata": {"annotations": {"a": "x".repeat(256 * 1024 - 10)}}}),
        json!({"metadata": {"annotations": {"b": "0123456789", "c": "1"}}}),
    );
    assert_eq!(reasons(&outcome), ["annotations may have 262144 bytes together"]);
    assert_eq!(outcome.pod["metadata"]["annotations"]["c"], "1");
}
