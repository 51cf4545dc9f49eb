use serde_json::{Value, json};

use super::*;
use crate::api::finding::Outcome as Become;
use crate::api::{Pki, PodPolicy};
use crate::policy::pki;
use crate::policy::snapshot::{KnownNamespace, KnownPki, KnownPodPolicy, KnownSecret, Trouble};

/// A snapshot of namespace `shop` with policies `p0`, `p1`, …
fn snapshot(specs: &[Value]) -> Snapshot {
    let mut snapshot = Snapshot { own_namespace: "portreeve".into(), ..Snapshot::default() };
    let labels = [("team".to_owned(), "shop".to_owned())].into();
    let object = Json::from(&json!({"metadata": {"name": "shop", "labels": {"team": "shop"}}}));
    snapshot.namespaces.insert("shop".into(), KnownNamespace { labels, object });
    for (index, spec) in specs.iter().enumerate() {
        let policy = json!({"metadata": {"name": format!("p{index}")}, "spec": spec});
        let policy: PodPolicy = serde_json::from_value(policy).unwrap();
        let rules = PodRules::compile(&policy).unwrap();
        let known = KnownPodPolicy {
            uid: String::new(),
            generation: None,
            is_refused: false,
            rules: Some(rules.into()),
        };
        snapshot.pod_policies.insert(format!("p{index}"), known);
    }
    snapshot
}

fn with_pki(mut snapshot: Snapshot, name: &str, trouble: Option<Trouble>) -> Snapshot {
    let pki = json!({"metadata": {"name": name, "uid": format!("uid-{name}")}, "spec": {"serviceName": "app1"}});
    let pki: Pki = serde_json::from_value(pki).unwrap();
    let policy = json!({"metadata": {"name": "certs"}, "spec": {
        "namespaceSelector": {}, "allowedNames": ["app1"], "issuer": {"ca": {"secretName": "ca"}}}});
    let rules = pki::PkiRules::compile(&serde_json::from_value(policy).unwrap()).unwrap();
    let rules =
        crate::policy::snapshot::KnownPolicy { uid: String::new(), rules: Some(rules.into()) };
    snapshot.pki_policies.insert("certs".into(), rules);
    let known = KnownPki {
        uid: format!("uid-{name}"),
        created: None,
        secret_name: pki.secret_name(),
        spec: pki.spec.into(),
        issued: false,
        trouble,
    };
    snapshot.pkis.entry("shop".into()).or_default().insert(name.to_owned(), known);
    snapshot
}

fn pod(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec})
}

fn images(images: &[&str]) -> Value {
    let container = |(n, image): (usize, &&str)| json!({"name": format!("c{n}"), "image": image});
    let containers: Vec<Value> = images.iter().enumerate().map(container).collect();
    pod(json!({ "containers": containers }))
}

fn judged(workload: Workload, stage: Stage, pod: &Value, snapshot: &Snapshot) -> Vec<Finding> {
    judged_in("shop", workload, stage, pod, snapshot)
}

fn judged_in(
    namespace: &str,
    workload: Workload,
    stage: Stage,
    pod: &Value,
    snapshot: &Snapshot,
) -> Vec<Finding> {
    let pod = Json::from(pod);
    let certificate = certificates::injection(&pod, namespace, snapshot);
    let subject = Subject {
        namespace,
        workload,
        pod,
        certificate: certificate.as_ref(),
        old: &Json::Null,
        request: &Json::Null,
        stage,
        carried: None,
    };
    judge(subject, snapshot).found.into_iter().map(|found| found.finding).collect()
}

fn texts(findings: &[Finding], outcome: Become) -> Vec<String> {
    findings.iter().map(|finding| finding.text(outcome)).collect()
}

fn of_pod(pod: &Value, snapshot: &Snapshot) -> Vec<String> {
    texts(&judged(Workload::Pod, Stage::Final, pod, snapshot), Become::Refused)
}

fn no_latest() -> Value {
    json!({"validations": [{
        "expression": "object.spec.containers.all(c, !c.image.endsWith(':latest'))",
        "message": "name a version.",
        "eventReason": "ImageTagLatest",
    }]})
}

#[test]
fn each_element_that_fails_is_a_finding_with_its_path_and_value() {
    let snapshot = snapshot(&[no_latest()]);
    let pod = images(&["a:latest", "b:1", "c:latest"]);
    assert_eq!(
        of_pod(&pod, &snapshot),
        [
            "spec.containers[0].image: \"a:latest\": name a version (PodPolicy p0).",
            "spec.containers[2].image: \"c:latest\": name a version (PodPolicy p0).",
        ]
    );
    let findings = judged(Workload::Pod, Stage::Final, &pod, &snapshot);
    assert_eq!(findings[0].reason, "ImageTagLatest");
    assert_eq!(findings[0].rule.as_deref(), Some("validations[0]"));
}

#[test]
fn in_a_workload_the_path_is_that_of_the_template() {
    let snapshot = snapshot(&[no_latest()]);
    let found = judged(Workload::CronJob, Stage::Template, &images(&["a:latest"]), &snapshot);
    assert_eq!(found[0].field, "spec.jobTemplate.spec.template.spec.containers[0].image");
    assert!(found[0].fault.starts_with(&found[0].field), "{}", found[0].fault);
}

#[test]
fn where_no_element_fails_the_path_is_the_one_given_or_else_what_was_read() {
    let expression = "object.spec.?hostNetwork.orValue(false) != true";
    let rule = |more: Value| {
        let mut rule = json!({"expression": expression, "message": "m"});
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        snapshot(&[json!({ "validations": [rule] })])
    };
    let pod = pod(json!({"hostNetwork": true, "containers": []}));
    let read = of_pod(&pod, &rule(json!({})));
    assert_eq!(read, ["spec.hostNetwork: true: m (PodPolicy p0)."]);
    let given = of_pod(&pod, &rule(json!({"fieldPath": ".spec.dnsPolicy"})));
    assert_eq!(given, ["spec.dnsPolicy: m (PodPolicy p0)."]);
}

#[test]
fn all_policies_are_told_at_once_and_denials_come_first() {
    let warns = json!({"onViolation": "Warn", "validations": [{"expression": "false", "message": "never"}]});
    let snapshot = snapshot(&[warns, no_latest()]);
    let found = judged(Workload::Pod, Stage::Final, &images(&["a:latest"]), &snapshot);
    let enforced: Vec<_> =
        found.iter().map(|finding| (finding.enforcement, finding.policy.as_deref())).collect();
    assert_eq!(enforced, [(Enforcement::Deny, Some("p1")), (Enforcement::Warn, Some("p0"))]);
}

#[test]
fn one_validation_can_be_enforced_otherwise_than_its_policy() {
    let rules = json!({"onViolation": "Warn", "validations": [
        {"expression": "false", "message": "a", "onViolation": "Deny", "reason": "Invalid"},
        {"expression": "false", "message": "b"},
    ]});
    let snapshot = snapshot(&[rules]);
    let found = judged(Workload::Pod, Stage::Final, &images(&["a:1"]), &snapshot);
    let enforced: Vec<_> = found.iter().map(|finding| finding.enforcement).collect();
    assert_eq!(enforced, [Enforcement::Deny, Enforcement::Warn]);
}

#[test]
fn an_expression_that_cannot_be_evaluated_is_told_with_policy_rule_and_cause() {
    let rules = |failure_policy: &str| {
        snapshot(&[json!({"failurePolicy": failure_policy,
            "validations": [{"expression": "object.spec.hostNetwork == true"}]})])
    };
    let found = judged(Workload::Pod, Stage::Final, &images(&["a:1"]), &rules("Ignore"));
    assert_eq!(
        texts(&found, Become::Stored),
        ["PodPolicy p0 can't judge this Pod: validations[0]: no such key: hostNetwork. Tell who \
          runs the cluster, who can mend the policy: it was let through, and that rule was not \
          checked."]
    );
    let found = judged(Workload::Pod, Stage::Final, &images(&["a:1"]), &rules("Fail"));
    assert_eq!(found[0].enforcement, Enforcement::Deny);
}

#[test]
fn of_a_namespace_that_is_not_known_yet_no_error_refuses_anybody() {
    let rules = json!({"failurePolicy": "Fail", "validations": [
        {"expression": "namespaceObject.metadata.labels['team'] == 'shop'"}]});
    let snapshot = snapshot(&[rules]);
    let found = judged_in("new", Workload::Pod, Stage::Final, &images(&["a:1"]), &snapshot);
    assert_eq!(found[0].enforcement, Enforcement::Warn);
    assert_eq!(judged(Workload::Pod, Stage::Final, &images(&["a:1"]), &snapshot), []);
}

#[test]
fn a_policy_is_about_the_pods_that_all_of_its_match_selects() {
    let matching = |matching: Value| {
        let rules = json!({"match": matching, "validations": [{"expression": "false"}]});
        of_pod(&images(&["a:1"]), &snapshot(&[rules])).len()
    };
    assert_eq!(matching(json!({})), 1);
    assert_eq!(matching(json!({"namespaceSelector": {"matchLabels": {"team": "shop"}}})), 1);
    assert_eq!(matching(json!({"namespaceSelector": {"matchLabels": {"team": "x"}}})), 0);
    assert_eq!(matching(json!({"objectSelector": {"matchLabels": {"team": "shop"}}})), 0);
    let condition = |expression: &str| {
        matching(json!({"matchConditions": [{"name": "c", "expression": expression}]}))
    };
    assert_eq!(condition("object.metadata.name == 'web'"), 1);
    assert_eq!(condition("object.metadata.name != 'web'"), 0);
}

#[test]
fn of_a_stored_object_a_policy_that_asks_who_made_it_is_asked_only_where_it_has_spoken() {
    let rules = json!({
        "match": {"matchConditions": [{"name": "c", "expression": "!('ci' in request.userInfo.groups)"}]},
        "validations": [{"expression": "false"}],
    });
    let snapshot = snapshot(&[rules]);
    let pod = images(&["a:1"]);
    let found = |carried: &[String]| {
        let subject = Subject {
            namespace: "shop",
            workload: Workload::Pod,
            pod: Json::from(&pod),
            certificate: None,
            old: &Json::Null,
            request: &Json::Null,
            stage: Stage::Final,
            carried: Some(carried),
        };
        judge(subject, &snapshot).found.len()
    };
    assert_eq!(found(&[]), 0);
    assert_eq!(found(&["p0".to_owned()]), 1);
}

#[test]
fn the_clusters_own_namespaces_are_left_alone() {
    let snapshot = snapshot(&[json!({"validations": [{"expression": "false"}]})]);
    for namespace in ["kube-system", "kube-public", "kube-node-lease", "portreeve"] {
        let found = judged_in(namespace, Workload::Pod, Stage::Final, &images(&["a:1"]), &snapshot);
        assert_eq!(found, [], "{namespace}");
    }
}

#[test]
fn a_stored_pod_that_a_node_mirrors_is_left_alone_and_nobody_else_may_say_so() {
    let snapshot = snapshot(&[json!({"validations": [{"expression": "false"}]})]);
    let mut mirror = images(&["a:1"]);
    mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
    assert_eq!(of_pod(&mirror, &snapshot).len(), 1);
    let subject = Subject {
        namespace: "shop",
        workload: Workload::Pod,
        pod: Json::from(&mirror),
        certificate: None,
        old: &Json::Null,
        request: &Json::Null,
        stage: Stage::Final,
        carried: Some(&[]),
    };
    assert_eq!(judge(subject, &snapshot).found.len(), 0);
}

fn asking(annotations: Value) -> Value {
    let mut pod = images(&["a:1"]);
    pod["metadata"]["annotations"] = annotations;
    pod
}

#[test]
fn a_pki_that_is_asked_for_and_not_there_is_told_with_those_there_are() {
    let snapshot = with_pki(snapshot(&[]), "app1-pki", None);
    assert_eq!(
        of_pod(&asking(json!({"box.com/pki": "app1-pkj"})), &snapshot),
        ["metadata.annotations[\"box.com/pki\"]: no Pki app1-pkj in namespace shop: there are \
          [app1-pki]; did you mean \"app1-pki\"? Name another, or make that one; then make the Pod anew."]
    );
}

#[test]
fn a_path_or_a_mode_that_kubernetes_would_not_take_is_told() {
    let snapshot = with_pki(snapshot(&[]), "app1-pki", None);
    let wrong = json!({"box.com/pki": "app1-pki", "box.com/pki-mount-path": "tls", "box.com/pki-mode": "0999"});
    let told = of_pod(&asking(wrong), &snapshot);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("\"tls\" is not an absolute path"), "{}", told[0]);
    assert!(told[1].contains("\"0999\" is not octal digits"), "{}", told[1]);
}

#[test]
fn whoever_reads_the_secret_of_a_failing_pki_hears_what_its_owner_hears() {
    let trouble =
        Trouble { reason: "PkiIssuerNotReady".into(), message: "CA ca is missing.".into() };
    let snapshot = with_pki(snapshot(&[]), "app1-pki", Some(trouble));
    let pod = pod(
        json!({"containers": [], "volumes": [{"name": "v", "secret": {"secretName": "app1-pki"}}]}),
    );
    let found = judged(Workload::Deployment, Stage::Template, &pod, &snapshot);
    assert_eq!(found[0].reason, "PkiIssuerNotReady");
    assert_eq!(found[0].field, "spec.template.spec.volumes[0]");
    assert_eq!(found[0].enforcement, Enforcement::Inform);
    assert_eq!(texts(&found, Become::Stored), ["Pki app1-pki: CA ca is missing."]);
}

#[test]
fn whoever_reads_somebody_elses_secret_hears_nothing() {
    let mut snapshot = snapshot(&[]);
    let foreign = KnownSecret { pki_uid: None, resource_version: String::new() };
    snapshot.secrets.entry("shop".into()).or_default().insert("mine".into(), foreign);
    let pod =
        pod(json!({"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "mine"}}]}]}));
    assert_eq!(of_pod(&pod, &snapshot), [""; 0]);
}

#[test]
fn whoever_reads_the_secret_of_a_pki_that_is_gone_is_told() {
    let mut snapshot = snapshot(&[]);
    let left = KnownSecret { pki_uid: Some("gone".into()), resource_version: String::new() };
    snapshot.secrets.entry("shop".into()).or_default().insert("old".into(), left);
    let pod =
        pod(json!({"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "old"}}]}]}));
    assert_eq!(
        of_pod(&pod, &snapshot),
        ["spec.containers[0].envFrom[0]: the Pki of Secret old is gone. Make the Pki again, or \
          mount another Secret."]
    );
}

#[test]
fn of_what_the_api_server_fills_in_no_owner_hears_that_it_is_hers() {
    let snapshot = snapshot(&[json!({"inject": {"spec": {
        "serviceAccountName": "other", "priorityClassName": "high", "terminationGracePeriodSeconds": 5}}})]);
    let filled_in = json!({"serviceAccountName": "default", "priority": 0,
        "terminationGracePeriodSeconds": 30, "containers": []});
    assert_eq!(of_pod(&pod(filled_in), &snapshot), [""; 0]);
    let hers = json!({"serviceAccountName": "mine", "priority": 0,
        "terminationGracePeriodSeconds": 30, "containers": []});
    assert_eq!(of_pod(&pod(hers), &snapshot).len(), 1);
}
