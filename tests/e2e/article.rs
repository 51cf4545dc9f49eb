//! The scenario that Portreeve is for: a typo that is let through, told, and fixed.

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::ListParams;
use serde_json::json;

use crate::harness::certificates::verified_names;
use crate::harness::space::lines;
use crate::harness::{Space, eventually, golden};

/// What the documentation applies, in the test's own namespace.
fn manifests(app: &str, space: &Space) -> String {
    let text = match app {
        "app1" => include_str!("../../examples/article/app1.yaml"),
        _ => include_str!("../../examples/article/app2.yaml"),
    };
    let (_namespace, rest) = text.split_once("\n---\n").unwrap();
    rest.replace(&format!("namespace: {app}"), &format!("namespace: {}", space.name))
}

/// The Pod of an application's Deployment.
async fn pod_of(app: &str, space: &Space) -> String {
    let pods = space.api::<Pod>();
    let of_app = ListParams::default().labels(&format!("app={app}"));
    eventually(&format!("{app} has a Pod"), async || {
        let found = pods.list(&of_app).await.map_err(|error| error.to_string())?;
        let first = found.items.into_iter().next().ok_or("none")?;
        Ok::<_, String>(first.metadata.name.unwrap())
    })
    .await
}

/// Of a table of Events, the head and our lines: a real node has more to tell of a Pod.
fn told(table: &str) -> String {
    let (head, lines) = table.split_once('\n').unwrap();
    let ours = lines.lines().filter(|line| line.contains("  PkiServiceNameError  "));
    std::iter::once(head).chain(ours).map(|line| format!("{line}\n")).collect()
}

/// The same, of the table at the end of what `kubectl describe` prints.
fn told_at_the_end(described: &str) -> String {
    let (_, table) = described.split_once("\nEvents:\n").expect("there are Events");
    told(table)
}

#[tokio::test]
async fn the_owner_of_a_typo_reads_of_it_wherever_she_looks() {
    let space = Space::with_policy("Warn").await;
    let _golden = golden(&space.name);
    let applied = space.apply(&manifests("app1", &space));
    insta::assert_snapshot!(applied.screen(), @r#"
    Warning: ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki: it was let through, and Secret app1-pki is not made until then.
    pki.box.com/app1-pki created
    deployment.apps/app1 created
    "#);
    let pod = pod_of("app1", &space).await;
    space.await_event("Pki", "app1-pki", "PkiServiceNameError", 2).await;
    space.await_event("Pod", &pod, "PkiServiceNameError", 2).await;

    insta::assert_snapshot!(space.kubectl("get pki").ok(), @"
    NAME  READY  SERVICE  SECRET  EXPIRES  REASON  AGE
    app1-pki  False  appp1  PkiServiceNameError  AGE
    ");
    let described = space.kubectl(&format!("describe pod {pod}")).ok();
    insta::assert_snapshot!(told_at_the_end(&described), @r#"
    Type  Reason  Age  From  Message
    Warning  PkiServiceNameError  AGE (xN over AGE)  controlplane  ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki: it was let through, and Secret app1-pki is not made until then.
    "#);
    let described = space.kubectl("describe pki app1-pki").ok();
    insta::assert_snapshot!(told_at_the_end(&described), @r#"
    Type  Reason  Age  From  Message
    Warning  PkiServiceNameError  AGE (xN over AGE)  controlplane  ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki: it was let through, and Secret app1-pki is not made until then.
    "#);
    let line = format!("get events --field-selector involvedObject.name={pod}");
    insta::assert_snapshot!(told(&space.kubectl(&line).ok()), @r#"
    LAST SEEN  TYPE  REASON  OBJECT  MESSAGE
    AGE  Warning  PkiServiceNameError  pod/app1-POD  ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki: it was let through, and Secret app1-pki is not made until then.
    "#);
    let line = format!("events --for pod/{pod}");
    insta::assert_snapshot!(told(&space.kubectl(&line).ok()), @r#"
    LAST SEEN  TYPE  REASON  OBJECT  MESSAGE
    AGE (xN over AGE)  Warning  PkiServiceNameError  Pod/app1-POD  ServiceName: appp1 in pki: app1-pki is not found in allowedNames: [app1 app2]; did you mean "app1"? Set spec.serviceName of Pki app1-pki: it was let through, and Secret app1-pki is not made until then.
    "#);
}

#[tokio::test]
async fn the_count_rises_while_the_fault_stands_and_no_second_event_is_made() {
    let space = Space::with_policy("Warn").await;
    space.apply(&manifests("app1", &space)).ok();
    let pod = pod_of("app1", &space).await;
    let early = space.await_event("Pod", &pod, "PkiServiceNameError", 1).await;
    let later = space.await_event("Pod", &pod, "PkiServiceNameError", 4).await;
    assert_eq!(early.metadata.uid, later.metadata.uid);
    let warnings = space.warnings_of_pod(&pod).await;
    assert_eq!(warnings.len(), 1, "{:?}", lines(&warnings));
}

#[tokio::test]
async fn a_good_application_and_a_pod_that_does_not_mount_the_secret_hear_nothing() {
    let (bad, good) = (Space::with_policy("Warn").await, Space::with_policy("Warn").await);
    bad.apply_pod("third", json!({}));
    bad.apply(&manifests("app1", &bad)).ok();
    good.apply(&manifests("app2", &good)).ok();
    let faulty = pod_of("app1", &bad).await;
    let healthy = pod_of("app2", &good).await;
    good.await_reason("app2-pki", "Issued").await;
    bad.await_event("Pod", &faulty, "PkiServiceNameError", 3).await;
    assert_eq!(lines(&bad.warnings_of_pod("third").await), [""; 0]);
    // Of a Pod that came before its certificate nobody told a fault either.
    assert_eq!(lines(&good.warnings_of_pod(&healthy).await), [""; 0]);
}

#[tokio::test]
async fn once_it_is_fixed_the_secret_is_there_and_a_normal_event_says_so_once() {
    let space = Space::with_policy("Warn").await;
    let _golden = golden(&space.name);
    space.apply(&manifests("app1", &space)).ok();
    // Another fault, by which it is seen that time has passed.
    space.apply_pki("clock", json!({"serviceName": "other"})).ok();
    let pod = pod_of("app1", &space).await;
    space.await_event("Pod", &pod, "PkiServiceNameError", 1).await;

    let fixed = manifests("app1", &space).replace("appp1", "app1");
    insta::assert_snapshot!(space.apply(&fixed).screen(), @"
    pki.box.com/app1-pki configured
    deployment.apps/app1 unchanged
    ");
    let pki = space.await_reason("app1-pki", "Issued").await;
    insta::assert_snapshot!(space.kubectl("get pki app1-pki").ok(), @"
    NAME  READY  SERVICE  SECRET  EXPIRES  REASON  AGE
    app1-pki  True  app1  app1-pki  TIME  Issued  AGE
    ");

    let secret: Secret = space.get("app1-pki").await;
    assert_eq!(secret.type_.as_deref(), Some("kubernetes.io/tls"));
    let data = secret.data.as_ref().unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["ca.crt", "tls.crt", "tls.key"]);
    let owners = secret.metadata.owner_references.as_deref().unwrap();
    assert_eq!((owners.len(), Some(&owners[0].uid)), (1, pki.metadata.uid.as_ref()));
    let labels = secret.metadata.labels.as_ref().unwrap();
    assert_eq!(labels["app.kubernetes.io/managed-by"], "portreeve");
    insta::assert_snapshot!(verified_names(&space, &secret), @"
    X509v3 Subject Alternative Name:
      DNS:app1, DNS:app1.NAMESPACE, DNS:app1.NAMESPACE.svc, DNS:app1.NAMESPACE.svc.cluster.local
    ");

    space.await_event("Pki", "app1-pki", "PkiReady", 1).await;
    space.await_event("Pod", &pod, "PkiReady", 1).await;
    let begun = space.await_event("Pki", "clock", "PkiServiceNameError", 1).await;
    let counts = async || {
        let mut events = space.events("Pki", "app1-pki").await;
        events.extend(space.events("Pod", &pod).await);
        lines(&events)
    };
    let before = counts().await;
    let rung = begun.count.unwrap() + 3;
    space.await_event("Pki", "clock", "PkiServiceNameError", rung).await;
    assert_eq!(counts().await, before, "nothing more is told");
    let normal = before.iter().filter(|line| line.starts_with("Normal PkiReady x1 "));
    assert_eq!(normal.count(), 2, "{before:#?}");
}
