//! The policies of a cluster, of which not all may be read.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::command::{Folder, Run};

/// The lists that a cluster gives, by path; all else is forbidden.
type Lists = &'static [(&'static str, fn() -> Value)];

/// Starts an API server of these lists, and writes the kubeconfig that leads to it. It ends with the
/// test's process.
fn cluster(folder: &Folder, lists: Lists) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), lists);
        }
    });
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "users": [{"name": "test", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    });
    std::fs::write(folder.path().join("kubeconfig"), kubeconfig.to_string()).unwrap();
}

fn answer(mut stream: TcpStream, lists: Lists) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().unwrap().unwrap();
    let path = request.split([' ', '?']).nth(1).unwrap();
    for line in lines {
        if line.unwrap().is_empty() {
            break;
        }
    }
    let (status, body) = match lists.iter().find(|(known, _)| *known == path) {
        Some((_, list)) => ("200 OK", list()),
        None => {
            let message = format!("you may not list {path}");
            let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                "message": message, "reason": "Forbidden", "code": 403});
            ("403 Forbidden", body)
        }
    };
    let body = body.to_string();
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n");
    let _ = write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}");
}

fn pod_policy(name: &str, expression: &str) -> Value {
    json!({"apiVersion": "box.com/v1", "kind": "PodPolicy", "metadata": {"name": name}, "spec": {
        "match": {"namespaceSelector": {"matchLabels": {"team": "apps"}}},
        "validations": [{"expression": expression, "message": format!("{name} says no.")}],
    }})
}

fn policies() -> Value {
    let items =
        [pod_policy("asks", "false"), pod_policy("broken", "1 +"), pod_policy("own", "false")];
    json!({"apiVersion": "box.com/v1", "kind": "PodPolicyList", "metadata": {}, "items": items})
}

fn namespaces() -> Value {
    json!({"apiVersion": "v1", "kind": "NamespaceList", "metadata": {}, "items": [
        {"metadata": {"name": "shop", "labels": {"team": "apps"}}}]})
}

const POD: &[u8] = b"{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}}";

fn checked(name: &str, lists: Lists, more: &[&str]) -> Run {
    let own = pod_policy("own", "true").to_string();
    let folder = Folder::new(name, &[("pod.yaml", POD), ("own.yaml", own.as_bytes())]);
    cluster(&folder, lists);
    let from_cluster = ["--policies-from-cluster", "--kubeconfig", "kubeconfig", "pod.yaml"];
    folder.check(&[&from_cluster[..], more].concat())
}

#[test]
fn the_policies_and_namespaces_of_the_cluster_are_used_as_far_as_they_may_be_read() {
    const LISTS: Lists =
        &[("/apis/box.com/v1/podpolicies", policies), ("/api/v1/namespaces", namespaces)];
    let run = checked("cluster", LISTS, &["--policy", "own.yaml"]);
    assert_snapshot!(run.stdout, @"pod.yaml:1: error: Pod shop/a: asks says no (PodPolicy asks). (PodPolicyViolation)");
    assert_snapshot!(run.stderr, @"
    portreeve: note: the cluster's PkiPolicies can't be read, and are not judged by: you may not list /apis/box.com/v1/pkipolicies (403)
    portreeve: note: the cluster's Pkis can't be read, and are not judged by: you may not list /apis/box.com/v1/pkis (403)
    portreeve: note: the cluster's Secrets can't be read, and are not judged by: you may not list /api/v1/secrets (403)
    portreeve: note: the cluster's PodPolicy broken is not in effect: see its status
    1 error, 0 warnings in 1 object of 1 file
    ");
    assert_eq!(run.code, Some(1));
}

#[test]
fn a_cluster_whose_pod_policies_may_not_be_read_judges_nothing() {
    let run = checked("forbidden", &[], &[]);
    insta::with_settings!({filters => vec![(r"127\.0\.0\.1:\d+", "ADDRESS")]}, {
        assert_snapshot!(run.stderr, @"portreeve: error: can't read the PodPolicies of http://ADDRESS/: you may not list /apis/box.com/v1/podpolicies (403)");
    });
    assert_eq!((run.stdout.as_str(), run.code), ("", Some(2)));
}
