//! What is wrong with a partial Pod.

use serde_json::{Value, json};

use super::super::InjectFault;
use super::*;

fn told(faults: &[InjectFault]) -> Vec<String> {
    let texts = faults.iter().map(InjectFault::to_string);
    texts.map(|text| text.replacen("spec.inject.", "", 1)).collect()
}

fn faults(inject: Value) -> Vec<String> {
    told(&Injection::compile(&inject).unwrap_err())
}

fn doubts(inject: Value) -> Vec<String> {
    told(compiled(inject).doubts())
}

fn of_container(container: Value) -> Vec<String> {
    faults(into_app(container))
}

#[test]
fn only_metadata_and_spec_can_be_injected() {
    assert_eq!(
        faults(json!([])),
        ["spec.inject: is a list; expected is a partial Pod: metadata and spec"]
    );
    assert_eq!(
        faults(json!({
            "kind": "Pod", "metdata": {}, "spec": 7,
            "metadata": {"name": "x", "lables": {}, "labels": [], "annotations": {}},
        })),
        [
            "kind: can't be injected: only metadata and spec can",
            "metadata.labels: is a list; expected is a map",
            "metadata.lables: is no field of a Pod's metadata; did you mean \"labels\"?",
            "metadata.name: can't be injected: of the metadata only labels and annotations can",
            "metdata: can't be injected: only metadata and spec can; did you mean \"metadata\"?",
            "spec: is a whole number; expected is a map",
        ]
    );
}

#[test]
fn labels_and_annotations_are_those_of_kubernetes_and_none_of_ours() {
    assert_eq!(
        faults(json!({"metadata": {
            "labels": {"a b": "1", "box.com/findings": "true", "n": 1, "v": "a b"},
            "annotations": {"Some.Domain/key": "any text", "a/b/c": "", "t": true},
        }})),
        [
            "metadata.annotations[\"a/b/c\"]: is not a key that Kubernetes takes: [DOMAIN/]NAME",
            "metadata.annotations.t: is a boolean, true; expected is a string; write it in quotes: \"true\"",
            "metadata.labels[\"box.com/findings\"]: can't be injected: the key is Portreeve's own",
            "metadata.labels[\"a b\"]: is not a key that Kubernetes takes: [DOMAIN/]NAME",
            "metadata.labels.n: is a whole number, 1; expected is a string; write it in quotes: \"1\"",
            "metadata.labels.v: \"a b\" is not a label's value: at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit",
        ]
    );
}

#[test]
fn every_value_has_the_type_of_its_field() {
    assert_eq!(
        faults(json!({"spec": {
            "containers": [{"name": "app", "args": "-v", "tty": "yes", "env": [{"name": "A", "value": 1}, null, {}],
                "ports": [{"containerPort": 5000000000_i64}], "resources": {"limits": {"cpu": "lots", "memory": true}},
                "imagePullPolicy": "always", "livenessProbe": {"httpGet": {"port": 1.5}}}],
            "nodeSelector": "a", "activeDeadlineSeconds": 1.5,
        }})),
        [
            "spec.activeDeadlineSeconds: is a number, 1.5; expected is a whole number",
            "spec.containers[0].args: is a string, \"-v\"; expected is a list; write a list: [-v]",
            "spec.containers[0].env[0].value: is a whole number, 1; expected is a string; write it in quotes: \"1\"",
            "spec.containers[0].env[1]: is null, null; expected is a map",
            "spec.containers[0].env[2].name: is missing",
            "spec.containers[0].imagePullPolicy: \"always\" is not one of Always, IfNotPresent, Never; did you mean \"Always\"?",
            "spec.containers[0].livenessProbe.httpGet.port: is a number, 1.5; expected is a number or a name",
            "spec.containers[0].ports[0].containerPort: 5000000000 is out of range for a number of 32 bits",
            "spec.containers[0].resources.limits.cpu: \"lots\" is not a quantity such as 500m or 1Gi",
            "spec.containers[0].resources.limits.memory: is a boolean, true; expected is a quantity such as 500m or 1Gi",
            "spec.containers[0].tty: is a string, \"yes\"; expected is a boolean; write it without quotes",
            "spec.nodeSelector: is a string, \"a\"; expected is a map",
            "spec.containers[0].ports[0].containerPort: 5000000000 is not a port: 1 to 65535",
        ]
    );
}

#[test]
fn a_field_that_no_pod_has_is_a_doubt_with_the_nearest_name() {
    assert_eq!(
        doubts(
            json!({"spec": {"toleration": [], "containers": [{"name": "*", "volumeMount": [], "zzz": {"a": 1}}]}})
        ),
        [
            "spec.containers[0].volumeMount: is no field of Kubernetes 1.36; it is injected as it is; did you mean \"volumeMounts\"?",
            "spec.containers[0].zzz: is no field of Kubernetes 1.36; it is injected as it is",
            "spec.toleration: is no field of Kubernetes 1.36; it is injected as it is; did you mean \"tolerations\"?",
        ]
    );
}

#[test]
fn what_can_have_no_effect_is_a_doubt() {
    let told = doubts(json!({"spec": {
        "serviceAccountName": "s", "volumes": [{"name": "certs", "emptyDir": {}}],
        "containers": [{"name": "app", "imagePullPolicy": "Always", "volumeMounts": [{"name": "cert", "mountPath": "/c"}]}, {"name": "b"}],
    }}));
    assert_eq!(told.len(), 4, "{told:#?}");
    assert_eq!(
        told[1],
        "spec.containers[0].imagePullPolicy: is decided by the API server before a webhook sees the Pod; where it differs that is a clash, and nothing is added"
    );
    assert_eq!(
        told[2],
        "spec.containers[0].volumeMounts[0].name: \"cert\" is no volume of this policy; where a Pod has none it is left out; did you mean \"certs\"?"
    );
    assert_eq!(told[3], "spec.containers[1]: adds nothing: it has no image, and no field");
}

#[test]
fn what_no_policy_may_say_is_refused() {
    for field in [
        json!({"nodeName": "n"}),
        json!({"ephemeralContainers": []}),
        json!({"priority": 1}),
        json!({"os": {"name": "linux"}}),
        json!({"resources": {}}),
    ] {
        let told = faults(json!({"spec": field}));
        assert!(told[0].contains("can't be injected"), "{told:?}");
    }
    compiled(json!({"spec": {"hostname": "h"}}));
}

#[test]
fn elements_have_their_keys_and_no_two_the_same() {
    assert_eq!(
        faults(json!({"spec": {
            "containers": [{"name": "a", "image": "i"}, {"name": "a", "image": "j"}, {"image": "k"}, {"name": ""}, {"name": "A_1"}],
            "initContainers": [{"name": "a", "image": "i"}],
            "volumes": [{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}, {"name": "w"}, {"name": "x", "emptyDir": {}, "secret": {}}],
            "imagePullSecrets": [{}],
        }})),
        [
            "spec.containers[2].name: is missing",
            "spec.imagePullSecrets[0].name: is missing",
            "spec.volumes[1]: volume v is there already, at [0]",
            "spec.volumes[2]: has no source, such as emptyDir or configMap",
            "spec.volumes[3]: has two sources: emptyDir and secret",
            "spec.containers[1].name: \"a\" is there already, at spec.inject.spec.containers[0]",
            "spec.containers[3].name: is empty",
            "spec.containers[4].name: \"A_1\" is neither \"*\" nor a name of lower-case letters, digits and inner hyphens, at most 63",
            "spec.initContainers[0].name: \"a\" is there already, at spec.inject.spec.containers[0]",
        ]
    );
}

#[test]
fn every_container_has_no_image() {
    let of = |entry: Value| faults(json!({"spec": {"initContainers": [entry]}}));
    assert_eq!(
        of(json!({"name": "*", "image": "i", "restartPolicy": "Always"})),
        [
            "spec.initContainers[0].image: can't be that of every container",
            "spec.initContainers[0].restartPolicy: can't be that of every container",
        ]
    );
    assert_eq!(of(json!({"name": "a", "image": " "})), ["spec.initContainers[0].image: is empty"]);
}

#[test]
fn what_kubernetes_would_refuse_of_a_container_is_refused() {
    for (container, expected) in [
        (
            json!({"env": [{"name": "A=B", "value": "1"}]}),
            "env[0].name: \"A=B\" is not printable ASCII without '='",
        ),
        (
            json!({"env": [{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}),
            "env[0]: has both value and valueFrom, and may have one only",
        ),
        (
            json!({"env": [{"name": "A", "valueFrom": {}}]}),
            "env[0].valueFrom: has none of configMapKeyRef, fieldRef, fileKeyRef, resourceFieldRef, secretKeyRef",
        ),
        (json!({"env": [{"name": "A"}, {"name": "A"}]}), "env[1]: env A is there already, at [0]"),
        (json!({"envFrom": [{"prefix": "x"}]}), "envFrom[0]: has none of configMapRef, secretRef"),
        (json!({"volumeMounts": [{"name": "v"}]}), "volumeMounts[0].mountPath: is missing"),
        (
            json!({"volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "../x"}]}),
            "volumeMounts[0].subPath: \"../x\" is not a path within the volume",
        ),
        (
            json!({"ports": [{"containerPort": 80, "name": "a-very-long-name"}]}),
            "ports[0].name: \"a-very-long-name\" is not a port's name: at most 15 lower-case letters, digits and inner single hyphens, with one letter at least",
        ),
        (
            json!({"ports": [{"containerPort": 0}]}),
            "ports[0].containerPort: 0 is not a port: 1 to 65535",
        ),
        (
            json!({"ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]}),
            "ports[1]: port 80/TCP is there already, at [0]",
        ),
        (
            json!({"readinessProbe": {"periodSeconds": 5}}),
            "readinessProbe: has none of exec, grpc, httpGet, tcpSocket",
        ),
        (
            json!({"livenessProbe": {"tcpSocket": {"port": 80}, "timeoutSeconds": 0}}),
            "livenessProbe.timeoutSeconds: is less than 1",
        ),
        (
            json!({"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "1"}}}),
            "resources.requests.cpu: is more than the limit",
        ),
        (
            json!({"resources": {"requests": {"cpus": 2}}}),
            "resources.requests.cpus: is no resource of containers; did you mean \"cpu\"?",
        ),
        (
            json!({"securityContext": {"privileged": true, "allowPrivilegeEscalation": false}}),
            "securityContext.allowPrivilegeEscalation: can't be so while spec.inject.spec.containers[0].securityContext.privileged is true",
        ),
    ] {
        let told = of_container(container.clone());
        assert!(told.contains(&format!("spec.containers[0].{expected}")), "{container}: {told:#?}");
    }
}

#[test]
fn the_restart_policy_of_a_resize_is_another_than_that_of_a_container() {
    let resize =
        |policy: &str| json!({"resizePolicy": [{"resourceName": "cpu", "restartPolicy": policy}]});
    compiled(json!({"spec": {"containers": [{"name": "*", "resizePolicy": [
        {"resourceName": "cpu", "restartPolicy": "NotRequired"},
        {"resourceName": "memory", "restartPolicy": "RestartContainer"},
    ]}]}}));
    assert_eq!(
        of_container(resize("Always")),
        [
            "spec.containers[0].resizePolicy[0].restartPolicy: \"Always\" is not one of NotRequired, RestartContainer"
        ]
    );
}

#[test]
fn an_init_container_has_no_probe_unless_it_goes_on_running() {
    let init = |entry: Value| json!({"spec": {"initContainers": [entry]}});
    let probe = json!({"tcpSocket": {"port": 80}});
    assert_eq!(
        faults(init(json!({"name": "i", "image": "i", "startupProbe": probe}))),
        [
            "spec.initContainers[0].startupProbe: is not for an init container, unless that has restartPolicy: Always"
        ]
    );
    compiled(init(
        json!({"name": "i", "image": "i", "startupProbe": probe, "restartPolicy": "Always"}),
    ));
}

#[test]
fn tolerations_and_other_fields_of_the_spec_are_those_of_kubernetes() {
    for (spec, expected) in [
        (
            json!({"tolerations": [{"key": "a", "operator": "Exist"}]}),
            "tolerations[0].operator: \"Exist\" is not one of Equal, Exists, Lt, Gt; did you mean \"Exists\"?",
        ),
        (
            json!({"tolerations": [{"effect": "NoSchedule"}]}),
            "tolerations[0]: has no key; only with operator Exists it may have none",
        ),
        (
            json!({"tolerations": [{"key": "a", "tolerationSeconds": 5}]}),
            "tolerations[0].tolerationSeconds: is only for the effect NoExecute",
        ),
        (
            json!({"hostAliases": [{"ip": "10.0.0"}]}),
            "hostAliases[0].ip: \"10.0.0\" is not an IP address",
        ),
        (
            json!({"hostUsers": false, "hostPID": true}),
            "hostPID: can't be so while spec.hostUsers is false",
        ),
        (json!({"dnsPolicy": "None"}), "dnsPolicy: \"None\" needs nameservers in dnsConfig"),
        (
            json!({"nodeSelector": {"a": 1}}),
            "nodeSelector.a: is a whole number, 1; expected is a string; write it in quotes: \"1\"",
        ),
    ] {
        let told = faults(json!({"spec": spec}));
        assert!(told.contains(&format!("spec.{expected}")), "{spec}: {told:#?}");
    }
}

#[test]
fn what_is_nested_too_deep_is_refused() {
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let told = faults(json!({"spec": {"x": deep}}));
    assert_eq!(told, ["spec.inject: is nested deeper than any Pod"]);
}
