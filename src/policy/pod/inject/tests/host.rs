//! What a Pod shares with its host.

use serde_json::json;

use super::validity::{reasons, spec};
use super::*;

#[test]
fn sysctls_of_what_is_the_hosts_are_not_set() {
    let sysctls =
        |name: &str| json!({"securityContext": {"sysctls": [{"name": name, "value": "1"}]}});
    for (shared, name) in [
        ("hostNetwork", "net.core.somaxconn"),
        ("hostNetwork", "net/ipv4/ip_forward"),
        ("hostIPC", "kernel.shmmax"),
        ("hostIPC", "fs.mqueue.msg_max"),
    ] {
        let sharing = json!({shared: true});
        assert_eq!(spec(sharing.clone(), sysctls(name)), [format!("spec.{shared} is true")]);
        assert_eq!(
            spec(sysctls(name), sharing),
            [format!("spec.securityContext.sysctls[0].name is {name:?}")]
        );
    }
    assert_eq!(spec(json!({"hostNetwork": true}), sysctls("kernel.shmmax")), [""; 0]);
    assert_eq!(spec(json!({"hostIPC": true}), sysctls("net.core.somaxconn")), [""; 0]);
}

#[test]
fn a_pod_with_devices_has_no_users_of_its_own() {
    let device = json!([{"name": "d", "devicePath": "/dev/d"}]);
    let volumes = json!([{"name": "d", "persistentVolumeClaim": {"claimName": "d"}}]);
    let with = |devices: &Value| json!({"volumes": volumes, "containers": [{"name": "app", "volumeDevices": devices}]});
    assert_eq!(
        spec(with(&device), json!({"hostUsers": false})),
        ["spec.containers[0] has volumeDevices"]
    );
    let mut own_users = with(&json!([]));
    own_users["hostUsers"] = json!(false);
    let ours = json!({"containers": [{"name": "app", "volumeDevices": device}]});
    assert_eq!(spec(own_users, ours), ["spec.hostUsers is false"]);
    let windows = json!({"os": {"name": "windows"}});
    assert_eq!(spec(windows, json!({"hostUsers": false})), [r#"spec.os.name is "windows""#]);
}

fn windows(host_process: Value) -> Value {
    json!({"windowsOptions": {"hostProcess": host_process}})
}

/// A Pod in its host's network, of a container with this security context, and its own.
fn pod_of(of_pod: Value, of_app: Value) -> Value {
    let app = json!({"name": "app", "image": "app:1", "securityContext": of_app});
    json!({"spec": {"hostNetwork": true, "securityContext": of_pod, "containers": [app]}})
}

#[test]
fn a_container_beside_processes_of_the_host_is_one_too() {
    let (process, container, nothing) = (windows(json!(true)), windows(json!(false)), json!({}));
    let bring = |context: &Value| json!({"spec": {"containers": [{"name": "new", "image": "new:1", "securityContext": context}]}});
    let of_app = "spec.containers[0].securityContext.windowsOptions.hostProcess";
    let of_pod = "spec.securityContext.windowsOptions.hostProcess";
    for (of_the_pod, of_its, wanted, expected) in [
        (&nothing, &process, &nothing, Some(format!("{of_app} is true"))),
        (&nothing, &process, &container, Some(format!("{of_app} is true"))),
        (&nothing, &process, &process, None),
        (&process, &nothing, &nothing, None),
        (&process, &process, &process, None),
        (&process, &nothing, &container, Some(format!("{of_pod} is true"))),
        (&nothing, &nothing, &process, Some(format!("{of_app} is not true"))),
        (&nothing, &nothing, &container, None),
        (&container, &nothing, &process, Some(format!("{of_pod} is false"))),
    ] {
        let outcome = one(pod_of(of_the_pod.clone(), of_its.clone()), bring(wanted));
        assert_eq!(reasons(&outcome), Vec::from_iter(expected.clone()), "{of_its} {wanted}");
        let new = &outcome.spec()["containers"][1]["securityContext"];
        let is_there = expected.is_none();
        assert!(!is_there || *wanted == nothing || new == wanted, "{new}");
        assert_eq!(outcome.spec()["containers"].as_array().unwrap().len() == 2, is_there);
    }
}

#[test]
fn what_is_a_container_is_not_made_a_process_of_the_host() {
    let (process, nothing) = (windows(json!(true)), json!({}));
    let of_app = json!({"spec": {"containers": [{"name": "app", "securityContext": process}]}});
    assert_eq!(
        reasons(&one(pod_of(nothing.clone(), nothing.clone()), of_app)),
        ["spec.securityContext.windowsOptions.hostProcess is absent"]
    );
    let of_pod = json!({"spec": {"securityContext": process}});
    assert_eq!(
        reasons(&one(pod_of(nothing.clone(), windows(json!(false))), of_pod.clone())),
        ["spec.containers[0].securityContext.windowsOptions.hostProcess is false"]
    );
    let mut elsewhere = pod_of(nothing.clone(), nothing);
    elsewhere["spec"]["hostNetwork"] = json!(false);
    assert_eq!(reasons(&one(elsewhere, of_pod)), ["spec.hostNetwork is not true"]);
}
